import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { auditBreak } from '../../lib/api/reports';
import { openSqliteStore } from '../../lib/store';
import { SYSTEMS, type SystemName, type VendorControl, type World } from '../support/world';

/** What the tests of faults and of crashes share: seeded faults, and invariants of the store (guides §15). */

/** The seed of a random test: `Q2C_SEED`, else a new one. It is printed, so that a failure can be had again. */
export function chosenSeed(test: string): number {
  const seed = Number(process.env.Q2C_SEED ?? Math.floor(Math.random() * 1_000_000));
  process.stdout.write(`${test}: Q2C_SEED=${seed}\n`);
  return seed;
}

interface SeededFault {
  kind:
    | 'commit-then-drop'
    | 'commit-then-timeout'
    | 'rate-limit'
    | 'status'
    | 'reset'
    | 'expire-token'
    | 'partial-page';
  probability: number;
  ms?: number;
  status?: number;
  only?: SystemName[];
}

/** Shares of all calls that meet a fault, as high as they may be while deals still come through within a minute. */
const KINDS: SeededFault[] = [
  { kind: 'commit-then-drop', probability: 0.05 },
  { kind: 'commit-then-timeout', probability: 0.02, ms: 400 },
  { kind: 'rate-limit', probability: 0.03 },
  { kind: 'status', probability: 0.03, status: 500 },
  { kind: 'status', probability: 0.03, status: 503 },
  { kind: 'reset', probability: 0.03 },
  // Kantata's token does not expire: it is revoked by a person, and then a person gives a new one.
  { kind: 'expire-token', probability: 0.03, only: ['salesforce', 'netsuite'] },
  { kind: 'partial-page', probability: 0.1 },
];

/** Every kind of fault in every vendor, each with a seed of its own drawn from the given one. */
export async function armFaults(simulator: VendorControl, seed: number): Promise<void> {
  for (const [index, system] of SYSTEMS.entries()) {
    for (const [number, { only, ...fault }] of KINDS.entries()) {
      if (only?.includes(system) === false) continue;
      await simulator.fault(system, { ...fault, seed: seed + index * KINDS.length + number });
    }
  }
}

const UNRESOLVED = "c.state not in ('resolved', 'waived')";

/**
 * Every run that nobody works on is through or waits as a case (guides §15, 10), at any moment: asked of the store of a
 * running host in one statement.
 */
const LOST_RUNS = `
  select id, state, title from run where state not in ('parked', 'queued', 'running', 'waiting', 'completed', 'superseded', 'cancelled')
    and not (state = 'failed' and exists (select 1 from exception_case c
      where c.correlation_id = run.correlation_id and ${UNRESOLVED}))`;

/** Runs that have failed without an open case; empty as it must be. */
export function lostRuns(world: World): unknown[] {
  const db = world.openStore();
  const rows = db.prepare(LOST_RUNS).all();
  db.close();
  return rows;
}

/**
 * Invariants 8, 10 and 11 of guides §15 and the audit chain, on the store of a world whose host has stopped.
 * @returns what does not hold; empty when all do
 */
export async function storeComplaints(world: World): Promise<string[]> {
  const path = join(world.host.userDir, 'quote-to-cash/q2c.db');
  const found: string[] = [];
  const db = new DatabaseSync(path, { readOnly: true });
  const expectNone = (what: string, sql: string) => {
    for (const row of db.prepare(sql).all()) found.push(`${what}: ${JSON.stringify(row)}`);
  };
  expectNone(
    'a record belongs to two canonical ids (8)',
    'select system, instance, type, external_id from xref group by 1, 2, 3, 4 having count(*) > 1',
  );
  expectNone(
    'a canonical id has two records of a type (8)',
    'select canonical_id, system, instance, type from xref group by 1, 2, 3, 4 having count(*) > 1',
  );
  expectNone(
    'an event has no run, or several (10)',
    `select event.event_id, count(run.id) as runs from event left join run on run.event_seq = event.seq
     group by event.seq having count(run.id) <> 1`,
  );
  expectNone('a run has failed without an open case (10)', LOST_RUNS);
  expectNone(
    'a run has neither ended nor been stopped (10)',
    "select id, state from run where state in ('queued', 'running')",
  );
  expectNone(
    'a deal that is through has an open case',
    `select c.id, c.code, c.message from exception_case c where ${UNRESOLVED}
       and not exists (select 1 from run where run.correlation_id = c.correlation_id and run.state = 'failed')`,
  );
  expectNone(
    'a call has no outcome (11)',
    "select operation, canonical_id, run_id from step where state = 'intent'",
  );
  expectNone(
    'an unknown outcome has no open case (11)',
    `select operation, canonical_id, run_id from step where state = 'unknown' and not exists (
       select 1 from exception_case c join run on run.correlation_id = c.correlation_id
       where run.id = step.run_id and ${UNRESOLVED})`,
  );
  expectNone(
    'two runs of one key overlapped',
    `select a.id as first, b.id as second from run a join run b on a.ordering_key = b.ordering_key and a.seq < b.seq
     where a.attempt = 1 and b.attempt = 1 and b.started_at < a.ended_at`,
  );
  db.close();

  const store = await openSqliteStore(path);
  const broken = await auditBreak(store);
  await store.close();
  if (broken !== null) found.push(`the audit chain breaks at line ${broken}`);
  return found;
}
