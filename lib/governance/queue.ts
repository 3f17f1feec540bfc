import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { Q2cError } from '../model';
import type { CaseState, Schema, Tx } from '../store';
import { linesOf } from './rows';
import type { CaseFilter, CaseLine, CaseSort, Page, PageRequest } from './types';

/** The queue: open cases by role and what else, page by page. */

type CaseQuery<O> = SelectQueryBuilder<Schema, 'exception_case', O>;

const MAX_LIMIT = 500;

/** No time runs out: behind all that do. */
const NEVER = '9999';
const SEVERITY_RANK = sql<number>`case severity when 'critical' then 0 when 'error' then 1 else 2 end`;

/** By what each sort goes, in which direction; ties go by id. */
const SORTS: Record<CaseSort, { by: RawBuilder<string | number>; direction: 'asc' | 'desc' }> = {
  due: { by: sql<string>`coalesce(sla_due_at, ${sql.lit(NEVER)})`, direction: 'asc' },
  amount: { by: sql<number>`coalesce(amount_whole, -1)`, direction: 'desc' },
  opened: { by: sql<string>`opened_at`, direction: 'asc' },
  updated: { by: sql<string>`updated_at`, direction: 'desc' },
  severity: { by: SEVERITY_RANK, direction: 'asc' },
};

/** @throws Q2cError `VALUE_INVALID` for a limit out of range, or a cursor of another query */
export async function readQueue(
  tx: Tx,
  filter: CaseFilter,
  sort: CaseSort,
  { limit, cursor }: PageRequest,
): Promise<Page<CaseLine>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new Q2cError('VALUE_INVALID', `limit is ${limit}; give a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const { by, direction } = SORTS[sort];
  let query = filtered(tx.selectFrom('exception_case').select('id').select(by.as('rank')), filter)
    .orderBy(by, direction)
    .orderBy('id', direction)
    .limit(limit + 1);
  if (cursor !== undefined) {
    const after = readCursor(cursor, sort);
    const beyond = sql.raw(direction === 'asc' ? '>' : '<');
    query = query.where(
      sql<boolean>`(${by} ${beyond} ${after.rank} or (${by} = ${after.rank} and id ${beyond} ${after.id}))`,
    );
  }
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: await linesOf(
      tx,
      page.map(({ id }) => id),
    ),
    next: rows.length > limit && last !== undefined ? writeCursor(sort, last) : null,
  };
}

export function filtered<O>(query: CaseQuery<O>, filter: CaseFilter): CaseQuery<O> {
  const { status = 'open', snoozed = false } = filter;
  const closed = [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')];
  let found = query;
  if (status === 'open') found = found.where('state', 'not in', closed);
  else if (status === 'closed') found = found.where('state', 'in', closed);
  else if (status !== 'all') found = found.where('state', 'in', status);
  if (status === 'open' && snoozed !== 'any') {
    found = found.where('snoozed_until', snoozed ? 'is not' : 'is', null);
  }
  for (const [column, values] of [
    ['owner_role', filter.ownerRoles],
    ['code', filter.codes],
    ['severity', filter.severities],
    ['node_id', filter.nodeIds],
  ] as const) {
    if (values !== undefined) found = found.where(column, 'in', values.length === 0 ? [''] : values);
  }
  for (const [column, value] of [
    ['system', filter.system],
    ['entity', filter.entity],
    ['legal_entity', filter.legalEntity],
    ['region', filter.region],
    ['cause', filter.cause],
    ['correlation_id', filter.correlationId],
    ['run_id', filter.runId],
  ] as const) {
    if (value !== undefined) found = found.where(column, '=', value);
  }
  if (filter.assignee === null) found = found.where('assignee', 'is', null);
  else if (filter.assignee !== undefined) found = found.where('assignee', '=', filter.assignee);
  if (filter.breached !== undefined) {
    found = found.where('sla_breached_at', filter.breached ? 'is not' : 'is', null);
  }
  if (filter.openedSince !== undefined) found = found.where('opened_at', '>=', filter.openedSince);
  if (filter.openedBefore !== undefined) found = found.where('opened_at', '<', filter.openedBefore);
  return found;
}

interface Place {
  id: string;
  rank: string | number;
}

const writeCursor = (sort: CaseSort, { rank, id }: Place): string =>
  Buffer.from(JSON.stringify([sort, rank, id])).toString('base64url');

function readCursor(cursor: string, sort: CaseSort): Place {
  const invalid = () =>
    new Q2cError('VALUE_INVALID', 'The cursor is not one of this query. Begin at the first page.');
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalid();
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw invalid();
  const [of, rank, id] = parts as unknown[];
  const isRank = typeof rank === 'string' || typeof rank === 'number';
  if (of !== sort || !isRank || typeof id !== 'string') throw invalid();
  return { rank, id };
}
