import { createServer } from 'node:http';
import type { DispatchedRun, Engine, IntakeBatch } from '../../../lib/engine';

/** An event of a CRM for `accept`. */
export const won = (
  id: string,
  record: string,
  more: Partial<IntakeBatch['events'][number]> = {},
): IntakeBatch => ({
  sourceNode: 'source',
  system: 'crm',
  instance: 'org',
  source: '/q2c/test/crm',
  events: [
    {
      id,
      type: 'q2c.opportunity.won.v1',
      time: new Date(Date.now() - 3_000).toISOString(),
      subject: { entity: 'opportunity', type: 'Opportunity', id: record },
      title: `Deal of Secret GmbH ${record}`,
      data: { name: `Deal of Secret GmbH ${record}` },
      ...more,
    },
  ],
});

/** Makes a node of a flow that does some work for each run, and ends it as a flow does. */
export function flowOf(
  engine: Engine,
  work: (run: DispatchedRun) => Promise<unknown>,
  sourceNode = 'source',
): void {
  engine.registerSource(sourceNode, 4, (run) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error(`run ${run.id} is not under way`);
    engine.messageEntered(active);
    work(run)
      .catch((error: Error & { code?: string }) =>
        engine.errorRaised(active, {
          node: { id: 'n1', name: 'Customer' },
          message: error.message,
          code: error.code ?? null,
        }),
      )
      .finally(() => engine.messageLeft(active, 'n1'));
  });
}

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status: { code?: number };
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string }[];
}

/** A collector that takes OTLP over HTTP, as JSON. */
export async function startCollector() {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as OtlpRequest;
      for (const { resource, scopeSpans } of body.resourceSpans) {
        resources.push(valuesOf(resource.attributes));
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({ ...span, links: span.links ?? [], attributes: valuesOf(span.attributes) });
        }
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    resources,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

interface OtlpAttribute {
  key: string;
  value: { stringValue?: string; intValue?: number; boolValue?: boolean };
}

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: OtlpAttribute[] };
    scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: OtlpAttribute[] })[] }[];
  }[];
}

const valuesOf = (attributes: OtlpAttribute[]): Record<string, string | number | boolean> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue ?? '']),
  );
