import {
  type CanonicalId,
  canonicalJson,
  type DealDocument,
  type ErrorCode,
  entityOfId,
  fingerprint,
  type Instant,
  type JsonValue,
  newUlid,
  Q2cError,
} from '../model';
import { appendAudit, type Store } from '../store';
import { messageOf, openCaseOf } from './cases';
import type { RecordCorrection } from './correction-rows';
import { applied, type ProposedField, type RecordCorrections } from './corrections';
import {
  type Correction,
  type Decision,
  decisionOn,
  placeOf,
  type StepPlace,
  withCorrection,
} from './decisions';
import { eventOf } from './dispatcher';
import { holderOf, idOf } from './identity';
import { lookUp, otherContent } from './journal';
import { resultOf } from './journal-rows';
import { placeOfRow, stepByKey } from './repair';
import { requireRetriable, runById } from './rerun';
import { GivenUp, type Patience, persist } from './retry';
import { toRun } from './runs';
import { caseOf, noSuchRecord } from './step';
import { keysOf } from './step-keys';
import type { ActiveRun, FlowError, RunTracker } from './tracker';
import type {
  CallInfo,
  DispatchedRun,
  Failure,
  KeyHolder,
  NaturalKeyClaim,
  NewCase,
  NodeInfo,
  Reference,
  Run,
  Step,
  StepOutcome,
  StepResult,
} from './types';

/**
 * What a retry of a run would write, found out by sending its event through the flow without writing: reads and probes
 * are made, what the journal knows answers, and in place of a call stands what it would have given (docs/decisions/0011).
 */

export type Verdict =
  | 'would_create'
  | 'would_update'
  | 'would_adopt'
  | 'would_skip'
  | 'already_done'
  | 'blocked';

/** A step that writes, or whatever the run would stop at. */
export interface DryStep {
  verdict: Verdict;
  node: NodeInfo;
  canonicalId: CanonicalId;
  system?: string;
  operation?: string;
  /** What would be sent. Ids of records that do not exist yet are `PLACEHOLDER_ID`. */
  wire?: JsonValue;
  /** Of `blocked`: why, and the case that says so already. */
  code?: ErrorCode;
  message?: string;
  caseId?: CanonicalId | null;
}

/** A place where the passage ended, because what lies behind it may change something outside. */
export interface DryHalt {
  node: NodeInfo;
  type: string;
  /**
   * `run_lost`: the message came without its run, so what follows would be a run of its own. `waits`: what it would wait
   * for has not happened.
   */
  why: 'may_write' | 'run_lost' | 'waits';
}

export interface DryRunReport {
  runId: string;
  /** False when the passage was broken off, by a deploy or after its time. */
  isComplete: boolean;
  steps: DryStep[];
  /** Types of the business events that would be announced. */
  events: string[];
  halts: DryHalt[];
  /** Errors of other nodes that no Catch node took. */
  errors: { node: NodeInfo; message: string }[];
}

/** Stands for the target's id of a record that does not exist: a number to whoever expects one, and nobody's. */
export const PLACEHOLDER_ID = '000000000000000';

/** The run would stop here. Its case is in the report and not opened. */
export class DryRunBlocked extends Q2cError {
  constructor(
    code: ErrorCode,
    message: string,
    /** The case that is open already. */
    readonly caseId: CanonicalId | null,
  ) {
    super(code, message);
    this.name = 'DryRunBlocked';
  }
}

/** The messages of these passages may be lost: whoever waits for them is told what was seen so far. */
export function breakOff(tracker: RunTracker, which: (active: ActiveRun) => boolean): void {
  for (const { dry, errors } of tracker.interrupt((active) => active.dry !== null && which(active))) {
    dry?.finish(false, errors);
  }
}

/** A correction that somebody thinks of: of the case's failed step, or else of its record. */
export interface ProposedCorrection {
  caseId: CanonicalId;
  correction: Correction;
}

/** The same as the passage meets it. */
interface Proposal {
  fields: readonly ProposedField[];
  step: { place: StepPlace; correction: Correction } | null;
}

const NO_PROPOSAL: Proposal = { fields: [], step: null };

/** One passage of a run through the flow, for a look only. */
export class DryPassage {
  readonly steps: DryStep[] = [];
  readonly events: string[] = [];
  readonly halts: DryHalt[] = [];
  /** Canonical ids of records that were never seen before; forgotten with the passage. */
  readonly ids = new Map<string, CanonicalId>();
  private readonly end = Promise.withResolvers<DryRunReport>();

  /** @param run the run that would be retried, with the attempt that it would have */
  constructor(
    readonly run: Run,
    private readonly proposal: Proposal,
  ) {}

  /** The deal with the corrections that hold, and those that are proposed in their place. */
  corrected(read: DealDocument, holding: readonly RecordCorrection[]): DealDocument {
    const { fields } = this.proposal;
    const records = new Set(fields.map(({ record }) => record));
    // A proposal is all that would hold for its record.
    const left = holding.filter(({ record }) => !records.has(record));
    return applied<ProposedField>(read, [...left, ...fields]).deal;
  }

  /** What somebody would decide about a step, else what has been decided. */
  decisionOn(place: StepPlace, made: Decision | null): Decision | null {
    const { step } = this.proposal;
    const isProposed = step !== null && canonicalJson(step.place) === canonicalJson(place);
    return isProposed ? { kind: 'correct', correction: step.correction } : made;
  }

  get ended(): Promise<DryRunReport> {
    return this.end.promise;
  }

  finish(isComplete: boolean, errors: readonly FlowError[]): void {
    this.end.resolve({
      runId: this.run.id,
      isComplete,
      // Messages of a passage that was broken off may still move.
      steps: [...this.steps],
      events: [...this.events],
      halts: [...this.halts],
      errors: errors.filter(({ code }) => code === null).map(({ node, message }) => ({ node, message })),
    });
  }
}

export interface DryRunnerOptions extends Patience {
  store: Store;
  tenant: string;
  tracker: RunTracker;
  records: RecordCorrections;
  now(): Instant;
  /** Sends the run into its flow. @throws Q2cError `SOURCE_NOT_DEPLOYED` */
  send(active: ActiveRun, event: DispatchedRun['event']): void;
}

/** Longest that somebody waits for an answer. */
const TIME_LIMIT_MS = 60_000;

/** Sends failed runs through their flow for a look, and answers what they ask on the way. */
export class DryRunner {
  private readonly underWay = new Map<string, Promise<DryRunReport>>();

  constructor(private readonly options: DryRunnerOptions) {}

  /**
   * Nothing is written but a line of the audit. Asked twice at a time, it is done once.
   * @param proposed a correction that would be made before
   * @throws Q2cError `RUN_UNKNOWN`, `RUN_NOT_RETRIABLE`, `SOURCE_NOT_DEPLOYED`; those of the correction
   */
  run(runId: string, actor: string, proposed?: ProposedCorrection): Promise<DryRunReport> {
    const question = `${runId}|${fingerprint(proposed)}`;
    const known = this.underWay.get(question);
    if (known !== undefined) return known;
    const begun = this.pass(runId, actor, proposed).finally(() => this.underWay.delete(question));
    this.underWay.set(question, begun);
    return begun;
  }

  /** @throws Q2cError `CASE_UNKNOWN` for a case of another run; what `RecordCorrections.propose` throws */
  private async proposalOf(runId: string, proposed: ProposedCorrection | undefined): Promise<Proposal> {
    if (proposed === undefined) return NO_PROPOSAL;
    const { caseId, correction } = proposed;
    const { db } = this.options.store;
    const about = await db
      .selectFrom('exception_case')
      .select('step_key')
      .where('id', '=', caseId)
      .where('run_id', '=', runId)
      .executeTakeFirst();
    if (about === undefined) throw new Q2cError('CASE_UNKNOWN', `Run ${runId} has no case ${caseId}.`);
    if (about.step_key === null)
      return { fields: await this.options.records.propose(caseId, correction), step: null };
    const place = placeOfRow(await stepByKey(db, about.step_key));
    return { fields: [], step: { place, correction } };
  }

  private async pass(
    runId: string,
    actor: string,
    proposed: ProposedCorrection | undefined,
  ): Promise<DryRunReport> {
    const { store, tracker, now, send } = this.options;
    const row = await runById(store.db, runId);
    requireRetriable(row);
    const event = await eventOf(store.db, row);
    const run = { ...toRun(row), attempt: row.attempt + 1 };
    const passage = new DryPassage(run, await this.proposalOf(runId, proposed));
    const active = tracker.begin({ ...run, id: `dry_${newUlid()}` }, false, { dry: passage });
    const timer = setTimeout(() => breakOff(tracker, (each) => each === active), TIME_LIMIT_MS);
    try {
      send(active, event);
      const report = await passage.ended;
      await store.write((tx) =>
        appendAudit(tx, {
          at: now(),
          actor,
          action: 'run.dry_run',
          subject: row.correlation_id,
          runId,
          detail: { steps: report.steps.length, isComplete: report.isComplete },
        }),
      );
      return report;
    } finally {
      clearTimeout(timer);
      breakOff(tracker, (each) => each === active);
    }
  }

  /** @throws DryRunBlocked */
  async step(passage: DryPassage, planned: Step): Promise<StepOutcome> {
    const place = placeOf(passage.run, planned);
    const decision = passage.decisionOn(place, await decisionOn(this.options.store.db, place));
    const step = withCorrection(planned, decision);
    try {
      if (step.readOnly) return answer(await this.ask(step, (info) => step.call(step.wire, info)));
      const { verdict, result } = await this.judge(passage, step, decision);
      passage.steps.push({
        verdict,
        node: step.node,
        canonicalId: step.canonicalId,
        system: step.system,
        operation: step.operation,
        wire: step.wire,
      });
      return { ...result, origin: verdict === 'would_skip' ? 'skipped' : 'dry_run' };
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      throw await this.blocked(passage, caseOf(step, error.failure, null), step);
    }
  }

  /** @throws DryRunBlocked always */
  async fail(passage: DryPassage, requests: readonly NewCase[]): Promise<never> {
    const stops: DryRunBlocked[] = [];
    for (const request of requests) stops.push(await this.blocked(passage, request));
    throw stops[0] ?? new DryRunBlocked('NODE_FAILED', 'A node failed without saying why.', null);
  }

  async identify(
    { ids }: DryPassage,
    system: string,
    instance: string,
    references: readonly Reference[],
  ): Promise<CanonicalId[]> {
    const found: CanonicalId[] = [];
    for (const reference of references) {
      const record = [system, instance, reference.type, reference.id].join('|');
      const id = ids.get(record) ?? (await idOf(this.options.store.db, system, instance, reference)).id;
      ids.set(record, id);
      found.push(id);
    }
    return found;
  }

  async claim(claims: readonly NaturalKeyClaim[]): Promise<KeyHolder[]> {
    const { db } = this.options.store;
    const holders: KeyHolder[] = [];
    for (const claim of claims) holders.push((await holderOf(db, claim)) ?? claim);
    return holders;
  }

  private async judge(
    { run }: DryPassage,
    step: Step,
    decision: Decision | null,
  ): Promise<{ verdict: Verdict; result: StepResult }> {
    const { store, tenant } = this.options;
    const keys = keysOf(tenant, run, step);
    const { own, isDone, earlier } = await lookUp(store.db, run, step, keys);
    if (own !== undefined && isDone) return { verdict: 'already_done', result: resultOf(store.db, own) };
    const isSame = earlier?.fingerprint === keys.fingerprint;
    if (earlier?.state === 'confirmed' && isSame)
      return {
        verdict: 'already_done',
        result: resultOf(store.db, earlier),
      };
    if (decision?.kind === 'skip') return { verdict: 'would_skip', result: { refs: [] } };
    if (decision?.kind === 'complete') return this.adopt(step, decision.externalId);
    if (earlier?.state === 'confirmed') {
      if (!step.updates) throw refused(otherContent(step));
      return {
        verdict: 'would_update',
        result: resultOf(store.db, earlier),
      };
    }
    const found = await this.ask(step, async (info) => (await step.probe?.(step.wire, info)) ?? null);
    if (found === null)
      return { verdict: creates(step) ? 'would_create' : 'would_update', result: standIn(step) };
    if (step.updates) return { verdict: 'would_update', result: found.result };
    if (earlier !== undefined && !isSame) throw refused(otherContent(step));
    return { verdict: 'already_done', result: found.result };
  }

  private async adopt(step: Step, externalId: string): Promise<{ verdict: Verdict; result: StepResult }> {
    const found = await this.ask(
      step,
      async (info) => (await step.adopt?.(externalId, step.wire, info)) ?? null,
    );
    if (found === null) throw refused(noSuchRecord(step, externalId));
    return { verdict: 'would_adopt', result: found.result };
  }

  private ask<T>(step: Step, call: (info: CallInfo) => Promise<T>): Promise<T> {
    const info: CallInfo = {
      idempotencyKey: '',
      attempt: 1,
      signal: this.options.cancelling,
      lookOnly: true,
    };
    return persist(() => call(info), step.classify, this.options);
  }

  private async blocked(passage: DryPassage, request: NewCase, step?: Step): Promise<DryRunBlocked> {
    const caseId = await openCaseOf(this.options.store.db, passage.run, request);
    const message = messageOf(request);
    passage.steps.push({
      verdict: 'blocked',
      node: request.node,
      canonicalId: request.subject,
      ...(step === undefined ? {} : { system: step.system, operation: step.operation, wire: step.wire }),
      code: request.code,
      message,
      caseId,
    });
    return new DryRunBlocked(request.code, message, caseId);
  }
}

const answer = ({ result }: { result: StepResult }): StepOutcome => ({ ...result, origin: 'dry_run' });

const creates = ({ undo }: Step): boolean => undo !== 'none';

/** What the flow goes on with in place of a record that would be created. */
function standIn(step: Step): StepResult {
  const entity = entityOfId(step.canonicalId);
  if (!creates(step) || entity === undefined) return { refs: [] };
  const { system, instance, recordType: type } = step;
  return {
    refs: [
      { id: step.canonicalId, entity, ref: { system, instance, type, id: PLACEHOLDER_ID, role: 'copy' } },
    ],
  };
}

const refused = (failure: Failure): GivenUp => new GivenUp(failure, null);
