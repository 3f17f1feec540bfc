import { hash } from 'node:crypto';
import type { CanonicalId, Instant } from '../model';
import { type AuditRow, auditHash, type CaseRow, checkAudit, open, type Store } from '../store';

/**
 * All that shows how a deal went, for an auditor: what came in, what was done in which system and with what result, who
 * decided what, and the lines of the audit with their hashes. Of payloads it holds digests only.
 */
export interface EvidencePack {
  format: 'q2c.evidence.v1';
  generatedAt: Instant;
  generatedBy: string;
  deal: { correlationId: CanonicalId; title: string };
  events: EventEvidence[];
  runs: RunEvidence[];
  records: RecordEvidence[];
  cases: CaseEvidence[];
  /** Lines about the deal, each as the chain holds it. */
  audit: AuditRow[];
  /** The whole chain at the time: whether it was intact, how long it was, and the hash it ended with. */
  chain: { intact: boolean; lines: number; brokenAt: number | null; head: string };
  /** SHA-256 of everything above as JSON. */
  digest: string;
}

export interface EventEvidence {
  source: string;
  id: string;
  type: string;
  time: Instant;
  receivedAt: Instant;
  duplicates: number;
  disposition: string;
  /** SHA-256 of the data. */
  dataDigest: string;
}

export interface RunEvidence {
  id: string;
  state: string;
  attempt: number;
  createdAt: Instant;
  endedAt: Instant | null;
  steps: StepEvidence[];
  decisions: {
    kind: string;
    operation: string;
    record: string;
    actor: string;
    reason: string;
    at: Instant;
  }[];
}

export interface StepEvidence {
  node: string;
  system: string;
  instance: string;
  operation: string;
  record: CanonicalId;
  state: string;
  origin: string | null;
  calls: number;
  probes: number;
  /** SHA-256 of what was sent. */
  fingerprint: string;
  idempotencyKey: string;
  startedAt: Instant;
  endedAt: Instant | null;
  errorCode: string | null;
}

export interface RecordEvidence {
  record: CanonicalId;
  entity: string;
  system: string;
  instance: string;
  type: string;
  externalId: string;
  since: Instant;
}

export interface CaseEvidence {
  id: CanonicalId;
  code: string;
  message: string;
  ownerRole: string;
  state: string;
  amountAtRisk: string | null;
  currency: string | null;
  openedAt: Instant;
  resolvedAt: Instant | null;
  history: { at: Instant; actor: string; action: string }[];
}

export interface EvidenceOptions {
  actor: string;
  at: Instant;
  /** Takes out of the message of a case what whoever asks may not see, before the digest is made. */
  redact?: (text: string) => string;
}

/**
 * Gathers the evidence of a deal. Reads the whole audit to say whether the chain is intact, a page at a time.
 * @returns null when there is no such deal
 */
export async function evidenceOf(
  store: Pick<Store, 'db'>,
  correlationId: CanonicalId,
  { actor, at, redact = (text) => text }: EvidenceOptions,
): Promise<EvidencePack | null> {
  const { db } = store;
  const runRows = await db
    .selectFrom('run')
    .selectAll()
    .where('correlation_id', '=', correlationId)
    .orderBy('seq')
    .execute();
  const [first] = runRows;
  if (first === undefined) return null;
  const runs = await Promise.all(runRows.map((run) => runEvidence(store, run)));
  const cases = await casesOf(store, correlationId, redact);
  const known = new Set<string>([correlationId, ...runs.map(({ id }) => id), ...cases.map(({ id }) => id)]);
  const audit: AuditRow[] = [];
  const { brokenAt, lines, head } = await checkAudit(db, (page) => {
    for (const line of page) if (known.has(line.subject) || known.has(line.run_id ?? '')) audit.push(line);
  });
  const pack = {
    format: 'q2c.evidence.v1' as const,
    generatedAt: at,
    generatedBy: actor,
    deal: { correlationId, title: first.title },
    events: await eventsOf(
      store,
      runRows.flatMap(({ event_seq }) => event_seq ?? []),
    ),
    runs,
    records: await recordsOf(store, [
      correlationId,
      ...runs.flatMap(({ steps }) => steps.map(({ record }) => record)),
    ]),
    cases,
    audit,
    chain: { intact: brokenAt === null, lines, brokenAt, head },
  };
  return { ...pack, digest: digestOf(pack) };
}

const digestOf = (pack: Omit<EvidencePack, 'digest'>): string => hash('sha256', JSON.stringify(pack));

async function runEvidence(
  { db }: Pick<Store, 'db'>,
  run: { id: string; state: string; attempt: number; created_at: Instant; ended_at: Instant | null },
): Promise<RunEvidence> {
  const steps = await db
    .selectFrom('step')
    .select([
      ...([
        'node_name as node',
        'system',
        'instance',
        'operation',
        'canonical_id as record',
        'state',
      ] as const),
      ...(['origin', 'calls', 'probes', 'fingerprint', 'idempotency_key as idempotencyKey'] as const),
      ...(['started_at as startedAt', 'ended_at as endedAt', 'error_code as errorCode'] as const),
    ])
    .where('run_id', '=', run.id)
    .orderBy('seq')
    .execute();
  const decisions = await db
    .selectFrom('step_decision')
    .select(['kind', 'operation', 'canonical_id as record', 'actor', 'reason', 'at'])
    .where('run_id', '=', run.id)
    .orderBy('at')
    .execute();
  const { id, state, attempt, created_at: createdAt, ended_at: endedAt } = run;
  return { id, state, attempt, createdAt, endedAt, steps, decisions };
}

async function eventsOf({ db }: Pick<Store, 'db'>, seqs: readonly number[]): Promise<EventEvidence[]> {
  if (seqs.length === 0) return [];
  const rows = await db.selectFrom('event').selectAll().where('seq', 'in', seqs).orderBy('seq').execute();
  return rows.map((row) => ({
    source: row.source,
    id: row.event_id,
    type: row.type,
    time: row.time,
    receivedAt: row.received_at,
    duplicates: row.duplicates,
    disposition: row.disposition,
    dataDigest: hash('sha256', open(db, 'event', 'data', row)),
  }));
}

async function recordsOf({ db }: Pick<Store, 'db'>, ids: readonly CanonicalId[]): Promise<RecordEvidence[]> {
  return db
    .selectFrom('xref')
    .select([
      ...(['canonical_id as record', 'entity', 'system', 'instance', 'type'] as const),
      ...(['external_id as externalId', 'created_at as since'] as const),
    ])
    .where('canonical_id', 'in', [...new Set(ids)])
    .orderBy('created_at')
    .orderBy('system')
    .execute();
}

async function casesOf(
  { db }: Pick<Store, 'db'>,
  correlationId: CanonicalId,
  redact: (text: string) => string,
): Promise<CaseEvidence[]> {
  const runIds = db.selectFrom('run').select('id').where('correlation_id', '=', correlationId);
  const rows = await db
    .selectFrom('exception_case')
    .selectAll()
    // By run, which has an index for cases of any state.
    .where('run_id', 'in', runIds)
    .orderBy('opened_at')
    .orderBy('id')
    .execute();
  const cases = await Promise.all(rows.map((row) => caseEvidence(db, row)));
  return cases.map((each) => ({ ...each, message: redact(each.message) }));
}

async function caseEvidence(db: Store['db'], row: CaseRow): Promise<CaseEvidence> {
  const history = await db
    .selectFrom('case_history')
    .select(['at', 'actor', 'action'])
    .where('case_id', '=', row.id)
    .orderBy('seq')
    .execute();
  return {
    id: row.id,
    code: row.code,
    message: open(db, 'exception_case', 'message', row),
    ownerRole: row.owner_role,
    state: row.state,
    amountAtRisk: row.amount_at_risk,
    currency: row.currency,
    openedAt: row.opened_at,
    resolvedAt: row.resolved_at,
    history,
  };
}

/** Whether a value read from a file says that it is a pack; whether it was changed is for `verifyEvidence` to say. */
export const isEvidence = (value: unknown): value is EvidencePack =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  value.format === 'q2c.evidence.v1' &&
  'audit' in value &&
  Array.isArray(value.audit);

export interface EvidenceCheck {
  intact: boolean;
  /** What does not fit, in plain words. */
  problems: string[];
}

/**
 * Checks that a pack is as it was made: its digest, and the hash of each line of the audit.
 * @param db the store that it was made from: then its lines must also still be in the chain
 */
export async function verifyEvidence(pack: EvidencePack, db?: Store['db']): Promise<EvidenceCheck> {
  const { digest, ...content } = pack;
  const problems = digest === digestOf(content) ? [] : ['the pack was changed after it was made'];
  if (!pack.chain.intact)
    problems.push(`the chain was broken at line ${pack.chain.brokenAt} when it was made`);
  for (const line of pack.audit) {
    if (line.hash !== auditHash(line)) problems.push(`line ${line.seq} of the audit does not fit its hash`);
  }
  if (db !== undefined) problems.push(...(await missingLines(db, pack)));
  return { intact: problems.length === 0, problems };
}

async function missingLines(db: Store['db'], { audit, chain }: EvidencePack): Promise<string[]> {
  const missing = new Map(audit.map((line) => [line.seq, line.hash]));
  let hasHead = chain.lines === 0;
  const { brokenAt } = await checkAudit(db, (page) => {
    for (const line of page) {
      if (missing.get(line.seq) === line.hash) missing.delete(line.seq);
      hasHead ||= line.hash === chain.head;
    }
  });
  return [
    ...[...missing.keys()].map((seq) => `line ${seq} is not in the audit of the store`),
    ...(hasHead ? [] : ['the line that the audit ended with is not in the store any more']),
    ...(brokenAt === null ? [] : [`the audit of the store is broken at line ${brokenAt}`]),
  ];
}
