import * as z from 'zod';
import { type ExceptionCode, exceptionCodes, Q2cError } from '../../model';
import { retryFilter } from '../bulk';
import { lines } from '../live';
import { refuseMasked } from '../masking';
import { given } from '../paging';
import { personOf } from '../person';
import { countRuns, listRuns, runReport } from '../reports';
import { type ApiContext, defineRoute, listOf, reason } from '../route';
import { correction, gatedResult } from '../schemas/cases';
import { instant, paged, pageOf, runState } from '../schemas/common';
import {
  dryRunReport,
  type RunReport,
  runReport as report,
  retryProgress,
  runSummary,
} from '../schemas/runs';
import { concealStepsOf } from '../step-views';

const codes = Object.keys(exceptionCodes) as [ExceptionCode, ...ExceptionCode[]];

const listRunsRoute = defineRoute({
  method: 'get',
  path: '/runs',
  id: 'listRuns',
  tag: 'Runs',
  summary: 'Runs, newest first',
  permission: 'q2c.read',
  query: z.strictObject({
    ...paged,
    state: listOf(runState).optional(),
    correlationId: z.string().optional(),
    sourceNode: listOf(z.string()).optional(),
    q: z.string().trim().min(1).optional().meta({ description: 'Part of the title' }),
    failedIn: z.string().optional().meta({ description: 'System of a step that has failed' }),
    code: z.enum(codes).optional().meta({ description: 'Code of an open case' }),
    createdSince: instant.optional(),
    createdBefore: instant.optional(),
    order: z.enum(['newest', 'oldest']).default('newest'),
  }),
  reply: { kind: 'json', schema: pageOf(runSummary) },
  handle: async ({ query }, { engine }) => {
    const { limit, cursor, order, state, sourceNode, q, ...filter } = query;
    return listRuns(
      engine.store,
      { ...filter, states: state, sourceNodes: sourceNode, title: q },
      { limit, cursor, order },
    );
  },
});

const countRunsRoute = defineRoute({
  method: 'get',
  path: '/runs/counts',
  id: 'countRuns',
  tag: 'Runs',
  summary: 'How many runs are in each state; states without any are absent',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.partialRecord(runState, z.number()) },
  handle: async (_, { engine }) => countRuns(engine.store),
});

/** What an action on a run compares: it was in this state in this attempt. */
const versionOfRun = ({ attempt, state }: Pick<RunReport, 'attempt' | 'state'>) => `${attempt}-${state}`;

const getRun = defineRoute({
  method: 'get',
  path: '/runs/:id',
  id: 'getRun',
  tag: 'Runs',
  summary: 'One run with its steps, what it waits for, the records it touched in every system, and its cases',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: report },
  hasPayload: true,
  version: (reply: RunReport) => versionOfRun(reply),
  handle: async ({ params }, context) => {
    const found = await runReport(context.engine.store, params.id ?? '');
    if (found !== null) await concealStepsOf(context, found.id);
    return found;
  },
});

/** @throws Q2cError `RECORD_CHANGED` when the run is not as the caller has seen it */
async function requireUnchanged({ engine, expectedVersion }: ApiContext, runId: string): Promise<void> {
  if (expectedVersion === null) return;
  const run = await engine.store.db
    .selectFrom('run')
    .select(['attempt', 'state'])
    .where('id', '=', runId)
    .executeTakeFirst();
  if (run === undefined || versionOfRun(run) === expectedVersion) return;
  throw new Q2cError('RECORD_CHANGED', `Run ${runId} is ${run.state} now; load it again and decide anew.`);
}

async function actOn(id: string, action: 'retry' | 'cancel', why: string, context: ApiContext) {
  await requireUnchanged(context, id);
  await concealStepsOf(context, id);
  return context.governance.actOnRun(id, { action }, why, personOf(context.caller));
}

const retryRun = defineRoute({
  method: 'post',
  path: '/runs/:id/retry',
  id: 'retryRun',
  tag: 'Runs',
  summary: 'Sends a failed run again: what is done answers from the journal. May wait for a second person',
  permission: 'q2c.write',
  body: z.strictObject({ reason: reason.default('retried') }),
  reply: { kind: 'json', schema: gatedResult },
  isConditional: true,
  handle: ({ params, body }, context) => actOn(params.id ?? '', 'retry', body.reason, context),
});

const cancelRun = defineRoute({
  method: 'post',
  path: '/runs/:id/cancel',
  id: 'cancelRun',
  tag: 'Runs',
  summary:
    'Takes a run back: what its steps have created is undone in reverse order. May wait for a second person',
  permission: 'q2c.write',
  body: z.strictObject({ reason }),
  reply: { kind: 'json', schema: gatedResult },
  isConditional: true,
  handle: ({ params, body }, context) => actOn(params.id ?? '', 'cancel', body.reason, context),
});

const dryRun = defineRoute({
  method: 'post',
  path: '/runs/:id/dry-run',
  id: 'dryRun',
  tag: 'Runs',
  summary:
    'What a retry of a failed run would write, without writing; with a correction, if it were made before',
  permission: 'q2c.write',
  // It took any body before, and none was read.
  body: z.object({ proposal: z.strictObject({ caseId: z.string(), correction }).optional() }),
  reply: { kind: 'json', schema: dryRunReport },
  hasPayload: true,
  handle: async ({ params, body: { proposal } }, context) => {
    refuseMasked(proposal);
    const id = params.id ?? '';
    await concealStepsOf(context, id);
    return context.engine.repairs.dryRun(id, context.caller.name, proposal);
  },
});

const retryRuns = defineRoute({
  method: 'post',
  path: '/runs/retry',
  id: 'retryRunsWatched',
  tag: 'Runs',
  summary: 'Retries all failed runs that match, one line of JSON per change; closing the connection ends it',
  permission: 'q2c.write',
  body: z.strictObject({
    filter: retryFilter,
    reason,
    atOnce: z.int().min(1).max(50).optional(),
  }),
  reply: { kind: 'stream', type: 'application/x-ndjson', schema: retryProgress },
  handle: async ({ body: { filter, reason: why, atOnce } }, { governance, caller, signal }) =>
    lines(governance.retryRuns(given(filter), why, personOf(caller), { signal, ...(atOnce && { atOnce }) })),
});

export const runRoutes = [listRunsRoute, countRunsRoute, getRun, retryRuns, retryRun, cancelRun, dryRun];
