import type { Engine, RetryFilter, RetryProgress } from '../../../lib/engine';
import type { Store } from '../../../lib/store';
import { startEngine, until } from '../../support/engine';
import {
  AUTHOR,
  flow,
  ids,
  inState,
  refuse,
  runRow,
  type Twist,
  unreachable,
  Vendor,
  win,
} from './repair-support';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let erp: Vendor;
let psa: Vendor;
let deals: Map<string, ReturnType<typeof ids>>;

async function startHost(on?: Store) {
  const host = await startEngine({ retry: { maxRunRetries: 0 }, ...(on && { store: on }) });
  for (const source of ['source', 'other']) {
    flow(
      host.engine,
      ({ id }) => {
        const deal = deals.get(id) ?? ids();
        deals.set(id, deal);
        return [erp.step('project', deal.project), psa.step('order', deal.order)];
      },
      source,
    );
  }
  return host;
}

beforeEach(async () => {
  erp = new Vendor('erp');
  psa = new Vendor('psa');
  deals = new Map();
  ({ engine, store, stop } = await startHost());
});
afterEach(() => stop());

/** Failed runs, one per twist: some at the ERP, some at the PSA. */
async function failedRuns(vendor: Vendor, call: string, twists: Twist[], source?: string): Promise<string[]> {
  vendor.twist(call, ...twists);
  const runs: string[] = [];
  for (const _ of twists) {
    const id = await win(engine, undefined, source);
    await inState(store, id, 'failed');
    runs.push(id);
  }
  return runs;
}

async function retryAll(filter: RetryFilter, options = {}): Promise<RetryProgress[]> {
  const seen: RetryProgress[] = [];
  for await (const progress of engine.repairs.retryRuns(filter, AUTHOR, options)) seen.push(progress);
  return seen;
}

const times = (count: number, twist: Twist) => Array.from({ length: count }, () => twist);

test('retries all that match, tells the progress, and counts those that fail once more', async () => {
  const runs = await failedRuns(erp, 'create project', times(5, refuse));
  erp.twist('create project', refuse);
  const seen = await retryAll({});
  expect(seen[0]).toEqual({ total: 5, underWay: 0, completed: 0, failed: 0, passedOver: 0 });
  expect(seen.at(-1)).toEqual({ total: 5, underWay: 0, completed: 4, failed: 1, passedOver: 0 });
  expect(seen.every(({ completed }, index) => completed >= (seen[index - 1]?.completed ?? 0))).toBe(true);
  const states = await Promise.all(runs.map(async (id) => (await runRow(store, id)).state));
  expect(states.sort()).toEqual(['completed', 'completed', 'completed', 'completed', 'failed']);
  const lines = await store.db
    .selectFrom('audit')
    .selectAll()
    .where('action', 'like', 'run%.retried')
    .execute();
  expect(lines.filter(({ action, actor }) => action === 'runs.retried' && actor === 'kim')).toHaveLength(1);
  expect(lines.filter(({ action }) => action === 'run.retried')).toHaveLength(5);
});

test('filters by system, code, source, age, and whom the runs wait for', async () => {
  // As many runs of each kind that every sum of kinds is another number.
  await failedRuns(erp, 'create project', [refuse]);
  await failedRuns(psa, 'create order', times(2, refuse));
  const others = await failedRuns(psa, 'create order', times(4, refuse), 'other');
  erp.twist('create project', ...times(4, unreachable));
  const late = await win(engine);
  await inState(store, late, 'failed');
  const set = (ids: string[], values: { ended_at?: string; retry_at?: string }) =>
    store.db.updateTable('run').set(values).where('id', 'in', ids).execute();
  const [old, young] = ['2026-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z'];
  await set(others, { ended_at: old });
  await set([late], { retry_at: young });

  const matching = async (filter: RetryFilter) =>
    (await retryAll(filter, { signal: AbortSignal.abort() }))[0]?.total;
  expect(await matching({})).toBe(8);
  expect(await matching({ system: 'erp' })).toBe(2);
  expect(await matching({ system: 'psa' })).toBe(6);
  expect(await matching({ code: 'TARGET_UNAVAILABLE' })).toBe(1);
  expect(await matching({ code: 'TARGET_REJECTED' })).toBe(7);
  expect(await matching({ sourceNode: 'other' })).toBe(4);
  expect(await matching({ failedBefore: '2026-01-02T00:00:00.000Z' })).toBe(4);
  expect(await matching({ failedSince: '2026-01-02T00:00:00.000Z', sourceNode: 'source' })).toBe(4);
  expect(await matching({ waitingFor: 'time' })).toBe(1);
  expect(await matching({ waitingFor: 'person', system: 'erp' })).toBe(1);
});

test('keeps few of them under way, so that a deal won meanwhile goes first', async () => {
  const runs = await failedRuns(erp, 'create project', times(6, refuse));
  const held: (() => void)[] = [];
  const hold: Twist = async (proceed) => {
    await new Promise<void>((resolve) => held.push(resolve));
    proceed();
  };
  erp.twist('create project', hold, hold);
  const progress = engine.repairs.retryRuns({}, AUTHOR, { atOnce: 2 });
  await progress.next();
  const second = progress.next();
  await until('two to be under way', () => held.length === 2);
  expect((await second).value).toMatchObject({ underWay: 2, completed: 0 });

  const live = await win(engine);
  await inState(store, live, 'completed');
  const states = await Promise.all(runs.map(async (id) => (await runRow(store, id)).state));
  expect(states).toEqual(['running', 'running', 'failed', 'failed', 'failed', 'failed']);
  for (const release of held) release();
  let last: RetryProgress | undefined;
  for await (const each of progress) last = each;
  expect(last).toMatchObject({ underWay: 0, completed: 6 });
});

/** A call that waits until it is let go. */
function held(vendor: Vendor, call: string): () => void {
  const gate = Promise.withResolvers<void>();
  vendor.twist(call, async (proceed) => {
    await gate.promise;
    proceed();
  });
  return gate.resolve;
}

test('cancelled it retries no further one, and tells how those under way ended', async () => {
  const runs = await failedRuns(erp, 'create project', times(4, refuse));
  const letGo = held(erp, 'create project');
  const stopping = new AbortController();
  const seen: RetryProgress[] = [];
  const audited = () =>
    store.db.selectFrom('audit').select('actor').where('action', '=', 'bulk.cancelled').execute();
  for await (const progress of engine.repairs.retryRuns({}, AUTHOR, { atOnce: 1, signal: stopping.signal })) {
    seen.push(progress);
    if (progress.underWay !== 1) continue;
    stopping.abort();
    void until('the cancel', async () => (await audited()).length === 1).then(letGo);
  }
  expect(seen.at(-1)).toEqual({ total: 4, underWay: 0, completed: 1, failed: 0, passedOver: 0 });
  const states = await Promise.all(runs.map(async (id) => (await runRow(store, id)).state));
  expect(states).toEqual(['completed', 'failed', 'failed', 'failed']);
  expect(await audited()).toEqual([{ actor: 'kim' }]);
});

test('a run that somebody else has retried is passed over', async () => {
  const [first, second] = await failedRuns(erp, 'create project', times(2, refuse));
  const letGo = held(erp, 'create project');
  const progress = engine.repairs.retryRuns({}, AUTHOR, { atOnce: 1 });
  await progress.next();
  await progress.next();
  await engine.retryRun(second ?? '', 'lee');
  await inState(store, second ?? '', 'completed');
  letGo();
  let last: RetryProgress | undefined;
  for await (const each of progress) last = each;
  expect(last).toEqual({ total: 2, underWay: 0, completed: 1, failed: 0, passedOver: 1 });
  expect(await runRow(store, first ?? '')).toMatchObject({ state: 'completed', attempt: 2 });
});

test('goes on after a restart, and does not begin anew', async () => {
  const runs = await failedRuns(erp, 'create project', times(5, refuse));
  const letGo = held(erp, 'create project');
  const id = await engine.repairs.bulkRetries.start({}, AUTHOR, { atOnce: 1 });
  await inState(store, runs[0] ?? '', 'running');
  letGo();
  await inState(store, runs[0] ?? '', 'completed');
  await engine.stop();
  expect((await engine.repairs.bulkJobs.find(id)).endedAt).toBeNull();

  const restarted = await startHost(store);
  try {
    const { bulkJobs } = restarted.engine.repairs;
    expect(await bulkJobs.underWay()).toEqual([id]);
    await until('its end', async () => (await bulkJobs.find(id)).endedAt !== null, 10_000);
    expect(await bulkJobs.find(id)).toMatchObject({
      ...AUTHOR,
      isCancelled: false,
      progress: { total: 5, underWay: 0, completed: 5, failed: 0, passedOver: 0, pendingApproval: 0 },
    });
    for (const run of runs)
      expect(await runRow(store, run)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(await bulkJobs.underWay()).toEqual([]);
  } finally {
    await restarted.engine.stop();
  }
}, 20_000);

test('the end of this host ends the watching, not the retries; leaving the loop ends them', async () => {
  await failedRuns(erp, 'create project', times(3, refuse));
  const { bulkJobs } = engine.repairs;
  const watching = engine.repairs.retryRuns({}, AUTHOR);
  await watching.next();
  const [left = ''] = await bulkJobs.underWay();
  await watching.return(undefined);
  expect(await bulkJobs.find(left)).toMatchObject({ isCancelled: true });

  const cut = engine.repairs.retryRuns({}, AUTHOR);
  await cut.next();
  const kept = (await bulkJobs.underWay()).find((id) => id !== left) ?? '';
  await engine.stop();
  await expect(cut.next()).rejects.toMatchObject({ code: 'ENGINE_STOPPING' });
  expect(await bulkJobs.find(kept)).toMatchObject({ isCancelled: false, endedAt: null });
});

test('one that nobody began is not known', async () => {
  const { bulkJobs } = engine.repairs;
  await expect(bulkJobs.find('retry_x')).rejects.toMatchObject({ code: 'BULK_JOB_UNKNOWN' });
  await expect(bulkJobs.cancel('retry_x', 'kim')).rejects.toMatchObject({ code: 'BULK_JOB_UNKNOWN' });
});

test('needs a reason', async () => {
  const progress = engine.repairs.retryRuns({}, { actor: 'kim', reason: '' });
  await expect(progress.next()).rejects.toMatchObject({ code: 'REASON_MISSING' });
});
