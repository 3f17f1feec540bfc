import { hash } from 'node:crypto';
import type { Instant, JsonObject } from '../model';
import { prepared } from './prepared';
import type { AuditRow } from './schema';
import type { Store, Tx } from './store';

/** Hash that stands before the first line. */
const GENESIS = '0'.repeat(64);

export interface AuditEntry {
  at: Instant;
  /** User name, or `engine` for what happened by itself. */
  actor: string;
  /** Verb phrase such as `step.confirmed`, `case.opened`. */
  action: string;
  subject: string;
  runId: string | null;
  detail: JsonObject;
}

const selectLast = prepared<Record<string, never>, { hash: string }>((db) =>
  db.selectFrom('audit').select('hash').orderBy('seq', 'desc').limit(1),
);

/** Hash of the last line that a transaction has appended: the next line of the same transaction need not look it up. */
const heads = new WeakMap<Tx, string>();

type NewLine = Omit<AuditRow, 'seq'>;

const insertLine = prepared<{ [Field in keyof NewLine]: NewLine[Field] }>((db, value) =>
  db.insertInto('audit').values({
    at: value.at,
    actor: value.actor,
    action: value.action,
    subject: value.subject,
    run_id: value.run_id,
    detail: value.detail,
    prev_hash: value.prev_hash,
    hash: value.hash,
  }),
);

/** Appends a line to the chain, within the transaction that makes the fact true. */
export async function appendAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  const last = heads.get(tx) ?? (await selectLast(tx, {}))[0]?.hash ?? GENESIS;
  const line = {
    at: entry.at,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    run_id: entry.runId,
    detail: JSON.stringify(entry.detail),
    prev_hash: last,
  };
  const head = hashOf(line);
  await insertLine(tx, { ...line, hash: head });
  heads.set(tx, head);
}

export interface AuditCheck {
  /** Lines that fit, from the first one on. */
  lines: number;
  /** Number of the first line that does not fit; null = the chain is intact. */
  brokenAt: number | null;
  /** Hash of the last line that fits. Noted elsewhere, it also shows whether lines were cut off at the end. */
  head: string;
}

/** @returns the number of the first line of the chain that does not fit, or null when the chain is intact. */
export async function verifyAudit({ db }: Pick<Store, 'db'>): Promise<number | null> {
  return (await checkAudit(db)).brokenAt;
}

/** Recomputes the chain from its first line. */
export async function checkAudit(db: Store['db']): Promise<AuditCheck> {
  let head = GENESIS;
  let lines = 0;
  for (let after = 0; ; ) {
    const page = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(500)
      .execute();
    for (const row of page) {
      if (row.prev_hash !== head || row.hash !== hashOf(row)) return { lines, brokenAt: row.seq, head };
      head = row.hash;
      after = row.seq;
      lines++;
    }
    if (page.length < 500) return { lines, brokenAt: null, head };
  }
}

function hashOf(row: Omit<AuditRow, 'seq' | 'hash'>): string {
  return hash(
    'sha256',
    [row.prev_hash, row.at, row.actor, row.action, row.subject, row.run_id ?? '', row.detail].join('\n'),
  );
}
