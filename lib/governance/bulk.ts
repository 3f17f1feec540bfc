import type { BulkJob, BulkOutcome, BulkWork, Engine } from '../engine';
import type { Tx } from '../store';
import { isClosed, lineById } from './rows';
import type { BulkCaseRequest, CaseLine, GatedResult, Person } from './types';

/** The same action on many cases, one after another, as a job of the engine's. */

/** Kind of its jobs. */
export const CASES = 'cases';

/** Runs under way at a time, so that new deals go on beside a large bulk. */
const AT_ONCE = 4;
/** Actions after which the run of the case is sent again. */
const SENT_AGAIN: ReadonlySet<BulkCaseRequest['action']> = new Set(['retry', 'correct', 'complete', 'skip']);
/** Rows of one insert. */
const CHUNK = 200;

/** What is kept of a job: whoever began it goes on with the rights of that moment. */
interface Request {
  request: BulkCaseRequest;
  by: Person;
}

/** @returns id of the job, for `engine.repairs.bulkJobs` */
export async function startBulk(
  { repairs: { bulkJobs } }: Engine,
  caseIds: readonly string[],
  request: BulkCaseRequest,
  reason: string,
  by: Person,
): Promise<string> {
  const wanted: Request = { request, by };
  const subjects = [...new Set(caseIds)];
  const job = {
    ...{ kind: CASES, actor: by.name, reason, atOnce: AT_ONCE, request: JSON.stringify(wanted) },
    audit: { action: 'cases.bulk_started', detail: { action: request.action } },
  };
  const { id } = await bulkJobs.record(job, async (tx, job) => {
    for (let from = 0; from < subjects.length; from += CHUNK) {
      const rows = subjects
        .slice(from, from + CHUNK)
        .map((subject, at) => ({ job, subject, seq: from + at, state: 'waiting' as const }));
      await tx.insertInto('bulk_item').values(rows).execute();
    }
  });
  bulkJobs.goOn();
  return id;
}

/** What a job of this kind does. */
export const bulkCaseAction = ({ request }: Pick<BulkJob, 'request'>): BulkCaseRequest['action'] =>
  (JSON.parse(request) as Request).request.action;

/** @param act does it; null = there was nothing to do */
export function bulkWork(
  { store }: Engine,
  act: (line: CaseLine, request: BulkCaseRequest, reason: string, by: Person) => Promise<GatedResult | null>,
): BulkWork {
  return async (item, settle) => {
    const { request, by } = JSON.parse(item.request) as Request;
    const line = await lineById(store.db, item.subject);
    if (isClosed(line.status)) {
      // Dealt with by somebody else, or by a host that died before it could tell.
      await store.write((tx) => settle(tx, { state: 'passed_over' }));
      return;
    }
    const result = await act(line, request, item.reason, by);
    await store.write(async (tx) => settle(tx, await outcomeOf(tx, request, result)));
  };
}

/** A run that was sent again decides at its end. */
async function outcomeOf(
  tx: Tx,
  { action }: BulkCaseRequest,
  result: GatedResult | null,
): Promise<BulkOutcome> {
  if (result === null) return { state: 'completed' };
  if (result.status === 'pending_approval') return { state: 'pending_approval' };
  const stuck = result.cancel?.stuck;
  if (stuck) return { state: 'failed', code: 'COMPENSATION_FAILED', message: stuck.reason };
  if (!SENT_AGAIN.has(action)) return { state: 'completed' };
  const { id, attempt } = await tx
    .selectFrom('run')
    .select(['id', 'attempt'])
    .where('id', '=', result.case.runId)
    .executeTakeFirstOrThrow();
  return { state: 'under_way', runId: id, attempt };
}
