import {
  type CanonicalId,
  classifiedFields,
  type DealDocument,
  type EntityName,
  entityOfId,
  type Instant,
  type JsonObject,
  type JsonValue,
  MASK,
  newUlid,
  Q2cError,
} from '../model';
import { appendAudit, type CaseRow, lock, type Store, type Tx } from '../store';
import { ENGINE, recordOnCase } from './cases';
import {
  activeCorrections,
  documentOf,
  endCorrection,
  insertCorrection,
  type RecordCorrection,
} from './correction-rows';
import {
  changesBetween,
  type DealRecord,
  type FieldChange,
  fieldAt,
  isSame,
  recordIn,
  requireAllowed,
  withField,
  withRecord,
} from './correction-rules';
import { type Author, type Correction, mergePatch } from './decisions';
import { requireReason } from './repair';
import { requireRetriable, rerun, runById } from './rerun';
import type { Run } from './types';

/** What people put in place of fields that a check has refused, for as long as the master says the same as then. */

/** A correction that is applied without being stored: to see what it would do. */
export type ProposedField = Pick<RecordCorrection, 'record' | 'path' | 'before' | 'after'>;

/** A correction that is over, and what the master says now. */
export interface EndedCorrection {
  correction: RecordCorrection;
  as: 'fulfilled' | 'overruled';
  found: JsonValue;
}

/**
 * Puts corrections into the document as it was read. One ends when its field is neither as it was (it is then the
 * master's) nor waits for what was put there (it is then fulfilled).
 */
export function applied<C extends ProposedField>(
  read: DealDocument,
  corrections: readonly C[],
): { deal: DealDocument; ended: { correction: C; as: EndedCorrection['as']; found: JsonValue }[] } {
  const ended: { correction: C; as: EndedCorrection['as']; found: JsonValue }[] = [];
  let deal = read;
  for (const correction of corrections) {
    const record = recordIn(deal, correction.record);
    if (record === undefined) continue;
    const found = fieldAt(record, correction.path);
    if (isSame(found, correction.before)) {
      deal = withRecord(deal, withField(record, correction.path, correction.after));
    } else {
      ended.push({ correction, as: isSame(found, correction.after) ? 'fulfilled' : 'overruled', found });
    }
  }
  return { deal, ended };
}

/** A deal as a check of this run would see it, for a look only. */
export async function correctedDeal(tx: Tx, runId: string, read: DealDocument): Promise<DealDocument> {
  const { correlation_id } = await runById(tx, runId);
  return applied(read, await activeCorrections(tx, correlation_id)).deal;
}

/** A record that a check has refused, as the form of its correction shows it. */
export interface RecordInput {
  record: CanonicalId;
  entity: EntityName;
  /** Fields that would cure the case, with dots. */
  fields: string[];
  /** With the corrections that hold. */
  content: DealRecord;
}

export interface CorrectionsOptions {
  store: Store;
  now(): Instant;
  /** The runs of this source node may be dispatched. */
  pump(sourceNode: string): void;
}

/** What a correction amounts to, checked. */
interface Prepared {
  row: CaseRow;
  /** Fields in which the record is to differ from its master. */
  wanted: FieldChange[];
  /** Corrections of the record that hold now. */
  holding: RecordCorrection[];
}

/**
 * Methods throw Q2cError: `CASE_UNKNOWN`; `RECORD_NOT_KEPT` for a case that is not about the content of a record, or
 * whose run is gone; `CORRECTION_REFUSED` naming the field, what is wrong and what to do.
 */
export class RecordCorrections {
  constructor(private readonly options: CorrectionsOptions) {}

  /** What the form of a correction begins with. */
  async input(caseId: CanonicalId): Promise<RecordInput> {
    const { row, deal } = await this.subjectOf(this.options.store.db, caseId);
    return {
      record: row.subject,
      entity: entityNameOf(row.subject),
      fields: JSON.parse(row.fields ?? '[]') as string[],
      content: requireRecord(deal, row),
    };
  }

  /**
   * Corrects fields of the record that a case is about, and sends the failed run again at once. The same correction sent
   * twice counts once.
   * @param patch JSON merge patch (RFC 7396) on what `input` gives
   * @throws Q2cError also `REASON_MISSING`, `RUN_NOT_RETRIABLE`
   */
  async correct(caseId: CanonicalId, correction: Correction, author: Author): Promise<void> {
    requireReason(author);
    const source = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      // One after the other, whichever host they reach: the second of two equal ones must find the first.
      await lock(tx, `repair|${(await caseById(tx, caseId)).run_id}`);
      const prepared = await this.prepare(tx, caseId, correction);
      const { row } = prepared;
      const run = await runById(tx, row.run_id);
      const changed = await this.save(tx, prepared, author, at);
      if (!changed && run.state !== 'failed') return null;
      requireRetriable(run);
      if (!changed) throw refusedAsEqual();
      const detail = { reason: author.reason, record: row.subject, fields: prepared.wanted.map(pathOf) };
      await recordOnCase(tx, row.id, run.id, author.actor, { action: 'corrected', detail }, at);
      await rerun(tx, run, { ...author, reason: '' }, at);
      return run.source_node;
    });
    if (source !== null) this.options.pump(source);
  }

  /** What `correct` would store, without storing it. Throws as it. */
  async propose(
    caseId: CanonicalId,
    correction: Correction,
    tx: Tx = this.options.store.db,
  ): Promise<ProposedField[]> {
    const { row, wanted } = await this.prepare(tx, caseId, correction);
    return wanted.map((change) => ({ record: row.subject, ...change }));
  }

  private async prepare(tx: Tx, caseId: CanonicalId, correction: Correction): Promise<Prepared> {
    if (!('patch' in correction)) {
      throw new Q2cError(
        'CORRECTION_REFUSED',
        'A record is corrected field by field: send a merge patch with the fields that change.',
      );
    }
    const { row, read, deal, holding } = await this.subjectOf(tx, caseId);
    const before = requireRecord(deal, row);
    const after = mergePatch(before, correction.patch) as DealRecord;
    requireAllowed(deal, before, after);
    return { row, wanted: changesBetween(requireRecord(read, row), after), holding };
  }

  /** The case, the document as it was refused, and what of the record is corrected already. */
  private async subjectOf(tx: Tx, caseId: CanonicalId) {
    const row = await caseById(tx, caseId);
    const read = row.fields === null ? null : await documentOf(tx, row.run_id, row.node_id);
    if (read === null) throw notKept(row);
    const all = await activeCorrections(tx, row.correlation_id);
    const holding = all.filter(({ record }) => record === row.subject);
    return { row, read, deal: applied(read, all).deal, holding };
  }

  /** Makes what holds for the record be what is wanted. @returns whether anything is different now */
  private async save(
    tx: Tx,
    { row, wanted, holding }: Prepared,
    author: Author,
    at: Instant,
  ): Promise<boolean> {
    const isKept = (held: RecordCorrection) =>
      wanted.some(
        ({ path, before, after }) =>
          path === held.path && isSame(before, held.before) && isSame(after, held.after),
      );
    const over = holding.filter((held) => !isKept(held));
    const added = wanted.filter(({ path }) => !holding.some((held) => held.path === path && isKept(held)));
    for (const { id } of over) await endCorrection(tx, id, 'replaced', at);
    for (const change of added) {
      const id = `cor_${newUlid()}`;
      const { subject, run_id: runId, correlation_id } = row;
      const where = { id, record: subject, caseId: row.id, runId };
      await insertCorrection(tx, correlation_id, { ...where, ...change, ...author, at });
      await audit(tx, 'record.corrected', author.actor, where, change, { reason: author.reason }, at);
    }
    for (const held of over.filter(({ path }) => !added.some((each) => each.path === path))) {
      const back = { path: held.path, before: held.after, after: held.before };
      await audit(tx, 'record.correction_withdrawn', author.actor, held, back, { reason: author.reason }, at);
    }
    return over.length + added.length > 0;
  }
}

/** Notes that corrections are over, on their cases too. */
export async function endCorrections(
  tx: Tx,
  run: Run,
  ended: readonly EndedCorrection[],
  at: Instant,
): Promise<void> {
  for (const { correction, as, found } of ended) {
    if (!(await endCorrection(tx, correction.id, as, at))) continue;
    const { path, record, caseId } = correction;
    const change = { path, before: correction.after, after: found };
    await audit(tx, `record.correction_${as}`, ENGINE, { ...correction, runId: run.id }, change, {}, at);
    const isThere = await tx
      .selectFrom('exception_case')
      .select('id')
      .where('id', '=', caseId)
      .executeTakeFirst();
    if (isThere === undefined) continue;
    const note = { action: `correction_${as}`, detail: { record, field: path } };
    await recordOnCase(tx, caseId, run.id, ENGINE, note, at);
  }
}

/** The audit is kept for ever and readable: of a classified value it says that there was one. */
async function audit(
  tx: Tx,
  action: string,
  actor: string,
  where: Pick<RecordCorrection, 'id' | 'record' | 'caseId' | 'runId'>,
  { path, before, after }: FieldChange,
  more: JsonObject,
  at: Instant,
): Promise<void> {
  const fields = classifiedFields[entityNameOf(where.record)] ?? {};
  const shown = (value: JsonValue) => (value !== null && Object.hasOwn(fields, path) ? MASK : value);
  await appendAudit(tx, {
    at,
    actor,
    action,
    subject: where.record,
    runId: where.runId,
    detail: {
      correction: where.id,
      caseId: where.caseId,
      field: path,
      before: shown(before),
      after: shown(after),
      ...more,
    },
  });
}

const pathOf = ({ path }: FieldChange): string => path;

async function caseById(tx: Tx, id: CanonicalId): Promise<CaseRow> {
  const row = await tx.selectFrom('exception_case').selectAll().where('id', '=', id).executeTakeFirst();
  if (row !== undefined) return row;
  throw new Q2cError('CASE_UNKNOWN', `There is no case ${id}.`);
}

function requireRecord(deal: DealDocument, row: CaseRow): DealRecord {
  const record = recordIn(deal, row.subject);
  if (record === undefined) throw notKept(row);
  return record;
}

function entityNameOf(id: CanonicalId): EntityName {
  const entity = entityOfId(id);
  if (entity === undefined) throw new Error(`${id} is no canonical id.`);
  return entity;
}

const notKept = ({ id, node_name }: CaseRow): Q2cError =>
  new Q2cError(
    'RECORD_NOT_KEPT',
    `Case ${id} of “${node_name}” is not about fields of a record that could be corrected here. Correct it in its system, then retry.`,
  );

const refusedAsEqual = (): Q2cError =>
  new Q2cError('CORRECTION_REFUSED', 'The correction changes nothing. Change a field, or retry the run.');
