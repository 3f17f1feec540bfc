import { DatabaseSync } from 'node:sqlite';

/**
 * Fills a store as years of work would, with SQL alone: a million runs in a minute or two. Ids grow with the number of
 * their run, as those that a clock makes do.
 */

/** Steps of one run, about as many as a won deal makes. */
export const STEPS_OF_RUN = 11;
/** Runs that wait to be dispatched, whatever the store has been through. */
export const QUEUED = 1_000;

/** Runs of one statement. */
const BATCH = 20_000;

/** What differs between the dialects. */
interface Functions {
  /** SQL for a number as text of so many digits. */
  pad(number: string, digits: number): string;
}

const sqlite: Functions = { pad: (number, digits) => `printf('%0${digits}d', ${number})` };
const postgres: Functions = { pad: (number, digits) => `lpad((${number})::text, ${digits}, '0')` };

/** Canonical ids and the like of a run by its number, as SQL and as text. */
const idOf = (prefix: string, { pad }: Functions, number = 'i') => `'${prefix}_01' || ${pad(number, 24)}`;
export const id = (prefix: string, number: number) => `${prefix}_01${String(number).padStart(24, '0')}`;

/** One customer buys from time to time. */
const DEALS_OF_CUSTOMER = 4;
export const customerNumber = (run: number) => Math.floor(run / DEALS_OF_CUSTOMER) * DEALS_OF_CUSTOMER;

/** Statements that add runs from one number to another, of `total`. */
function statements(functions: Functions, from: number, to: number, total: number): string[] {
  const { pad } = functions;
  const of = (prefix: string, number?: string) => idOf(prefix, functions, number);
  const customer = `(i / ${DEALS_OF_CUSTOMER}) * ${DEALS_OF_CUSTOMER}`;
  const numbers = `with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${to})`;
  const steps = `, s(j) as (select 0 union all select j + 1 from s where j < ${STEPS_OF_RUN - 1})`;
  const at = `'2026-01-01T00:00:' || ${pad('i % 60', 2)} || '.000Z'`;
  const digest = (number: string) => pad(number, 64);
  const state = `case when i > ${total - QUEUED} then 'queued' when i % 100 = 0 then 'failed'
    when i % 1000 = 1 then 'waiting' when i % 5000 = 2 then 'cancelled' else 'completed' end`;
  const done = `i <= ${total - QUEUED}`;
  const refs = `, r(system, type, entity, prefix) as (
    select 'crm', 'Opportunity', 'opportunity', 'opp' union all select 'erp', 'customer', 'customer', 'cus'
    union all select 'erp', 'job', 'project', 'prj' union all select 'psa', 'Workspace', 'project', 'prj')`;
  return [
    `insert into event (source, event_id, type, subject, time, received_at, data, duplicates, disposition)
     ${numbers} select '/q2c/main/crm', 'evt-' || i, 'q2c.opportunity.won.v1', ${of('opp')}, ${at}, ${at},
       '{"name":"Deal ' || i || '","memo":"${'x'.repeat(200)}"}', 0,
       case when ${done} then 'applied' else 'accepted' end from n`,
    `insert into run (id, event_seq, source_node, ordering_key, correlation_id, title, state, attempt, created_at,
       started_at, ended_at)
     ${numbers} select ${of('run')}, i, 'source', ${of('opp')}, ${of('opp')}, 'Deal ' || i, ${state}, 1, ${at},
       case when ${done} then ${at} end, case when ${done} then ${at} end from n`,
    `insert into step (key, run_id, run_attempt, node_id, node_name, system, instance, operation, canonical_id,
       fingerprint, idempotency_key, state, calls, probes, origin, wire, reply, result, started_at, ended_at,
       duration_ms, undo)
     ${numbers}${steps} select ${of('run')} || ':' || ${digest('i * 11 + j')}, ${of('run')}, 1, 'n' || j, 'Step ' || j,
       'erp', 'main', 'task.upsert', ${of('tsk', `i * ${STEPS_OF_RUN} + j`)}, ${digest('i * 11 + j')},
       ${digest('i * 11 + j')}, 'confirmed', 1, 0, 'call', '{"name":"Task","memo":"${'x'.repeat(200)}"}', null,
       '{"refs":[],"evidence":{"id":"' || i || '","number":"T-' || j || '"}}', ${at}, ${at}, 120, 'call'
     from n, s where ${done}`,
    `insert into xref (system, instance, type, external_id, canonical_id, entity, role, url, created_at)
     ${numbers}${refs} select system, 'main', type, prefix || i, prefix || '_01' || ${pad('i', 24)}, entity, 'copy',
       null, ${at} from n, r where prefix <> 'cus' or i = ${customer}`,
    `insert into natural_key (entity, key, canonical_id, holder, created_at)
     ${numbers} select 'customer', 'tax:DE:' || ${pad('(cast(i as bigint) * 7919) % 1000003', 9)}, ${of('cus')},
       'Customer ' || i, ${at} from n where i = ${customer}`,
    `insert into exception_case (id, dedupe_key, code, message, owner_role, severity, state, correlation_id, subject,
       run_id, run_attempt, step_key, node_id, node_name, detail, occurrences, reopened, opened_at, updated_at,
       resolved_at)
     ${numbers} select ${of('exc')}, ${of('opp')} || '|n1', 'TARGET_REJECTED', 'The ERP refused Deal ' || i,
       'finance_ops', 'high', case when i % 100 = 0 then 'open' else 'resolved' end, ${of('opp')}, ${of('opp')},
       ${of('run')}, 1, null, 'n1', 'Step 1', '{}', 1, 0, ${at}, ${at}, case when i % 100 = 0 then null else ${at} end
     from n where i % 20 = 0 and ${done}`,
    `insert into audit (at, actor, action, subject, run_id, detail, prev_hash, hash)
     ${numbers} select ${at}, 'engine', 'step.confirmed', ${of('prj')}, ${of('run')},
       '{"system":"erp","memo":"${'x'.repeat(150)}"}', ${digest('i')}, ${digest('i + 1')} from n where ${done}`,
  ];
}

/** The key that the customer of a run has in the store. */
export const taxKey = (run: number) =>
  `tax:DE:${String((customerNumber(run) * 7919) % 1_000_003).padStart(9, '0')}`;

function* all(functions: Functions, runs: number): Generator<string> {
  for (let from = 1; from <= runs; from += BATCH) {
    yield* statements(functions, from, Math.min(runs, from + BATCH - 1), runs);
  }
}

/** @param file of a store that is closed and empty; should this fail, it is to be thrown away */
export function fillFile(file: string, runs: number): void {
  const database = new DatabaseSync(file);
  database.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144;');
  for (const statement of all(sqlite, runs)) database.exec(statement);
  // Statistics as the store keeps them, and the mode that it works in.
  database.exec('pragma journal_mode = wal;');
  database.close();
}

/** @param execute runs SQL in the schema of a store that is empty */
export async function fillServer(execute: (sql: string) => Promise<unknown>, runs: number): Promise<void> {
  for (const statement of all(postgres, runs)) await execute(statement);
  await execute('analyze');
}
