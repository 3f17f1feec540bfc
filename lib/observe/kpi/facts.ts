import { entityOfId, type Instant, todayIn } from '../../model';
import {
  type CaseRow,
  type EventRow,
  type KpiSourceTable,
  prepared,
  type RunRow,
  type StepRow,
  type StepState,
  type Tx,
} from '../../store';
import { entityOf, isBilling, isProject, isWrite, tierOf } from './tiers';
import type { ZoneOf } from './zones';

/** What is counted (guides §14). */
export type Kpi =
  /** From the acceptance of a deal to its first `project.provisioned`. */
  | 'project_setup'
  /** A write with an outcome; a write is one journaled step. */
  | 'write_attempted'
  /** With the time from the change in the source to the confirmation of the target. */
  | 'write_confirmed'
  /**
   * Something that would have been done twice: `event`, delivered again; `lost_reply`, a record that a probe found in the
   * target; `earlier_run`; `natural_key`, a record that another one's key belongs to.
   */
  | 'duplicate_prevented'
  | 'case_opened'
  /** With the time from its opening. */
  | 'case_resolved';

/** One thing that is counted on one day. */
export interface Fact {
  day: string;
  kpi: Kpi;
  legalEntity: string;
  tier: string;
  system: string;
  subject: string;
  count: number;
  /** Milliseconds, of what takes time. */
  ms?: number;
}

/** What is counted of a run, a case or a deal, and how to know that it has changed. */
export type Source = Omit<KpiSourceTable, 'facts'> & { facts: Fact[] };

type Where = Pick<Fact, 'legalEntity' | 'tier' | 'system' | 'subject'>;

/** Writes that have come to an outcome. What is only intended belongs to a run that has not ended, or to a case. */
const OUTCOMES: ReadonlySet<StepState> = new Set([
  'confirmed',
  'undone',
  'rejected',
  'unknown',
  'failed',
  'skipped',
]);

type CountedStep = Pick<
  StepRow,
  'system' | 'operation' | 'state' | 'origin' | 'started_at' | 'ended_at' | 'undoes'
>;

type CountedEvent = Pick<EventRow, 'time' | 'received_at' | 'duplicates' | 'subject'>;

const selectEvent = prepared<{ seq: number }, CountedEvent>((db, value) =>
  db
    .selectFrom('event')
    .select(['time', 'received_at', 'duplicates', 'subject'])
    .where('seq', '=', value.seq),
);

const selectSteps = prepared<{ run: string }, CountedStep>((db, value) =>
  db
    .selectFrom('step')
    .select(['system', 'operation', 'state', 'origin', 'started_at', 'ended_at', 'undoes'])
    .where('run_id', '=', value.run)
    .orderBy('seq'),
);

export async function sourceOfRun(tx: Tx, run: RunRow, zoneOf: ZoneOf): Promise<Source> {
  const [event] = run.event_seq === null ? [] : await selectEvent(tx, { seq: run.event_seq });
  const steps = await selectSteps(tx, { run: run.id });
  const made = steps.filter(({ state, undoes }) => state === 'confirmed' && undoes === null);
  return {
    id: run.id,
    stamp: stampOfRun(run),
    correlation_id: run.correlation_id,
    event_seq: run.event_seq,
    is_undecided: steps.some(({ state }) => state === 'intent' || state === 'unknown') ? 1 : 0,
    has_project: made.some(({ operation }) => isProject(operation)) ? 1 : 0,
    has_billing: made.some(({ operation }) => isBilling(operation)) ? 1 : 0,
    facts: [
      ...(event === undefined ? [] : duplicateEvents(event, run, zoneOf)),
      ...steps.flatMap((step) => factsOfStep(step, run, event, zoneOf)),
    ],
  };
}

const stampOfRun = ({ ended_at, attempt }: Pick<RunRow, 'ended_at' | 'attempt'>): string =>
  `${ended_at}|${attempt}`;

function duplicateEvents(
  event: Pick<EventRow, 'received_at' | 'duplicates' | 'subject'>,
  { legal_entity }: RunRow,
  zoneOf: ZoneOf,
): Fact[] {
  if (event.duplicates === 0) return [];
  const where = {
    legalEntity: legal_entity ?? '',
    tier: tierOf(entityOfId(event.subject) ?? ''),
    system: '',
  };
  const day = todayIn(zoneOf(legal_entity), event.received_at);
  return [{ day, kpi: 'duplicate_prevented', ...where, subject: 'event', count: event.duplicates }];
}

function factsOfStep(
  step: CountedStep,
  { legal_entity }: RunRow,
  event: Pick<EventRow, 'time'> | undefined,
  zoneOf: ZoneOf,
): Fact[] {
  const { system, operation, state, origin, undoes } = step;
  if (undoes !== null || !isWrite(operation) || !OUTCOMES.has(state)) return [];
  const endedAt = step.ended_at ?? step.started_at;
  const day = todayIn(zoneOf(legal_entity), endedAt);
  const where: Where = {
    legalEntity: legal_entity ?? '',
    tier: tierOf(entityOf(operation)),
    system,
    subject: operation,
  };
  const isConfirmed = state === 'confirmed' || state === 'undone';
  const kind = !isConfirmed
    ? null
    : origin === 'probe'
      ? 'lost_reply'
      : origin === 'earlier_run'
        ? origin
        : null;
  const latency = event === undefined ? {} : { ms: elapsed(event.time, endedAt) };
  return [
    { day, kpi: 'write_attempted', ...where, count: 1 },
    ...(isConfirmed ? [{ day, kpi: 'write_confirmed' as const, ...where, count: 1, ...latency }] : []),
    ...(kind === null
      ? []
      : [{ day, kpi: 'duplicate_prevented' as const, ...where, subject: kind, count: 1 }]),
  ];
}

export type CountedCase = Pick<
  CaseRow,
  'id' | 'code' | 'state' | 'subject' | 'opened_at' | 'resolved_at' | 'updated_at'
> & { system: string | null; operation: string | null; legal_entity: string | null };

export function sourceOfCase(row: CountedCase, zoneOf: ZoneOf): Source {
  const entity = row.operation === null ? entityOfId(row.subject) : entityOf(row.operation);
  const where: Where = {
    legalEntity: row.legal_entity ?? '',
    tier: tierOf(entity ?? ''),
    system: row.system ?? '',
    subject: row.code,
  };
  const dayOf = (at: Instant) => todayIn(zoneOf(row.legal_entity), at);
  const opened: Fact[] = [{ day: dayOf(row.opened_at), kpi: 'case_opened', ...where, count: 1 }];
  if (row.code === 'DUPLICATE_SUSPECTED') {
    opened.push({
      day: dayOf(row.opened_at),
      kpi: 'duplicate_prevented',
      ...where,
      subject: 'natural_key',
      count: 1,
    });
  }
  const at = row.state === 'resolved' ? row.resolved_at : null;
  return {
    ...plain(row.id, row.updated_at),
    facts:
      at === null
        ? opened
        : [
            ...opened,
            { day: dayOf(at), kpi: 'case_resolved', ...where, count: 1, ms: elapsed(row.opened_at, at) },
          ],
  };
}

export const setupIdOf = (correlationId: string): string => `setup:${correlationId}`;

const selectDeal = prepared<
  { correlationId: string },
  { accepted_at: Instant | null; legal_entity: string | null }
>((db, value) =>
  db
    .selectFrom('run')
    .select((run) => [
      run.fn.min('created_at').as('accepted_at'),
      run.fn.max('legal_entity').as('legal_entity'),
    ])
    .where('correlation_id', '=', value.correlationId),
);

/**
 * Set-up of the project of a deal.
 * @param provisionedAt time of the first event that told so
 * @returns null when no run of the deal is there any more
 */
export async function sourceOfSetup(
  tx: Tx,
  correlationId: string,
  provisionedAt: Instant,
  zoneOf: ZoneOf,
): Promise<Source | null> {
  const [deal] = await selectDeal(tx, { correlationId });
  if (deal === undefined || deal.accepted_at === null) return null;
  const fact: Fact = {
    day: todayIn(zoneOf(deal.legal_entity), provisionedAt),
    kpi: 'project_setup',
    legalEntity: deal.legal_entity ?? '',
    tier: tierOf('project'),
    system: '',
    subject: '',
    count: 1,
    ms: elapsed(deal.accepted_at, provisionedAt),
  };
  return { ...plain(setupIdOf(correlationId), provisionedAt), facts: [fact] };
}

const plain = (id: string, stamp: string): Omit<Source, 'facts'> => ({
  id,
  stamp,
  correlation_id: null,
  event_seq: null,
  is_undecided: 0,
  has_project: 0,
  has_billing: 0,
});

/** Clocks of two systems differ: what seems to take less than no time took none. */
const elapsed = (from: Instant, to: Instant): number => Math.max(0, Date.parse(to) - Date.parse(from));
