import { sql } from 'kysely';
import type { Author, CancelReport, Engine } from '../engine';
import { Q2cError } from '../model';
import type { CaseRow, CaseState, Tx } from '../store';
import { agree, type Decided, requestApproval, settle } from './approvals';
import { applyChange, requireWords, walk } from './life-cycle';
import type { Policies } from './policies';
import { secondPersonReason } from './routing';
import {
  lineById,
  lockedCase,
  mayAct,
  requireOwner,
  requireUnsettled,
  requireVersion,
  routedOf,
} from './rows';
import type { Approval, GatedRequest, GatedResult, Person } from './types';

/** Repairs, waivers and cancels: done at once, or stored until a second person agrees (guides §13). */
export class GatedActions {
  constructor(
    private readonly engine: Engine,
    private readonly policies: Policies,
  ) {}

  async act(
    caseId: string,
    request: GatedRequest,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<GatedResult> {
    requireWords(reason);
    const { store } = this.engine;
    const { row, approval } = await store.write(async (tx) => {
      const found = await lockedCase(tx, caseId);
      requireOwner(found, by);
      requireVersion(found, version);
      await this.requirePossible(tx, found, request);
      return { row: found, approval: await this.askIfNeeded(tx, found, named(found, request), reason, by) };
    });
    if (approval !== null) return this.pending(row, approval);
    return this.perform(row, request, { actor: by.name, reason });
  }

  /** Whatever cases the run has: one that needs a second person holds it back. */
  async actOnRun(
    runId: string,
    request: Extract<GatedRequest, { action: 'retry' | 'cancel' }>,
    reason: string,
    by: Person,
  ): Promise<GatedResult | { status: 'done'; case: null; cancel?: CancelReport }> {
    requireWords(reason);
    const rows = await openCasesOf(this.engine.store.db, runId);
    const [first] = rows;
    if (first === undefined)
      return { ...(await this.onRun(runId, request, { actor: by.name, reason })), case: null };
    const own = rows.find((row) => mayAct(row, by));
    requireOwner(own ?? first, by);
    const gate = rows.find((row) => this.whySecond(row, request) !== null);
    if (gate === undefined) return this.perform(first, request, { actor: by.name, reason });
    const approval = await this.engine.store.write(async (tx) =>
      this.askIfNeeded(tx, await lockedCase(tx, gate.id), request, reason, by),
    );
    if (approval === null) return this.perform(gate, request, { actor: by.name, reason });
    return this.pending(gate, approval);
  }

  /** Whether a person may retry the run alone: all its open cases are theirs, and none needs a second person. */
  async mayRetryAlone(tx: Tx, runId: string, by: Person): Promise<boolean> {
    const rows = await openCasesOf(tx, runId);
    return rows.every((row) => mayAct(row, by) && this.whySecond(row, { action: 'retry' }) === null);
  }

  /**
   * A second person agrees, and it is done, in the name of who asked for it.
   * @throws Q2cError of the action itself; the approval has then failed, and says why
   */
  async approve(approvalId: string, note: string, by: Person): Promise<GatedResult> {
    const { store } = this.engine;
    const { row, approval } = await agree(store, approvalId, note, by);
    try {
      const done = await this.perform(row, approval.request, authorOf({ row, approval }));
      await store.write((tx) => settle(tx, approvalId, 'done', null));
      return { ...done, case: await lineById(store.db, row.id) };
    } catch (error) {
      // A host that stops has not found out anything about the action: it may be agreed on again.
      if (!(error instanceof Q2cError) || error.code === 'ENGINE_STOPPING') throw error;
      await store.write((tx) => settle(tx, approvalId, 'failed', error.message));
      throw error;
    }
  }

  /** Why a second person is needed; null when none is. */
  whySecond(row: CaseRow, { action }: GatedRequest): string | null {
    const { policy } = this.policies.find(row.policy_version);
    return secondPersonReason(policy, action, routedOf(row));
  }

  /** Nothing is stored for a second person that could not be done. */
  private async requirePossible(tx: Tx, row: CaseRow, request: GatedRequest): Promise<void> {
    requireUnsettled(row);
    switch (request.action) {
      case 'waive':
        walk(row.state, ['waived'], { waiverAuthorised: true });
        break;
      case 'correct':
        if (row.step_key === null) await this.engine.repairs.records.propose(row.id, request.correction, tx);
        break;
      case 'complete':
      case 'skip':
        stepOf(row);
        break;
    }
  }

  private async askIfNeeded(
    tx: Tx,
    row: CaseRow,
    request: GatedRequest,
    reason: string,
    by: Person,
  ): Promise<Approval | null> {
    const because = this.whySecond(row, request);
    if (because === null) return null;
    const policyVersion = this.policies.find(row.policy_version).version;
    const wanted = { request, because, policyVersion, reason, requestedBy: by.name };
    return requestApproval(tx, row, wanted, this.engine.store.now());
  }

  private async pending(row: CaseRow, approval: Approval): Promise<GatedResult> {
    return { status: 'pending_approval', case: await lineById(this.engine.store.db, row.id), approval };
  }

  private async perform(row: CaseRow, request: GatedRequest, author: Author): Promise<GatedResult> {
    const { steps, records } = this.engine.repairs;
    let cancel: CancelReport | undefined;
    switch (request.action) {
      case 'retry':
      case 'cancel':
        ({ cancel } = await this.onRun(row.run_id, request, author));
        break;
      case 'correct':
        if (row.step_key === null) await records.correct(row.id, request.correction, author);
        else await steps.correct(row.step_key, request.correction, author);
        break;
      case 'complete':
        await steps.complete(stepOf(row), request.externalId, author);
        break;
      case 'skip':
        await steps.skip(stepOf(row), author);
        break;
      case 'waive':
        await this.waive(row.id, author);
        break;
    }
    const done = await lineById(this.engine.store.db, row.id);
    return { status: 'done', case: done, ...(cancel === undefined ? {} : { cancel }) };
  }

  private async onRun(
    runId: string,
    { action }: Extract<GatedRequest, { action: 'retry' | 'cancel' }>,
    author: Author,
  ): Promise<{ status: 'done'; cancel?: CancelReport }> {
    if (action === 'cancel') {
      return { status: 'done', cancel: await this.engine.repairs.cancellations.cancel(runId, author) };
    }
    await this.engine.retryRun(runId, author.actor, author.reason);
    return { status: 'done' };
  }

  /** The firm lives with it. A run of which nothing is open any more is not retried by itself either. */
  private async waive(caseId: string, { actor, reason }: Author): Promise<void> {
    const { store } = this.engine;
    await store.write(async (tx) => {
      const row = await lockedCase(tx, caseId);
      const state = walk(row.state, ['waived'], { waiverAuthorised: true });
      const change = { action: 'waived', set: { state }, detail: { reason } };
      await applyChange(tx, row, change, actor, store.now());
      const open = await tx
        .selectFrom('exception_case')
        .select('id')
        .where('run_id', '=', row.run_id)
        .where('state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')])
        .executeTakeFirst();
      if (open !== undefined) return;
      await tx
        .updateTable('run')
        .set({ retry_at: null })
        .where('id', '=', row.run_id)
        .where('state', '=', 'failed')
        .execute();
    });
  }
}

const openCasesOf = (tx: Tx, runId: string): Promise<CaseRow[]> =>
  tx
    .selectFrom('exception_case')
    .selectAll()
    .where('run_id', '=', runId)
    .where('state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')])
    .orderBy('opened_at')
    .execute();

/** A correction of a record that is stored says of which one: whoever masks it must know what its fields are. */
function named(row: CaseRow, request: GatedRequest): GatedRequest {
  if (request.action !== 'correct' || row.step_key !== null || !('patch' in request.correction))
    return request;
  const { patch } = request.correction;
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return request;
  return { action: 'correct', correction: { patch: { id: row.subject, ...patch } } };
}

/** @throws Q2cError `STEP_UNKNOWN` for a case that no call has raised */
function stepOf({ id, node_name, step_key }: CaseRow): string {
  if (step_key !== null) return step_key;
  throw new Q2cError(
    'STEP_UNKNOWN',
    `Case ${id} was raised by “${node_name}”, not by a call that could be made by hand or left out. Correct the record, then retry.`,
  );
}

const authorOf = ({ approval }: Decided): Author => ({
  actor: approval.requestedBy,
  reason: `${approval.reason} (approved by ${approval.decidedBy ?? ''})`,
});
