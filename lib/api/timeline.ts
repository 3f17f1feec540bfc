import type { CaseRow, RunRow, StepRow, Store, SuspensionRow } from '../store';
import { open } from '../store';
import type { TimelineEntry } from './schemas/deals';

/** What happened to a deal, over all its runs and systems, in order of time. */

export interface Happened {
  runs: readonly RunRow[];
  steps: readonly StepRow[];
  waits: readonly SuspensionRow[];
  cases: readonly CaseRow[];
}

const NOTHING = { system: null, state: null, actor: null, message: null, durationMs: null };

export async function timelineOf(
  store: Store,
  { runs, steps, waits, cases }: Happened,
): Promise<TimelineEntry[]> {
  const entries = [
    ...(await eventsOf(store, runs)),
    ...runs.flatMap(ofRun),
    ...steps.map((step) => ofStep(store, step)),
    ...waits.flatMap(ofWait),
    ...(await ofCases(store, cases)),
    ...(await decisionsOf(store, runs)),
  ];
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

async function eventsOf({ db }: Store, runs: readonly RunRow[]): Promise<TimelineEntry[]> {
  const runOf = new Map(runs.flatMap((run) => (run.event_seq === null ? [] : [[run.event_seq, run.id]])));
  if (runOf.size === 0) return [];
  const rows = await db
    .selectFrom('event')
    .select(['seq', 'event_id', 'type', 'received_at', 'disposition'])
    .where('seq', 'in', [...runOf.keys()])
    .execute();
  return rows.map((row) => ({
    ...NOTHING,
    at: row.received_at,
    kind: 'event_received',
    runId: runOf.get(row.seq) ?? null,
    subject: row.event_id,
    what: row.type,
    state: row.disposition,
  }));
}

function ofRun(run: RunRow): TimelineEntry[] {
  const about = { ...NOTHING, runId: run.id, subject: run.id };
  const began: TimelineEntry[] =
    run.started_at === null
      ? []
      : [{ ...about, at: run.started_at, kind: 'run_started', what: `attempt ${run.attempt}` }];
  return run.ended_at === null
    ? began
    : [...began, { ...about, at: run.ended_at, kind: 'run_ended', what: run.state, state: run.state }];
}

function ofStep(store: Store, step: StepRow): TimelineEntry {
  return {
    at: step.ended_at ?? step.started_at,
    kind: 'step',
    runId: step.run_id,
    system: step.system,
    subject: step.key,
    what: step.operation,
    state: step.state,
    actor: null,
    message: open(store.db, 'step', 'error_message', step),
    durationMs: step.duration_ms,
  };
}

function ofWait(wait: SuspensionRow): TimelineEntry[] {
  const about = { ...NOTHING, runId: wait.run_id, subject: wait.match_key, what: wait.event };
  const began: TimelineEntry = { ...about, at: wait.created_at, kind: 'wait_began' };
  return wait.ended_at === null
    ? [began]
    : [began, { ...about, at: wait.ended_at, kind: 'wait_ended', state: wait.state }];
}

async function ofCases(store: Store, cases: readonly CaseRow[]): Promise<TimelineEntry[]> {
  if (cases.length === 0) return [];
  const caseOf = new Map(cases.map((row) => [row.id, row]));
  const history = await store.db
    .selectFrom('case_history')
    .select(['case_id', 'at', 'actor', 'action'])
    .where('case_id', 'in', [...caseOf.keys()])
    .orderBy('seq')
    .execute();
  return history.map((line) => {
    const row = caseOf.get(line.case_id);
    const isOpened = line.action === 'opened' || line.action === 'reopened';
    return {
      ...NOTHING,
      at: line.at,
      kind: isOpened ? 'case_opened' : 'case_changed',
      runId: row?.run_id ?? null,
      subject: line.case_id,
      what: row?.code ?? '',
      state: line.action,
      actor: line.actor,
      message: isOpened && row !== undefined ? open(store.db, 'exception_case', 'message', row) : null,
    };
  });
}

async function decisionsOf({ db }: Store, runs: readonly RunRow[]): Promise<TimelineEntry[]> {
  const rows = await db
    .selectFrom('step_decision')
    .select(['run_id', 'operation', 'canonical_id', 'kind', 'reason', 'actor', 'at'])
    .where(
      'run_id',
      'in',
      runs.map(({ id }) => id),
    )
    .execute();
  return rows.map((row) => ({
    ...NOTHING,
    at: row.at,
    kind: 'decision',
    runId: row.run_id,
    subject: row.canonical_id,
    what: row.operation,
    state: row.kind,
    actor: row.actor,
    message: row.reason,
  }));
}
