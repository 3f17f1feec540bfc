import type { Request, RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import type { Engine } from '../../lib/engine';
import { addDays, type CanonicalId, isLocalDate, Q2cError, todayIn } from '../../lib/model';
import {
  countedUntil,
  evidenceHtml,
  evidenceOf,
  kpiGroups,
  kpiReport,
  observability,
  openExceptions,
  workList,
  workLists,
} from '../../lib/observe';
import { appendAudit } from '../../lib/store';
import { answer, engineOf, problem, text, userOf } from './answers';
import { connectionStates } from './connections';
import { firmZones } from './firm-zones';

const DEFAULT_DAYS = 30;
const MAX_ITEMS = 500;

/** Admin routes by which programs look at what happens (docs/observability.md). */
export function registerObserveRoutes(RED: NodeAPI, api: string, read: RequestHandler): void {
  const { httpAdmin } = RED;

  httpAdmin.get(`${api}/metrics`, read, (request, response) => {
    const engine = engineOf(request, response);
    if (engine === null) return;
    observability.metrics(engine.store, connectionStates()).then(
      ({ contentType, text: body }) => response.type(contentType).send(body),
      (error: unknown) => problem(response, error),
    );
  });
  httpAdmin.get(
    `${api}/kpis`,
    read,
    answer((request, engine) => kpis(request, engine, todayIn(firmZones(RED)(null), engine.store.now()))),
  );
  httpAdmin.get(
    `${api}/kpis/open-exceptions`,
    read,
    answer((request, { store }) => openExceptions(store, { legalEntity: text(request, 'legalEntity') })),
  );
  httpAdmin.get(
    `${api}/kpis/work-lists/:list`,
    read,
    answer(async (request, { store }) => {
      const list = oneOf('list', workLists, String(request.params.list));
      const limit = Math.min(MAX_ITEMS, Number(text(request, 'limit')) || 100);
      return workList(store, list, limit);
    }),
  );
  httpAdmin.get(`${api}/deals/:id/evidence`, read, (request, response) => {
    const engine = engineOf(request, response);
    if (engine === null) return;
    evidence(engine, String(request.params.id) as CanonicalId, userOf(request)).then(
      (pack) => {
        if (pack === null)
          response.status(404).json({ code: 'RUN_UNKNOWN', title: 'There is no such deal.' });
        else if (text(request, 'format') === 'html') response.type('html').send(evidenceHtml(pack));
        else response.attachment(`evidence-${pack.deal.correlationId}.json`).json(pack);
      },
      (error: unknown) => problem(response, error),
    );
  });
}

async function kpis(request: Request, { store }: Engine, today: string) {
  const to = day(request, 'to') ?? today;
  const from = day(request, 'from') ?? addDays(to, 1 - DEFAULT_DAYS);
  const by = text(request, 'by');
  const filter = {
    from,
    to,
    legalEntity: text(request, 'legalEntity'),
    tier: text(request, 'tier'),
    system: text(request, 'system'),
  };
  const figures = await kpiReport(store, filter, by === undefined ? by : oneOf('by', kpiGroups, by));
  return { from, to, countedUntil: await countedUntil(store), figures };
}

/** Who takes evidence away leaves a line in the audit, after what it shows. */
async function evidence({ store }: Engine, correlationId: CanonicalId, actor: string) {
  const at = store.now();
  const pack = await evidenceOf(store, correlationId, { actor, at });
  if (pack === null) return null;
  const line = { at, actor, action: 'evidence.exported', subject: correlationId, runId: null };
  await store.write((tx) => appendAudit(tx, { ...line, detail: { digest: pack.digest } }));
  return pack;
}

function day(request: Request, name: string): string | undefined {
  const value = text(request, name);
  if (value === undefined || isLocalDate(value)) return value;
  throw new Q2cError('VALUE_INVALID', `"${value}" is not a date of the form YYYY-MM-DD (${name}).`);
}

function oneOf<T extends string>(name: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Q2cError('VALUE_INVALID', `"${value}" is not one of ${allowed.join(', ')} (${name}).`);
}
