import type { Records } from './judge';
import type { StoreReader } from './store-reader';

/**
 * Judges a store by itself and against the vendors (guides §15): what must hold whatever the deals were. SQL that
 * SQLite and PostgreSQL both understand.
 */

const UNRESOLVED = "c.state not in ('resolved', 'waived')";

/** Every run that nobody works on is through or waits as a case (10), at any moment: one statement, one snapshot. */
const LOST_RUNS = `
  select id, state, title from run where state not in
    ('parked', 'queued', 'running', 'waiting', 'completed', 'superseded', 'cancelled')
    and not (state = 'cancelling' and (lease_owner is not null or retry_at is not null))
    and not (state in ('failed', 'cancelling') and exists (select 1 from exception_case c
      where c.correlation_id = run.correlation_id and ${UNRESOLVED}))`;

/** Statements that must find nothing, at any moment. */
const ALWAYS: Record<string, string> = {
  'a record belongs to two canonical ids (8)': `
    select system, instance, type, external_id from xref group by 1, 2, 3, 4 having count(*) > 1`,
  'a canonical id has two records of a type (8)': `
    select canonical_id, system, instance, type from xref group by 1, 2, 3, 4 having count(*) > 1`,
  'an event has no run, or several (10)': `
    select event.seq, count(run.id) as runs from event left join run on run.event_seq = event.seq
    where coalesce(event.disposition, '') <> 'stale' group by event.seq having count(run.id) <> 1`,
  'a run has failed without an open case (10)': LOST_RUNS,
  'an unknown outcome is neither worked on nor an open case (11)': `
    select step.operation, step.canonical_id, step.run_id from step join run on run.id = step.run_id
    where step.state = 'unknown' and run.state not in ('queued', 'running') and not exists (
      select 1 from exception_case c where c.correlation_id = run.correlation_id and ${UNRESOLVED})`,
  'a case has no owner': `select id, code from exception_case c where ${UNRESOLVED} and owner_role = ''`,
  'two runs of one key overlapped': `
    select a.id as first, b.id as second from run a join run b on a.ordering_key = b.ordering_key and a.seq < b.seq
    where a.attempt = 1 and b.attempt = 1 and b.started_at < a.ended_at`,
};

/** Statements that must find nothing once nothing is left to do. */
const IN_THE_END: Record<string, string> = {
  'a run has neither ended nor been stopped (10)': `
    select id, state from run where state in ('queued', 'running')`,
  'a deal that is through has an open case': `
    select c.id, c.code, c.message from exception_case c where ${UNRESOLVED}
      and not exists (select 1 from run where run.correlation_id = c.correlation_id and run.state = 'failed')`,
  'a call has no outcome (11)': `
    select operation, canonical_id, run_id from step where state = 'intent'`,
};

/** Runs that have failed without an open case; empty as it must be, also while hosts work. */
export function lostRuns(store: StoreReader): Promise<unknown[]> {
  return store.rows(LOST_RUNS);
}

/** What does not hold although it must at any moment, also right after a crash; empty when all does. */
export function complaintsAtAnyMoment(store: StoreReader): Promise<string[]> {
  return findings(store, ALWAYS);
}

/**
 * Invariants 8, 10 and 11 of guides §15 and the audit chain, on a store whose hosts have all stopped.
 * @returns what does not hold; empty when all do
 */
export async function storeComplaints(store: StoreReader): Promise<string[]> {
  const found = await findings(store, { ...ALWAYS, ...IN_THE_END });
  const broken = await store.auditBreak();
  if (broken !== null) found.push(`the audit chain breaks at line ${broken}`);
  return found;
}

async function findings(store: StoreReader, statements: Record<string, string>): Promise<string[]> {
  const found: string[] = [];
  for (const [what, sql] of Object.entries(statements)) {
    for (const row of await store.rows(sql)) found.push(`${what}: ${JSON.stringify(row)}`);
  }
  return found;
}

/** Fields in which vendors keep our key of a record. */
const KEY_FIELDS = ['externalId', 'lookup_key', 'Q2C_External_Id__c'];

const CANONICAL_ID = /[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}/g;

/**
 * The first half of the write protocol (guides §13): whatever a vendor holds under a key of ours was journaled before
 * it was sent.
 * @param records read before this is called: the store may only know more
 */
export async function unjournaledWrites(records: Records, store: StoreReader): Promise<string[]> {
  const journal = new Set<string>();
  for (const { system, canonical_id, wire } of await store.rows(
    'select system, canonical_id, wire from step',
  )) {
    for (const id of idsIn(`${canonical_id} ${wire}`)) journal.add(`${system} ${id}`);
  }
  const found: string[] = [];
  for (const [type, list] of Object.entries(records)) {
    const [system] = type.split('.');
    for (const { id, data } of list) {
      const missing = KEY_FIELDS.flatMap((field) => idsIn(String(data[field]))).filter(
        (key) => !journal.has(`${system} ${key}`),
      );
      for (const key of missing)
        found.push(`${type} ${id} holds ${key}, which no step was journaled for (11)`);
    }
  }
  return found;
}

const idsIn = (text: string): string[] => text.match(CANONICAL_ID) ?? [];
