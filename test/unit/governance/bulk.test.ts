import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/engine';
import { fillCases } from './many-cases';
import { openSite, person, type Site } from './support';

/** Work on many cases outlives the host that began it, goes on without doing anything twice, and can be cancelled. */

const CASES = 150;
const lee = person('lee', { roles: 'all' });

let folder: string;
let sites: Site[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'q2c-bulk-'));
});
afterEach(async () => {
  for (const site of sites) await site.stop();
  sites = [];
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<Site> {
  const site = await openSite({ path: join(folder, 'q2c.db') });
  sites.push(site);
  return site;
}

async function stop(site: Site): Promise<void> {
  sites = sites.filter((each) => each !== site);
  await site.stop();
}

/** Ids of as many open cases. */
async function manyCases(site: Site): Promise<string[]> {
  await fillCases(site.store, { open: CASES, closed: 0, runs: CASES, seed: 7 });
  const rows = await site.store.db.selectFrom('exception_case').select('id').execute();
  return rows.map(({ id }) => id);
}

const find = (site: Site, job: string) => site.engine.repairs.bulkJobs.find(job);

/** How often each case was given to somebody. */
async function assignments(site: Site): Promise<number[]> {
  const rows = await site.store.db
    .selectFrom('case_history')
    .select((line) => ['case_id', line.fn.countAll<number>().as('count')])
    .where('action', '=', 'assigned')
    .groupBy('case_id')
    .execute();
  return rows.map(({ count }) => Number(count));
}

test('after a restart it goes on where it was', async () => {
  const first = await open();
  const ids = await manyCases(first);
  const job = await first.governance.startBulk(ids, { action: 'assign', assignee: 'mia' }, 'On duty', lee);
  await until('some to be done', async () => (await find(first, job)).progress.completed >= 3);
  await stop(first);

  const second = await open();
  const left = await find(second, job);
  expect(left.endedAt).toBeNull();
  expect(left.progress.completed).toBeLessThan(CASES);
  // The next beat of the engine takes up what is unfinished.
  await until('its end', async () => (await find(second, job)).endedAt !== null, 20_000);
  expect(await find(second, job)).toMatchObject({
    ...{ actor: 'lee', reason: 'On duty', isCancelled: false, lastError: null },
    progress: { total: CASES, completed: CASES, failed: 0, passedOver: 0 },
  });
  expect(await assignments(second)).toEqual(ids.map(() => 1));
}, 40_000);

test('cancelled, it begins no further case, also on the next host', async () => {
  const first = await open();
  const ids = await manyCases(first);
  const job = await first.governance.startBulk(ids, { action: 'assign', assignee: 'mia' }, 'On duty', lee);
  await until('one to be done', async () => (await find(first, job)).progress.completed >= 1);
  await first.engine.repairs.bulkJobs.cancel(job, 'kim');
  await until('its end', async () => (await find(first, job)).endedAt !== null);
  const { progress, isCancelled } = await find(first, job);
  expect(isCancelled).toBe(true);
  expect(progress.completed).toBeLessThan(CASES);
  await stop(first);

  const second = await open();
  expect(await second.engine.repairs.bulkJobs.underWay()).toEqual([]);
  expect(await assignments(second)).toHaveLength(progress.completed);
});

test('cases are put aside and handed on in bulk; one that is named twice is dealt with once', async () => {
  const site = await open();
  const one = await site.raise();
  const until10 = '2026-11-16T10:00:00.000Z';
  const ids = [one.id, one.id];
  const snoozed = await site.governance.startBulk(ids, { action: 'snooze', until: until10 }, 'Later', lee);
  await until('the first end', async () => (await find(site, snoozed)).endedAt !== null);
  expect((await find(site, snoozed)).progress).toMatchObject({ total: 1, completed: 1 });
  expect(await site.governance.view(one.id, lee)).toMatchObject({ snoozedUntil: until10 });
  const request = { action: 'escalate', to: 'finance_controller' } as const;
  const escalated = await site.governance.startBulk(ids, request, 'Urgent', lee);
  await until('the second end', async () => (await find(site, escalated)).endedAt !== null);
  expect(await site.governance.view(one.id, lee)).toMatchObject({ ownerRole: 'finance_controller' });
});
