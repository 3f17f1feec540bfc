import type * as z from 'zod';
import type { Instant } from '../model';
import type { Store } from '../store';
import { type Page, type PageRequest, pageOf, placeOf } from './paging';
import type { auditLine } from './schemas/operations';

export interface AuditFilter {
  subject?: string | undefined;
  runId?: string | undefined;
  actor?: string | undefined;
  /** All of an action, or its beginning up to a point: `case.`. */
  action?: string | undefined;
  since?: Instant | undefined;
  before?: Instant | undefined;
}

/** Lines of the audit, newest first. */
export async function auditLines(
  { db }: Store,
  { subject, runId, actor, action, since, before }: AuditFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<z.output<typeof auditLine>>> {
  let query = db
    .selectFrom('audit')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (subject !== undefined) query = query.where('subject', '=', subject);
  if (runId !== undefined) query = query.where('run_id', '=', runId);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (action?.endsWith('.')) {
    query = query.where('action', 'like', `${action.replace(/[%_]/g, '')}%`);
  } else if (action !== undefined) query = query.where('action', '=', action);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (before !== undefined) query = query.where('at', '<', before);
  const place = placeOf(cursor, 1);
  if (place !== null) query = query.where('seq', '<', Number(place[0]));
  return pageOf(
    await query.execute(),
    limit,
    ({ seq }) => [seq],
    (row) => ({
      seq: row.seq,
      at: row.at,
      actor: row.actor,
      action: row.action,
      subject: row.subject,
      runId: row.run_id,
      detail: JSON.parse(row.detail),
      hash: row.hash,
    }),
  );
}
