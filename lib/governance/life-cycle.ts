import { sql, type Updateable } from 'kysely';
import { ENGINE, recordOnCase } from '../engine';
import {
  type GuardResults,
  type Instant,
  instantSchema,
  type JsonObject,
  type JsonValue,
  Q2cError,
  roles,
  transition,
} from '../model';
import {
  type CaseRow,
  type CaseState,
  type CaseTable,
  type RunState,
  type Store,
  skipLocked,
  type Tx,
} from '../store';
import type { Policies } from './policies';
import { onBreach, severityOf, worse } from './routing';
import {
  isClosed,
  lineById,
  lockedCase,
  requireOwner,
  requireUnsettled,
  requireVersion,
  routedOf,
} from './rows';
import type { CaseLine, Person } from './types';

/** What people do with cases short of changing records: who deals with them, until when they rest, how far they are. */

/** Columns that people change, by what the history calls them. */
const FIELDS = {
  state: 'status',
  assignee: 'assignee',
  owner_role: 'ownerRole',
  severity: 'severity',
  snoozed_until: 'snoozedUntil',
  escalations: 'escalations',
  sla_breached_at: 'slaBreachedAt',
} as const;

type Changed = Pick<Updateable<CaseTable>, keyof typeof FIELDS>;

export interface Change {
  /** Past tense, for history and audit. */
  action: string;
  set: Changed;
  detail?: JsonObject;
}

/** Changes a case in a transaction, with what was before and after in history and audit. */
export async function applyChange(
  tx: Tx,
  row: CaseRow,
  { action, set, detail }: Change,
  actor: string,
  at: Instant,
): Promise<void> {
  const columns = (Object.keys(set) as (keyof typeof FIELDS)[]).filter((name) => set[name] !== row[name]);
  const named = (values: { [C in keyof typeof FIELDS]?: JsonValue | undefined }): JsonObject =>
    Object.fromEntries(columns.map((name) => [FIELDS[name], values[name] ?? null]));
  await tx
    .updateTable('exception_case')
    .set({
      ...set,
      ...(set.state !== undefined && isClosed(set.state) ? { resolved_at: at, snoozed_until: null } : {}),
      version: row.version + 1,
      updated_at: at,
    })
    .where('id', '=', row.id)
    .execute();
  const difference = columns.length === 0 ? {} : { before: named(row), after: named(set) };
  const note = {
    action,
    detail: { ...difference, ...detail },
    changed: columns.map((name) => FIELDS[name]),
  };
  await recordOnCase(tx, row.id, row.run_id, actor, note, at);
}

/** The state after each of the steps, all of which must be legal. @throws Q2cError `ILLEGAL_TRANSITION` */
export const walk = (from: CaseState, path: readonly CaseState[], guards: GuardResults = {}): CaseState =>
  path.reduce<CaseState>((state, to) => transition('exceptionCase.status', state, to, guards), from);

/** Runs of which nothing is left to do. */
const SETTLED: readonly RunState[] = ['completed', 'superseded', 'cancelled'];

export class LifeCycle {
  constructor(
    private readonly store: Store,
    private readonly policies: Policies,
  ) {}

  async assign(caseId: string, assignee: string | null, by: Person, version?: number): Promise<CaseLine> {
    const name = assignee?.trim() ?? null;
    if (name === '') throw new Q2cError('VALUE_INVALID', 'Name the person, or nobody (null).');
    return this.change(caseId, by, version, async (row) => ({
      action: name === null ? 'unassigned' : 'assigned',
      set: {
        assignee: name,
        ...(name !== null && row.state === 'open' ? { state: walk(row.state, ['assigned']) } : {}),
      },
    }));
  }

  /** Everybody who may see a case may say something about it. */
  async comment(caseId: string, text: string, by: Person): Promise<CaseLine> {
    if (text.trim() === '') throw new Q2cError('VALUE_INVALID', 'The comment is empty.');
    return this.store.write(async (tx) => {
      const row = await lockedCase(tx, caseId);
      const change = { action: 'commented', set: {}, detail: { comment: text.trim() } };
      await applyChange(tx, row, change, by.name, this.store.now());
      return lineById(tx, row.id);
    });
  }

  /** Out of the queue until then. The SLA goes on: what rests can still be late. */
  async snooze(
    caseId: string,
    until: Instant,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<CaseLine> {
    const parsed = instantSchema.safeParse(until);
    if (!parsed.success || until <= this.store.now()) {
      throw new Q2cError(
        'VALUE_INVALID',
        `"${until}" is not a moment in the future, in UTC with milliseconds.`,
      );
    }
    return this.change(caseId, by, version, async () => ({
      action: 'snoozed',
      set: { snoozed_until: until },
      detail: { reason },
    }));
  }

  unsnooze(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.change(caseId, by, version, async () => ({
      action: 'unsnoozed',
      set: { snoozed_until: null },
    }));
  }

  /** @throws Q2cError `VALUE_INVALID` when nobody says to whom, or it is theirs already */
  async escalate(
    caseId: string,
    to: string | undefined,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<CaseLine> {
    requireWords(reason);
    return this.change(caseId, by, version, async (row) => {
      const role = to ?? this.breachOf(row).escalateTo;
      if (role === undefined || !roles.some((known) => known === role) || role === row.owner_role) {
        throw new Q2cError(
          'VALUE_INVALID',
          `Say which other role is to own case ${row.id}: ${roles.filter((known) => known !== row.owner_role).join(', ')}.`,
        );
      }
      return {
        action: 'escalated',
        set: { owner_role: role, assignee: null, snoozed_until: null, escalations: row.escalations + 1 },
        detail: { reason },
      };
    });
  }

  /** Whoever begins with the repair of an open case takes it. */
  startRepair(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.change(caseId, by, version, async (row) => {
      // Only the failure of a replay leads from there back to the repair.
      const path: CaseState[] = row.state === 'assigned' ? ['in_repair'] : ['assigned', 'in_repair'];
      return {
        action: 'repair_started',
        set: { state: walk(row.state, path), assignee: row.assignee ?? by.name, snoozed_until: null },
      };
    });
  }

  readyToReplay(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.change(caseId, by, version, async (row) => ({
      action: 'ready_to_replay',
      set: { state: walk(row.state, ['ready_to_replay']) },
    }));
  }

  /**
   * @throws Q2cError `CASE_NOT_SETTLED` while its run is not through: to close it then is to waive it, which may take
   *   two
   */
  async resolve(caseId: string, reason: string, by: Person, version?: number): Promise<CaseLine> {
    requireWords(reason);
    return this.change(caseId, by, version, async (row, tx) => {
      const run = await tx.selectFrom('run').select('state').where('id', '=', row.run_id).executeTakeFirst();
      if (run !== undefined && !SETTLED.includes(run.state)) {
        throw new Q2cError(
          'CASE_NOT_SETTLED',
          `The run of case ${row.id} is ${run.state}. Retry it, or waive the case with a reason.`,
        );
      }
      return { action: 'resolved', set: { state: walk(row.state, ['resolved']) }, detail: { reason } };
    });
  }

  /** The time of these cases is over, or their rest. @returns how many it was */
  async sweep(limit: number): Promise<number> {
    return this.store.write(async (tx) => {
      const at = this.store.now();
      const late = await dueCases(tx, at, limit);
      for (const row of late) await applyChange(tx, row, this.breach(row, at), ENGINE, at);
      const rested = await restedCases(tx, at, limit);
      for (const row of rested) {
        await applyChange(tx, row, { action: 'unsnoozed', set: { snoozed_until: null } }, ENGINE, at);
      }
      return late.length + rested.length;
    });
  }

  private breach(row: CaseRow, at: Instant): Change {
    const { severity = 'warning', escalateTo } = this.breachOf(row);
    const isEscalated = escalateTo !== undefined && escalateTo !== row.owner_role;
    return {
      action: 'sla_breached',
      set: {
        sla_breached_at: at,
        severity: worse(row.severity, severity),
        ...(isEscalated
          ? { owner_role: escalateTo, assignee: null, snoozed_until: null, escalations: row.escalations + 1 }
          : {}),
      },
      detail: { slaDue: row.sla_due_at },
    };
  }

  private breachOf(row: CaseRow): ReturnType<typeof onBreach> {
    const { policy } = this.policies.find(row.policy_version);
    return onBreach(policy, routedOf(row), severityOf(row.severity));
  }

  private change(
    caseId: string,
    by: Person,
    version: number | undefined,
    changeOf: (row: CaseRow, tx: Tx) => Promise<Change>,
  ): Promise<CaseLine> {
    return this.store.write(async (tx) => {
      const row = await lockedCase(tx, caseId);
      requireOwner(row, by);
      requireVersion(row, version);
      requireUnsettled(row);
      await applyChange(tx, row, await changeOf(row, tx), by.name, this.store.now());
      return lineById(tx, row.id);
    });
  }
}

/** @throws Q2cError `REASON_MISSING` */
export function requireWords(reason: string): void {
  if (reason.trim() === '')
    throw new Q2cError('REASON_MISSING', 'Say why: the reason is kept for the audit.');
}

function dueCases(tx: Tx, at: Instant, limit: number): Promise<CaseRow[]> {
  const due = tx
    .selectFrom('exception_case')
    .selectAll('exception_case')
    .where('sla_due_at', '<=', at)
    .where('sla_breached_at', 'is', null)
    .where('state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')])
    .limit(limit);
  return skipLocked(tx, 'exception_case', due).execute();
}

function restedCases(tx: Tx, at: Instant, limit: number): Promise<CaseRow[]> {
  const rested = tx
    .selectFrom('exception_case')
    .selectAll('exception_case')
    .where('snoozed_until', '<=', at)
    .limit(limit);
  return skipLocked(tx, 'exception_case', rested).execute();
}
