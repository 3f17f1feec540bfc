import { exceptionCodes, newId } from '../../../lib/model';
import { type CaseState, type Store, seal } from '../../../lib/store';

/** Fills a store with runs and cases of all kinds, faster than work would. */

const OPEN: readonly CaseState[] = ['open', 'assigned', 'in_repair', 'ready_to_replay', 'replaying'];
const ROWS = 500;

export async function fillCases(
  store: Store,
  { open, closed, runs, seed }: { open: number; closed: number; runs: number; seed: number },
): Promise<void> {
  const random = generator(seed);
  const pick = <T>(values: readonly [T, ...T[]]): T =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const moment = () => new Date(Date.parse('2026-06-01T00:00:00.000Z') + random() * 1.4e10).toISOString();
  const codes = Object.keys(exceptionCodes) as [string, ...string[]];
  const deals = Array.from({ length: runs }, () => newId('opportunity'));

  for (let first = 0; first < runs; first += ROWS) {
    const rows = deals.slice(first, first + ROWS).map((deal, index) => {
      const at = moment();
      return {
        ...{ id: `run_${first + index}`, event_seq: null, source_node: 's', ordering_key: deal },
        ...{ correlation_id: deal, title: `Deal ${first + index}`, state: 'completed' as const, attempt: 1 },
        ...{ retry_at: null, lease_owner: null, lease_until: null, at_nodes: null },
        ...{ created_at: at, started_at: at, ended_at: at },
      };
    });
    await store.write((tx) => tx.insertInto('run').values(rows).execute());
  }

  for (let first = 0; first < open + closed; first += ROWS) {
    await store.write(async (tx) => {
      const rows = Array.from({ length: Math.min(ROWS, open + closed - first) }, (_, offset) => {
        const index = first + offset;
        const id = newId('exceptionCase');
        const at = moment();
        const isOpen = index < open;
        const run = index % runs;
        const amount = random() < 0.8 ? Math.floor(random() * 500_000) : null;
        const code = pick(codes);
        return {
          id,
          dedupe_key: id,
          code,
          message: seal(tx, 'exception_case', 'message', { id }, `Case ${index} of ${code}`),
          owner_role: pick(['finance_ops', 'sales_ops', 'integration_ops']),
          severity: pick(['critical', 'error', 'warning']),
          state: isOpen ? pick(OPEN as [CaseState, ...CaseState[]]) : pick(['resolved', 'waived'] as const),
          correlation_id: deals[run] ?? '',
          subject: deals[run] ?? '',
          run_id: `run_${run}`,
          run_attempt: 1,
          step_key: null,
          node_id: 'n',
          node_name: 'Node',
          amount_at_risk: amount === null ? null : `${amount}.50`,
          amount_whole: amount,
          currency: amount === null ? null : pick(['EUR', 'USD', 'JPY']),
          detail: seal(tx, 'exception_case', 'detail', { id }, '{}'),
          occurrences: 1,
          reopened: 0,
          opened_at: at,
          updated_at: at,
          resolved_at: isOpen ? null : at,
          assignee: random() < 0.5 ? null : pick(['kim', 'lea']),
          snoozed_until: isOpen && random() < 0.1 ? '2027-01-01T00:00:00.000Z' : null,
          sla_due_at: random() < 0.9 ? moment() : null,
          sla_breached_at: random() < 0.3 ? at : null,
          cause: `${code}-${Math.floor(random() * 4)}`,
          system: pick(['netsuite', 'kantata', null]),
        };
      });
      await tx.insertInto('exception_case').values(rows).execute();
    });
  }
}

/** A small generator that gives the same numbers for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
