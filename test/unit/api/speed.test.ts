import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DealSummary } from '../../../lib/api/schemas/deals';
import type { RunSummary } from '../../../lib/api/schemas/runs';
import type { CaseLine } from '../../../lib/governance';
import { openSqliteStore } from '../../../lib/store';
import { TestApi } from '../../support/api';
import { fillStore } from '../../support/full-store';
import { until } from '../../support/until';

/** Every page of the console has 300 ms on this class of machine; what it asks for has 100. */

const LIMIT_MS = 100;
const RUNS = 100_000;
const CASES = 5_000;

let folder: string;
let api: TestApi;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'q2c-full-'));
  const store = await openSqliteStore(join(folder, 'q2c.db'));
  await fillStore(store, { runs: RUNS, cases: CASES });
  api = await TestApi.start({ store });
}, 120_000);

afterAll(async () => {
  await api?.stop();
  await rm(folder, { recursive: true, force: true });
});

const MOST_ROUNDS = 8;

/** The fastest of some rounds: what else the machine does meanwhile is not the route's. */
async function fastest(path: string, query: Record<string, unknown> = {}): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MOST_ROUNDS && best >= LIMIT_MS; round++) {
    const began = performance.now();
    const given = await api.ask('GET', path, { query });
    best = Math.min(best, performance.now() - began);
    expect({ path, query, status: given.status }).toEqual({ path, query, status: 200 });
  }
  return best;
}

interface List<T> {
  items: T[];
  next: string | null;
}

test(`with ${RUNS} runs and ${CASES} open cases every list and page answers within ${LIMIT_MS} ms`, async () => {
  await until(
    'the index to be complete',
    async () => (await api.get<{ isComplete: boolean }>('/deals', { q: 'northern' })).isComplete,
    120_000,
    50,
  );
  const runs = await api.get<List<RunSummary>>('/runs');
  const second = await api.get<List<CaseLine>>('/cases', { limit: '200' });
  const [run] = runs.items;
  const [line] = second.items;
  const asked: [string, Record<string, unknown>?][] = [
    ['/session'],
    ['/openapi.json'],
    ['/runs'],
    ['/runs', { limit: '500' }],
    ['/runs', { cursor: runs.next }],
    ['/runs', { order: 'oldest' }],
    ['/runs', { q: 'alpine' }],
    ['/runs', { q: 'no such deal' }],
    ['/runs', { createdBefore: '2000-01-01T00:00:00.000Z' }],
    ['/runs', { failedIn: 'kantata', state: 'failed' }],
    ['/runs', { code: 'CREDIT_HOLD', state: 'failed' }],
    ...[
      'parked',
      'queued',
      'running',
      'waiting',
      'completed',
      'failed',
      'superseded',
      'cancelling',
      'cancelled',
    ].map((state): [string, Record<string, unknown>] => ['/runs', { state }]),
    ['/runs', { state: 'queued,running' }],
    ['/runs', { state: 'cancelled,superseded' }],
    ['/runs', { sourceNode: 'nobody' }],
    ['/runs', { sourceNode: 'source' }],
    ['/runs', { correlationId: run?.correlationId }],
    ['/runs/counts'],
    [`/runs/${run?.id}`],
    ['/cases'],
    ['/cases', { limit: '200' }],
    ['/cases', { limit: '500' }],
    ['/cases', { cursor: second.next, limit: '200' }],
    ...['due', 'amount', 'opened', 'updated', 'severity'].map((sort): [string, Record<string, unknown>] => [
      '/cases',
      { sort },
    ]),
    ['/cases', { ownerRole: 'finance_ops', assignee: 'none' }],
    ['/cases', { status: 'all' }],
    ['/cases', { status: 'closed' }],
    ['/cases', { runId: line?.runId }],
    ['/cases', { nodeId: 'node-2,node-3' }],
    ['/cases/groups'],
    ['/cases/counts'],
    [`/cases/${line?.id}`],
    ['/approvals'],
    ['/deals'],
    ['/deals', { state: 'failed' }],
    ['/deals', { state: 'waiting' }],
    ['/deals', { q: 'alpine bank' }],
    ['/deals', { q: 'cust-4711' }],
    ['/deals', { q: '1104711' }],
    ['/deals', { q: 'grand' }],
    ['/deals', { q: line?.correlationId }],
    [`/deals/${line?.correlationId}`],
    ['/xrefs'],
    ['/xrefs', { externalId: '1104711' }],
    ['/xrefs', { system: 'kantata', limit: '500' }],
    ['/systems'],
    ['/audit'],
    ['/audit', { actor: 'kim' }],
    ['/audit', { action: 'case.' }],
    ['/audit', { subject: line?.id }],
    ['/tokens'],
    ['/bulk'],
    ['/metrics'],
  ];
  const slow: string[] = [];
  for (const [path, query = {}] of asked) {
    const ms = await fastest(path, query);
    if (ms >= LIMIT_MS || process.env.Q2C_TIMES)
      slow.push(`${path} ${JSON.stringify(query)}: ${ms.toFixed(1)} ms`);
  }
  expect(slow).toEqual([]);
}, 240_000);

test('a deal is found by name, number and id of any system', async () => {
  const found = async (q: string) => (await api.get<List<DealSummary>>('/deals', { q })).items;
  const [byNumber, ...others] = await found('CUST-4711');
  expect(others.filter(({ matched }) => matched?.value === 'cust-4711')).toEqual([]);
  expect(byNumber).toMatchObject({ matched: { by: 'number', value: 'cust-4711', system: 'netsuite' } });
  expect(await found('k2104711')).toMatchObject([
    { id: byNumber?.id, matched: { by: 'external_id', system: 'kantata' } },
  ]);
  expect(await found(byNumber?.id ?? '')).toMatchObject([{ id: byNumber?.id }]);
  const words = (byNumber?.title ?? '').split(/[ :]+/);
  expect((await found(words.reverse().join(' '))).map(({ id }) => id)).toContain(byNumber?.id);
});
