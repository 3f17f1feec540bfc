import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Instant, JsonObject } from '../model';
import { isShared, lock } from './locks';
import { prepared } from './prepared';
import { sideBySide } from './side-by-side';
import type { Store, Tx } from './store';
import type { AuditRow } from './tables/observed';
import { beforeCommit } from './transaction-end';

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
  db.selectFrom('audit').select('hash').orderBy('seq', 'desc').limit(sql.lit(1)),
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

/** Lines of a transaction that wait for its end. */
const waiting = new WeakMap<Tx, AuditEntry[]>();

/**
 * Appends a line to the chain, within the transaction that makes the fact true. Hosts append one after another, for two
 * would go on from the same line; that they wait for each other as shortly as can be, the server appends the lines of a
 * transaction together, right before it commits.
 */
export async function appendAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  if (!isShared(tx)) {
    const head = heads.get(tx) ?? (await headOf(tx));
    const line = lineOf(entry, head);
    await insertLine(tx, line);
    heads.set(tx, line.hash);
    return;
  }
  const known = waiting.get(tx);
  if (known !== undefined) {
    known.push(entry);
    return;
  }
  const entries = [entry];
  waiting.set(tx, entries);
  beforeCommit(tx, async () => {
    await sideBySide([lock(tx, 'audit'), appendOnServer(tx, entries)]);
  });
}

/** The chain of lines as the server makes it (`auditHash`): it alone knows the last line once it has the lock. */
const insertChained = prepared<Record<keyof AuditEntry | 'genesis', unknown>>(
  (_, value) => sql`
      with recursive line as (
        select * from unnest(
          ${value.at}::text[], ${value.actor}::text[], ${value.action}::text[],
          ${value.subject}::text[], ${value.runId}::text[], ${value.detail}::text[]
        ) with ordinality as line (at, actor, action, subject, run_id, detail, number)
      ), chained as (
        select 0::bigint as number, null::text as prev_hash,
          coalesce((select hash from audit order by seq desc limit 1), ${value.genesis}::text) as hash
        union all
        select line.number, chained.hash, encode(sha256(convert_to(concat_ws(E'\n',
          chained.hash, at, actor, action, subject, coalesce(run_id, ''), detail), 'UTF8')), 'hex')
        from chained join line on line.number = chained.number + 1
      )
      insert into audit (at, actor, action, subject, run_id, detail, prev_hash, hash)
      select at, actor, action, subject, run_id, detail, prev_hash, hash
      from chained join line using (number) order by number`,
);

async function appendOnServer(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  const all = <F extends keyof AuditEntry>(field: F) => entries.map((entry) => entry[field]);
  await insertChained(tx, {
    at: all('at'),
    actor: all('actor'),
    action: all('action'),
    subject: all('subject'),
    runId: all('runId'),
    detail: entries.map(({ detail }) => JSON.stringify(detail)),
    genesis: GENESIS,
  });
}

async function headOf(tx: Tx): Promise<string> {
  return (await selectLast(tx, {}))[0]?.hash ?? GENESIS;
}

function lineOf(entry: AuditEntry, before: string): NewLine {
  const line = {
    at: entry.at,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    run_id: entry.runId,
    detail: JSON.stringify(entry.detail),
    prev_hash: before,
  };
  return { ...line, hash: auditHash(line) };
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

/**
 * Recomputes the chain from its first line.
 * @param onLines is shown the lines that fit, page by page
 */
export async function checkAudit(
  db: Store['db'],
  onLines: (lines: readonly AuditRow[]) => void = () => undefined,
): Promise<AuditCheck> {
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
    for (const [index, row] of page.entries()) {
      if (row.prev_hash !== head || row.hash !== auditHash(row)) {
        onLines(page.slice(0, index));
        return { lines, brokenAt: row.seq, head };
      }
      head = row.hash;
      after = row.seq;
      lines++;
    }
    onLines(page);
    // A read of SQLite does not leave the event loop to others by itself.
    await setImmediate();
    if (page.length < 500) return { lines, brokenAt: null, head };
  }
}

/** Hash of a line and of all before it, which `prev_hash` stands for. */
export function auditHash(row: Omit<AuditRow, 'seq' | 'hash'>): string {
  return hash(
    'sha256',
    [row.prev_hash, row.at, row.actor, row.action, row.subject, row.run_id ?? '', row.detail].join('\n'),
  );
}
