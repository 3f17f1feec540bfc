import { type AliasableExpression, type Kysely, sql } from 'kysely';
import { add, type CanonicalId, type Instant } from '../../model';
import type { CaseState, RunState, Schema, Store } from '../../store';
import { setupIdOf } from './facts';

/** Open exceptions of one process: what kind, in which system, and whose. */
export interface OpenExceptions {
  code: string;
  ownerRole: string;
  /** Empty where the case is not about a system. */
  system: string;
  legalEntity: string;
  count: number;
  oldestAt: Instant;
  /** Amounts at risk by currency. A deal with two cases counts with both: each of them holds all of it up. */
  atRisk: Record<string, string>;
}

const ENDED_CASES = [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')];

/** Cases that wait for somebody at the moment, the most frequent kind first. */
export async function openExceptions(
  { db }: Pick<Store, 'db'>,
  { legalEntity }: { legalEntity?: string } = {},
): Promise<OpenExceptions[]> {
  let query = db
    .selectFrom('exception_case as open')
    .leftJoin('run', 'run.id', 'open.run_id')
    .select([
      ...([
        'open.code',
        'open.owner_role',
        'open.opened_at',
        'open.amount_at_risk',
        'open.currency',
      ] as const),
      ...(['open.system', 'run.legal_entity'] as const),
    ])
    // Literals: SQLite uses the partial index only for the very condition it was made with.
    .where('open.state', 'not in', ENDED_CASES);
  if (legalEntity !== undefined) query = query.where('run.legal_entity', '=', legalEntity);

  const kinds = new Map<string, OpenExceptions>();
  for (const row of await query.execute()) {
    const key = { code: row.code, ownerRole: row.owner_role };
    const where = { system: row.system ?? '', legalEntity: row.legal_entity ?? '' };
    const name = JSON.stringify([key, where]);
    const kind = kinds.get(name) ?? { ...key, ...where, count: 0, oldestAt: row.opened_at, atRisk: {} };
    kind.count++;
    if (row.opened_at < kind.oldestAt) kind.oldestAt = row.opened_at;
    if (row.amount_at_risk !== null && row.currency !== null) {
      kind.atRisk[row.currency] = add(kind.atRisk[row.currency] ?? '0', row.amount_at_risk);
    }
    kinds.set(name, kind);
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count || (a.oldestAt < b.oldestAt ? -1 : 1));
}

/** A deal that somebody should look after. */
export interface WorkItem {
  correlationId: CanonicalId;
  title: string;
  since: Instant;
  /** State of its latest run. */
  state: RunState;
}

/**
 * Work lists (guides §14). `awaiting_project`: deals that were accepted and have neither come through nor a project yet.
 * `without_billing`: deals whose project was made, and nothing to bill by.
 */
export const workLists = ['awaiting_project', 'without_billing'] as const;
export type WorkList = (typeof workLists)[number];

/** Where a page of a work list has ended. */
export type WorkPlace = Pick<WorkItem, 'since' | 'correlationId'>;

/** @returns the oldest first, one per deal, with how many there are in all, and where the next page begins */
export async function workList(
  { db }: Pick<Store, 'db'>,
  list: WorkList,
  limit: number,
  after: WorkPlace | null = null,
): Promise<{ total: number; items: WorkItem[]; next: WorkPlace | null }> {
  // All of them: to count them takes as long as to read them.
  const rows = await dealsOn(db, list).orderBy('since').orderBy('correlation_id').execute();
  const from = after === null ? 0 : rows.findIndex((row) => isAfter(row, after));
  const page = from < 0 ? [] : rows.slice(from, from + limit);
  const last = page.at(-1);
  const items = await Promise.all(page.map(({ correlation_id, since }) => itemOf(db, correlation_id, since)));
  return {
    total: rows.length,
    items: items.flatMap((item) => item ?? []),
    next:
      last === undefined || last === rows.at(-1)
        ? null
        : { since: last.since, correlationId: last.correlation_id },
  };
}

/** How many deals are on each list. */
export async function countWork({ db }: Pick<Store, 'db'>): Promise<{ list: WorkList; total: number }[]> {
  return Promise.all(
    workLists.map(async (list) => {
      const { total } = await db
        .selectFrom(dealsOn(db, list).as('deal'))
        .select((deal) => deal.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      return { list, total: Number(total) };
    }),
  );
}

const dealsOn = (db: Kysely<Schema>, list: WorkList) =>
  list === 'awaiting_project' ? awaitingProject(db) : withoutBilling(db);

const isAfter = (row: { since: Instant; correlation_id: CanonicalId }, place: WorkPlace): boolean =>
  row.since === place.since ? row.correlation_id > place.correlationId : row.since > place.since;

const UNSETTLED = ['queued', 'running', 'cancelling', 'waiting', 'parked', 'failed'] as const;

/** Each state has an index of its own that holds no other runs. */
function awaitingProject(db: Kysely<Schema>) {
  const runsIn = (state: RunState) =>
    db
      .selectFrom('run')
      .innerJoin('event', 'event.seq', 'run.event_seq')
      .select(['run.correlation_id', 'run.created_at'])
      .where('run.state', '=', sql.lit(state))
      .where('event.type', 'in', ['q2c.opportunity.won.v1', 'q2c.deal.accepted.v1'])
      .where((row) =>
        row.not(
          row.exists(
            row
              .selectFrom('kpi_source')
              .select('kpi_source.id')
              .where('kpi_source.id', '=', sql<string>`${setupIdOf('')} || run.correlation_id`),
          ),
        ),
      );
  const [first, ...others] = UNSETTLED.map(runsIn);
  if (first === undefined) throw new Error('There are states.');
  const runs = others.reduce((all, some) => all.unionAll(some), first);
  return deals(db, runs);
}

function withoutBilling(db: Kysely<Schema>) {
  const runs = db
    .selectFrom('kpi_source as made')
    .innerJoin('run', 'run.id', 'made.id')
    .select(['run.correlation_id', 'run.created_at'])
    .where('made.has_project', '=', sql.lit(1))
    .where('made.has_billing', '=', sql.lit(0))
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('kpi_source as billed')
            .select('billed.id')
            .whereRef('billed.correlation_id', '=', 'run.correlation_id')
            .where('billed.has_billing', '=', sql.lit(1)),
        ),
      ),
    );
  return deals(db, runs);
}

/** Runs put together by their deals. */
function deals(
  db: Kysely<Schema>,
  runs: AliasableExpression<{ correlation_id: CanonicalId; created_at: Instant }>,
) {
  return db
    .selectFrom(runs.as('each'))
    .select(['correlation_id', (row) => row.fn.min('created_at').as('since')])
    .groupBy('correlation_id');
}

async function itemOf(
  db: Kysely<Schema>,
  correlationId: CanonicalId,
  since: Instant,
): Promise<WorkItem | null> {
  const latest = await db
    .selectFrom('run')
    .select(['title', 'state'])
    .where('correlation_id', '=', correlationId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return latest === undefined ? null : { correlationId, since, ...latest };
}
