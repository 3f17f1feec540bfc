import type { CanonicalId, DealDocument, Instant, JsonObject, JsonValue } from '../model';
import { open, type RecordCorrectionRow, seal, type Tx } from '../store';
import { type FieldChange, withField } from './correction-rules';
import type { Run } from './types';

/** Corrections of records, and the documents that they were made on, as rows. */

export interface RecordCorrection extends FieldChange {
  id: string;
  /** Canonical id of the record. */
  record: CanonicalId;
  caseId: CanonicalId;
  runId: string;
  actor: string;
  reason: string;
  at: Instant;
  /** Null = it holds. */
  endedAt: Instant | null;
  endedAs: RecordCorrectionRow['ended_as'];
}

/**
 * A correction for pages. Values stand where they stand in the record, so that whoever masks finds what is classified.
 */
export interface CorrectionView extends Omit<RecordCorrection, 'before' | 'after'> {
  before: JsonObject;
  after: JsonObject;
}

const viewOf = (correction: RecordCorrection): CorrectionView => {
  const { record, path, before, after } = correction;
  const part = (value: JsonValue) => withField<JsonObject>({ id: record }, path, value);
  return { ...correction, before: part(before), after: part(after) };
};

/** All corrections of a deal for pages, oldest first. */
export async function correctionViews(tx: Tx, correlationId: CanonicalId): Promise<CorrectionView[]> {
  return (await correctionsOf(tx, correlationId)).map(viewOf);
}

/** All corrections of a deal, oldest first. */
export async function correctionsOf(tx: Tx, correlationId: CanonicalId): Promise<RecordCorrection[]> {
  const rows = await tx
    .selectFrom('record_correction')
    .selectAll()
    .where('correlation_id', '=', correlationId)
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map((row) => correctionOf(tx, row));
}

/** Those of a deal that hold. */
export async function activeCorrections(tx: Tx, correlationId: CanonicalId): Promise<RecordCorrection[]> {
  const rows = await tx
    .selectFrom('record_correction')
    .selectAll()
    .where('correlation_id', '=', correlationId)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => correctionOf(tx, row));
}

function correctionOf(tx: Tx, row: RecordCorrectionRow): RecordCorrection {
  const { before, after } = JSON.parse(open(tx, 'record_correction', 'content', row)) as {
    before: JsonValue;
    after: JsonValue;
  };
  return {
    id: row.id,
    record: row.canonical_id,
    path: row.path,
    before,
    after,
    caseId: row.case_id,
    runId: row.run_id,
    actor: row.actor,
    reason: row.reason,
    at: row.at,
    endedAt: row.ended_at,
    endedAs: row.ended_as,
  };
}

export async function insertCorrection(
  tx: Tx,
  correlationId: CanonicalId,
  correction: Omit<RecordCorrection, 'endedAt' | 'endedAs'>,
): Promise<void> {
  const { id, record, path, before, after, caseId, runId, actor, reason, at } = correction;
  await tx
    .insertInto('record_correction')
    .values({
      id,
      correlation_id: correlationId,
      canonical_id: record,
      path,
      content: seal(tx, 'record_correction', 'content', { id }, JSON.stringify({ before, after })),
      case_id: caseId,
      run_id: runId,
      actor,
      reason,
      at,
      ended_at: null,
      ended_as: null,
    })
    .execute();
}

/** @returns false when it has ended before */
export async function endCorrection(
  tx: Tx,
  id: string,
  as: NonNullable<RecordCorrection['endedAs']>,
  at: Instant,
): Promise<boolean> {
  const ended = await tx
    .updateTable('record_correction')
    .set({ ended_at: at, ended_as: as })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return ended !== undefined;
}

const documentKey = (runId: string, nodeId: string): string => `${runId}:${nodeId}`;

/** Keeps the document that a node has refused, in place of what it refused before. */
export async function keepDocument(
  tx: Tx,
  run: Pick<Run, 'id'>,
  nodeId: string,
  deal: DealDocument,
  at: Instant,
): Promise<void> {
  const key = documentKey(run.id, nodeId);
  const values = { content: seal(tx, 'checked_document', 'content', { key }, JSON.stringify(deal)), at };
  await tx
    .insertInto('checked_document')
    .values({ key, run_id: run.id, ...values })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
    .execute();
}

/** The document as a node has refused it last; null when it has refused none. */
export async function documentOf(tx: Tx, runId: string, nodeId: string): Promise<DealDocument | null> {
  const row = await tx
    .selectFrom('checked_document')
    .selectAll()
    .where('key', '=', documentKey(runId, nodeId))
    .executeTakeFirst();
  return row === undefined
    ? null
    : (JSON.parse(open(tx, 'checked_document', 'content', row)) as DealDocument);
}
