import { type CaseRow, open, type Tx } from '../store';
import type { BlockedWork, FlowGraph } from './types';

/** What cannot go on because of a case: the nodes behind it, later runs of its record, other cases of its deal. */

/** More are not listed: the page says that the record waits, not how often. */
const LIMIT = 50;

export async function blockedBy(tx: Tx, row: CaseRow, flows: FlowGraph): Promise<BlockedWork> {
  const done = await tx
    .selectFrom('step')
    .select('node_id')
    .distinct()
    .where('run_id', '=', row.run_id)
    .where('state', 'in', ['confirmed', 'skipped'])
    .execute();
  const passed = new Set(done.map(({ node_id }) => node_id));
  const isOver = row.state === 'resolved' || row.state === 'waived';
  return {
    nodes: isOver ? [] : flows.downstream(row.node_id).filter(({ id }) => !passed.has(id)),
    runs: isOver ? [] : await runsBehind(tx, row.run_id),
    cases: await casesBeside(tx, row),
  };
}

function runsBehind(tx: Tx, runId: string): Promise<{ id: string; title: string }[]> {
  return tx
    .selectFrom('run as first')
    .innerJoin('run as later', (join) =>
      join.onRef('later.ordering_key', '=', 'first.ordering_key').onRef('later.seq', '>', 'first.seq'),
    )
    .select(['later.id', 'later.title'])
    .where('first.id', '=', runId)
    .where('later.state', 'in', ['queued', 'parked'])
    .orderBy('later.seq')
    .limit(LIMIT)
    .execute();
}

async function casesBeside(tx: Tx, row: CaseRow): Promise<BlockedWork['cases']> {
  const rows = await tx
    .selectFrom('exception_case')
    .select(['id', 'code', 'message', 'owner_role'])
    .where('correlation_id', '=', row.correlation_id)
    .where('id', '!=', row.id)
    .where('state', 'not in', ['resolved', 'waived'])
    .orderBy('opened_at')
    .limit(LIMIT)
    .execute();
  return rows.map((other) => ({
    id: other.id,
    code: other.code,
    message: open(tx, 'exception_case', 'message', other),
    ownerRole: other.owner_role,
  }));
}
