import { sql } from 'kysely';
import type { RunState, Store } from '../store';
import type { Family, Sample } from './accumulators';

/**
 * What waits at the moment, asked of the store at each scrape. Every query goes through an index that holds unfinished
 * work only, so it costs the same with a million ended runs.
 */

const SOME_STATES: readonly RunState[] = ['queued', 'running', 'cancelling'];

export async function storeGauges(store: Store): Promise<Family[]> {
  const [states, queues, cases, deliveries] = await Promise.all([
    unfinishedRuns(store),
    queuedRuns(store),
    openCases(store),
    waitingDeliveries(store),
  ]);
  return [states, ...queues, cases, deliveries];
}

/** Literals: SQLite uses a partial index only for the very condition it was made with. */
const literal = (state: RunState) => sql.lit<RunState>(state);

async function unfinishedRuns({ db }: Store): Promise<Family> {
  const count = (...states: RunState[]) =>
    db
      .selectFrom('run')
      .select(['state', (run) => run.fn.countAll().as('count')])
      .where(
        'state',
        states.length === 1 ? '=' : 'in',
        states.length === 1 ? literal(states[0] ?? 'failed') : states.map(literal),
      )
      .groupBy('state')
      .execute();
  const rows = (
    await Promise.all([count(...SOME_STATES), count('waiting'), count('parked'), count('failed')])
  ).flat();
  const samples = [...SOME_STATES, 'waiting', 'parked', 'failed'].map((state) => ({
    labels: [state],
    value: Number(rows.find((row) => row.state === state)?.count ?? 0),
  }));
  return { ...gauge('q2c_runs', 'Runs that have not come through, by state', ['state']), samples };
}

async function queuedRuns({ db, now }: Store): Promise<Family[]> {
  const rows = await db
    .selectFrom('run')
    .select([
      'source_node',
      (run) => run.fn.countAll().as('count'),
      (run) => run.fn.min('created_at').as('oldest'),
    ])
    .where('state', '=', literal('queued'))
    .groupBy('source_node')
    .execute();
  const at = Date.parse(now());
  const depth = rows.map(({ source_node, count }) => ({ labels: [source_node], value: Number(count) }));
  const age = rows.map(({ source_node, oldest }) => ({
    labels: [source_node],
    value: Math.max(0, at - Date.parse(oldest)) / 1000,
  }));
  return [
    { ...gauge('q2c_queue_depth', 'Runs that wait to be dispatched', ['source']), samples: depth },
    { ...gauge('q2c_queue_oldest_seconds', 'Age of the oldest run that waits', ['source']), samples: age },
  ];
}

async function openCases({ db }: Store): Promise<Family> {
  const rows = await db
    .selectFrom('exception_case')
    .select(['code', 'owner_role', 'severity', (row) => row.fn.countAll().as('count')])
    .where('state', 'not in', [sql.lit('resolved' as const), sql.lit('waived' as const)])
    .groupBy(['code', 'owner_role', 'severity'])
    .execute();
  const samples: Sample[] = rows.map(({ code, owner_role, severity, count }) => ({
    labels: [code, owner_role, severity],
    value: Number(count),
  }));
  return {
    ...gauge('q2c_cases_open', 'Cases that wait for somebody', ['code', 'role', 'severity']),
    samples,
  };
}

async function waitingDeliveries({ db }: Store): Promise<Family> {
  const { count } = await db
    .selectFrom('outbox')
    .select((row) => row.fn.countAll().as('count'))
    .where('sent_at', 'is', null)
    .executeTakeFirstOrThrow();
  const samples = [{ labels: [], value: Number(count) }];
  return {
    ...gauge('q2c_outbox_waiting', 'Business events that some receiver has not had yet', []),
    samples,
  };
}

interface Health {
  breaker: 'closed' | 'open' | 'half-open';
  inFlight: number;
  waiting: number;
}

/** A connection of this host as metrics tell of it. */
export interface ConnectionState {
  /** Id of its node. */
  id: string;
  system: string;
  /** Null until it was connected for the first time. */
  health: Health | null;
}

const BREAKER = { closed: 0, 'half-open': 1, open: 2 };

export function connectionGauges(connections: readonly ConnectionState[]): Family[] {
  const labels = ['system', 'connection'];
  const samples = (value: (health: Health) => number): Sample[] =>
    connections.flatMap(({ id, system, health }) =>
      health === null ? [] : { labels: [system, id], value: value(health) },
    );
  return [
    {
      ...gauge('q2c_breaker_state', 'Circuit breaker: 0 closed, 1 half-open, 2 open', labels),
      samples: samples(({ breaker }) => BREAKER[breaker]),
    },
    {
      ...gauge('q2c_budget_in_flight', 'Calls under way within the budget of a connection', labels),
      samples: samples(({ inFlight }) => inFlight),
    },
    {
      ...gauge('q2c_budget_waiting', 'Calls that wait for the budget of a connection', labels),
      samples: samples(({ waiting }) => waiting),
    },
  ];
}

const gauge = (name: string, help: string, labels: string[]) => ({
  kind: 'gauge' as const,
  name,
  help,
  labels,
});
