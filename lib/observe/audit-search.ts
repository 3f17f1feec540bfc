import { sql } from 'kysely';
import type { Instant } from '../model';
import type { AuditRow, Store } from '../store';

/**
 * Search in the audit, newest lines first. The audit has no index beside its order: every confirmed step appends a line,
 * and an index would cost each of them. So a search reads stretches of it, and one request no more than `READ_AT_MOST`.
 */

const STRETCH = 5_000;
const READ_AT_MOST = 100_000;

export interface AuditFilter {
  /** Canonical id, case, run, or whatever the line is about. */
  subject?: string;
  actor?: string;
  /** The action, or its beginning up to a dot: `case.` finds all that happened to cases. */
  action?: string;
  runId?: string;
  /** Inclusive. */
  since?: Instant;
  /** Exclusive. */
  before?: Instant;
}

export interface AuditLine {
  seq: number;
  at: Instant;
  actor: string;
  action: string;
  subject: string;
  runId: string | null;
  detail: unknown;
  hash: string;
}

export interface AuditPage {
  lines: AuditLine[];
  /** Where to go on; null = there is no more. A page may be short, or empty, and still have more. */
  next: number | null;
}

/**
 * @param options.limit lines at most
 * @param options.after `next` of the page before
 */
export async function searchAudit(
  store: Pick<Store, 'db'>,
  filter: AuditFilter,
  { limit, after }: { limit: number; after?: number },
): Promise<AuditPage> {
  const { db } = store;
  const oldest = filter.since === undefined ? 0 : await lineSince(db, filter.since);
  let before =
    after ?? (filter.before === undefined ? Number.MAX_SAFE_INTEGER : await lineSince(db, filter.before));
  before = Math.min(before, (await lastLine(db)) + 1);
  const floor = Math.max(oldest, before - READ_AT_MOST);
  const found: AuditLine[] = [];
  while (before > floor) {
    const from = Math.max(floor, before - STRETCH);
    const rows = await stretch(db, filter, from, before, limit - found.length);
    found.push(...rows.map(lineOf));
    if (found.length === limit) return { lines: found, next: found.at(-1)?.seq ?? null };
    before = from;
  }
  return { lines: found, next: before > oldest && before > 1 ? before : null };
}

function stretch(
  db: Store['db'],
  { subject, actor, action, runId }: AuditFilter,
  from: number,
  before: number,
  limit: number,
): Promise<AuditRow[]> {
  let query = db.selectFrom('audit').selectAll().where('seq', '>=', from).where('seq', '<', before);
  if (subject !== undefined) query = query.where('subject', '=', subject);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (runId !== undefined) query = query.where('run_id', '=', runId);
  // Not a range: what sorts after what depends on the database.
  if (action?.endsWith('.')) query = query.where(sql`substr(action, 1, ${action.length})`, '=', action);
  else if (action !== undefined) query = query.where('action', '=', action);
  return query.orderBy('seq', 'desc').limit(limit).execute();
}

async function lastLine(db: Store['db']): Promise<number> {
  const row = await db.selectFrom('audit').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

/** Number of the first line since an instant, found by halving: later lines have later times. */
async function lineSince(db: Store['db'], at: Instant): Promise<number> {
  let low = 1;
  let high = (await lastLine(db)) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await db
      .selectFrom('audit')
      .select('at')
      .where('seq', '>=', middle)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined && row.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function lineOf({ seq, at, actor, action, subject, run_id, detail, hash }: AuditRow): AuditLine {
  return { seq, at, actor, action, subject, runId: run_id, detail: JSON.parse(detail) as unknown, hash };
}
