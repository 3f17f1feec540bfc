import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { DispatchedRun } from '../../../lib/engine';
import type { HttpCall } from '../../../lib/model';
import { startTracing } from '../../../lib/observe/tracing/otel';
import type { Tracing } from '../../../lib/observe/tracing/tracing';
import { isTracingOn } from '../../../lib/observe/tracing/tracing';
import { HttpCalls } from '../../../lib/remote/http-calls';
import { createHttpClient } from '../../../lib/systems/kit/http';
import { type ReceivedSpan, startCollector } from '../../support/collector';
import { FakeVendor, fail, startEngine, type TestEngine, until } from '../../support/engine';
import { flowOf, won } from './support';

let collector: Awaited<ReturnType<typeof startCollector>>;
let tested: TestEngine;
let tracing: Tracing;
let vendor: Server;
let vendorUrl: string;
/** Headers of the calls that the vendor has got. */
const received: IncomingMessage['headers'][] = [];
const log: string[] = [];

beforeAll(async () => {
  vendor = createServer((request, response) => {
    received.push(request.headers);
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const address = vendor.address();
  vendorUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => new Promise((resolve) => vendor.close(resolve)));

beforeEach(async () => {
  received.length = 0;
  log.length = 0;
  collector = await startCollector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '500';
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=test';
  tracing = startTracing((_, message) => log.push(message));
  tested = await startEngine({ observer: tracing.engine('test') });
});
afterEach(async () => {
  await tested.stop();
  await collector.close();
});

/** Ends the engine's work and gives what the collector has got. */
async function spans(): Promise<ReceivedSpan[]> {
  await tracing.flush(5_000);
  return collector.spans;
}

const named = (all: ReceivedSpan[], name: string): ReceivedSpan[] => all.filter((span) => span.name === name);

const runStates = async () =>
  (await tested.store.db.selectFrom('run').select('state').orderBy('seq').execute()).map(
    ({ state }) => state,
  );

test('one trace per deal: event, runs, steps, calls, and HTTP calls that carry the context', async () => {
  const { engine } = tested;
  const httpCalls = new HttpCalls();
  const http = createHttpClient({
    system: 'erp',
    baseUrl: vendorUrl,
    errors: { rows: [], codeOf: () => null, reasonOf: () => null },
    limits: { concurrency: 2, timeoutMs: 1000 },
    onCall: httpCalls.observe,
  });
  const fake = new FakeVendor();
  const messages: DispatchedRun[] = [];
  flowOf(engine, async (run) => {
    messages.push(run);
    return engine.step(
      run.id,
      fake.step({
        canonicalId: run.orderingKey,
        call: async () => {
          const traces = tracing.calls('erp');
          const made: HttpCall[] = [];
          await httpCalls.during(traces?.traceparent ?? null, made, () =>
            http.request({ method: 'GET', path: '/customers', query: { name: 'Secret' } }),
          );
          traces?.report(made);
          return { reply: {}, result: { refs: [] } };
        },
      }),
    );
  });
  const outside = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await engine.accept(won('e1', 'A', { traceparent: outside }));
  await until('the first run', async () => (await runStates()).join() === 'completed');
  await engine.accept(won('e2', 'A'));
  await engine.accept(won('e3', 'B'));
  await until('all', async () => (await runStates()).join() === 'completed,completed,completed');
  await http.close();

  const all = await spans();
  const [first, second, other] = named(all, 'receive q2c.opportunity.won.v1');
  expect(second?.traceId).toBe(first?.traceId);
  expect(other?.traceId).not.toBe(first?.traceId);
  expect(first).not.toHaveProperty('parentSpanId', expect.stringMatching(/./));
  expect(first?.links).toEqual([
    expect.objectContaining({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }),
  ]);

  const run = named(all, 'process q2c.opportunity.won.v1').find(
    (span) => span.parentSpanId === first?.spanId,
  );
  expect(run?.attributes).toMatchObject({
    'messaging.operation.type': 'process',
    'messaging.message.id': 'e1',
    'messaging.message.conversation_id': messages[0]?.correlationId,
    'q2c.tenant': 'test',
    'q2c.run.state': 'completed',
  });
  expect(messages[0]?.traceparent).toBe(`00-${run?.traceId}-${run?.spanId}-01`);
  const step = all.find((span) => span.parentSpanId === run?.spanId);
  expect(step).toMatchObject({
    name: 'erp customer.upsert',
    attributes: { 'q2c.idempotency.outcome': 'call', 'q2c.target_system': 'erp', 'q2c.entity': 'customer' },
  });
  const call = all.find((span) => span.parentSpanId === step?.spanId);
  expect(call).toMatchObject({ name: 'call', attributes: { 'q2c.attempt': 1 } });
  const request = all.find((span) => span.parentSpanId === call?.spanId);
  expect(request).toMatchObject({
    name: 'GET',
    attributes: { 'url.path': '/customers', 'http.response.status_code': 200 },
  });
  expect(received[0]?.traceparent).toBe(`00-${request?.traceId}-${request?.spanId}-01`);
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(2);
  expect(collector.resources[0]).toMatchObject({
    'service.name': 'quote-to-cash',
    'deployment.environment.name': 'test',
  });
  expect(JSON.stringify(all)).not.toContain('Secret');
});

test('retries, probes and failures are seen, told by code', async () => {
  const { engine } = tested;
  const fake = new FakeVendor();
  fake.script = [
    (write) => {
      write();
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    },
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  flowOf(engine, async (run) => {
    await engine.step(run.id, fake.step());
    return engine.step(run.id, fake.step());
  });
  await engine.accept(won('e1', 'A'));
  await until('the end', async () => (await runStates()).join() === 'failed');

  const all = await spans();
  expect(named(all, 'probe')).toEqual([
    expect.objectContaining({ attributes: expect.objectContaining({ 'q2c.probe.found': true }) }),
  ]);
  const outcomes = named(all, 'erp customer.upsert').map(({ attributes, status }) => [
    attributes['q2c.idempotency.outcome'] ?? attributes['q2c.exception.code'],
    status.code ?? 0,
  ]);
  expect(outcomes).toEqual([
    ['probe', 0],
    ['TARGET_REJECTED', 2],
  ]);
  const [run] = named(all, 'process q2c.opportunity.won.v1');
  expect(run?.attributes['q2c.run.state']).toBe('failed');
});

test('a run that begins anew hangs on the same event, whichever host goes on with it', async () => {
  const { engine, store } = tested;
  const passages: DispatchedRun[] = [];
  const fake = new FakeVendor();
  fake.script = Array.from({ length: 4 }, () => () => {
    throw fail('transient');
  });
  flowOf(engine, (run) => {
    passages.push(run);
    return engine.step(run.id, fake.step({ canonicalId: run.orderingKey }));
  });
  await engine.accept(won('e1', 'A'));
  await until('the second attempt', async () => (await runStates()).join() === 'completed');
  expect(passages.map(({ attempt }) => attempt)).toEqual([1, 2]);

  const all = await spans();
  const [event] = named(all, 'receive q2c.opportunity.won.v1');
  const runs = named(all, 'process q2c.opportunity.won.v1');
  expect(runs.map(({ parentSpanId }) => parentSpanId)).toEqual([event?.spanId, event?.spanId]);
  expect(runs.map(({ attributes }) => attributes['q2c.run.attempt'])).toEqual([1, 2]);
  expect(await store.db.selectFrom('run').select('id').execute()).toHaveLength(1);
});

test('a message from outside that names a span is linked to it', async () => {
  const { engine } = tested;
  const active = await engine.oneOff(
    'n1',
    'opp_01JGZC0000000000000000000A',
    'One-off',
    `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`,
  );
  engine.messageEntered(active);
  engine.messageLeft(active);
  await until('the end', async () => (await runStates()).join() === 'completed');
  expect(named(await spans(), 'process')).toEqual([
    expect.objectContaining({ links: [expect.objectContaining({ traceId: 'c'.repeat(32) })] }),
  ]);
});

test('a collector that is away is told of once', async () => {
  await collector.close();
  const { engine } = tested;
  flowOf(engine, async () => undefined);
  for (const id of ['e1', 'e2']) {
    await engine.accept(won(id, id));
    await tracing.flush(5_000).catch(() => undefined);
  }
  await until('the warning', () => log.length > 0, 20_000);
  expect(log).toEqual([expect.stringMatching(/^Traces could not be sent: /)]);
  collector = await startCollector();
}, 60_000);

test('a call outside of a deal has no span', () => {
  expect(tracing.calls('erp')).toBeNull();
});

test.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
  [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, false],
  [{ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, false],
])('with %j tracing is on: %s', (env, expected) => {
  expect(isTracingOn(env)).toBe(expected);
});
