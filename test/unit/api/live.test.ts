import { changes } from '../../../lib/api/live';
import type { BulkJob } from '../../../lib/api/schemas/operations';
import { jsonOf, user } from '../../support/api';
import { until } from '../../support/engine';
import { inState } from '../engine/repair-support';
import { Site } from './support';

let site: Site;
beforeEach(async () => {
  site = await Site.open();
});
afterEach(() => site.close());

/** Listens, and gives what it was told so far. */
async function listen(lastEventId?: string) {
  const gone = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const { body } = await site.api.ask('GET', '/events', { headers, signal: gone.signal });
  if (body === null || !('stream' in body)) throw new Error('no stream');
  const told: { id: string | null; event: string; data: { action?: string; subject?: string } }[] = [];
  const ended = (async () => {
    for await (const part of body.stream) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? null;
      told.push({ id: field('id'), event: field('event') ?? '', data: JSON.parse(field('data') ?? '{}') });
    }
  })();
  return {
    told,
    actions: () => told.map(({ data }) => data.action),
    leave: async () => {
      gone.abort();
      await ended;
    },
  };
}

test('changes are told as they happen, and again from where somebody was', async () => {
  const one = await listen();
  // A listener is told from when it began to look.
  await until('the feed to begin', async () => {
    site.api.services.feed.publish({ what: 'other', action: 'ping', subject: 'x', runId: null });
    return one.actions().includes('ping');
  });
  const { caseId } = await site.stuck();
  await until('the case to be told', async () => one.actions().includes('case.opened'));
  await until('the run to be told', async () => one.actions().includes('runs.changed'));
  const confirmed = one.told.find(({ data }) => data.action === 'step.confirmed');
  await one.leave();
  await site.api.ask('POST', `/cases/${caseId}/comment`, { body: { text: 'while away' } });

  const again = await listen(confirmed?.id ?? '');
  await until('what was missed', async () => again.actions().includes('case.commented'));
  expect(again.actions().filter((action) => action?.startsWith('case.'))).toEqual([
    'case.opened',
    'case.commented',
  ]);
  await again.leave();
});

test('who has missed too much, or comes from another store, is told to load anew', async () => {
  const { store } = site.api.engine;
  await site.stuck();
  const row = await store.db
    .selectFrom('audit')
    .select('seq')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const other = await listen(String((row?.seq ?? 0) + 1));
  await until('a reset', async () => other.told.some(({ event }) => event === 'reset'));
  await other.leave();
});

test('a listener that does not take anything costs no more than its buffer', async () => {
  const gone = new AbortController();
  const stream = changes(site.api.services.feed, null, gone.signal);
  const first = stream.next();
  await until('the listener', async () => {
    site.api.services.feed.publish({ what: 'other', action: 'first', subject: 'x', runId: null });
    return (await Promise.race([first, Promise.resolve(null)])) !== null;
  });
  for (let count = 0; count < 5_000; count++) {
    site.api.services.feed.publish({ what: 'other', action: `a${count}`, subject: 'x', runId: null });
  }
  let told = 0;
  for (
    let next = await stream.next();
    !next.done && !next.value.includes('event: reset');
    next = await stream.next()
  )
    told++;
  expect(told).toBeLessThan(10);
  gone.abort();
  await stream.return(undefined);
});

describe('bulk work', () => {
  const ended = async (id: string) => {
    let job = await site.api.get<BulkJob>(`/bulk/${id}`);
    await until('the job to end', async () => {
      job = await site.api.get<BulkJob>(`/bulk/${id}`);
      return job.endedAt !== null;
    });
    return job;
  };

  test('many failed runs are retried, with progress that pages are told of', async () => {
    const runs = [await site.stuck(), await site.stuck(), await site.stuck()];
    const watching = await listen();
    const given = await site.api.ask('POST', '/bulk', {
      body: { action: 'retry_runs', filter: { waitingFor: 'person' }, reason: 'vendor repaired' },
    });
    expect(given.status).toBe(202);
    const job = await ended(jsonOf<BulkJob>(given).id);
    expect(job).toMatchObject({ state: 'completed', total: 3, done: 3, failed: 0, actor: 'kim' });
    for (const { runId } of runs) await inState(site.api.engine.store, runId, 'completed');
    expect(await site.api.get<BulkJob[]>('/bulk')).toMatchObject([{ id: job.id }]);
    await until('its end to be told', async () => watching.actions().includes('bulk.ended'));
    await watching.leave();
  });

  test('cancelled, it ends before its next record; somebody else may not cancel it', async () => {
    await site.stuck();
    await site.stuck();
    const busy = Promise.withResolvers<void>();
    site.vendor.twist('create project', async (proceed) => {
      await busy.promise;
      proceed();
    });
    const given = await site.api.ask('POST', '/bulk', {
      body: { action: 'retry_runs', filter: {}, reason: 'again', atOnce: 1 },
    });
    const { id } = jsonOf<BulkJob>(given);
    await until(
      'one to be under way',
      async () => (await site.api.get<BulkJob>(`/bulk/${id}`)).underWay === 1,
    );
    expect((await site.api.ask('POST', `/bulk/${id}/cancel`, { as: user('rita', 'read') })).status).toBe(401);
    await site.api.ask('POST', `/bulk/${id}/cancel`);
    busy.resolve();
    expect(await ended(id)).toMatchObject({ state: 'cancelled', total: 2, done: 1 });
    const counts = await site.api.get<Record<string, number>>('/runs/counts');
    expect(counts.failed).toBe(1);
  });

  test('the same for many cases, one by one; what fails is told', async () => {
    const { caseId } = await site.stuck();
    const given = await site.api.ask('POST', '/bulk', {
      body: {
        action: 'cases',
        caseIds: [caseId, 'exc_01J00000000000000000000000'],
        request: { action: 'assign', assignee: 'lee' },
        reason: 'on duty',
      },
    });
    expect(await ended(jsonOf<BulkJob>(given).id)).toMatchObject({
      state: 'completed',
      total: 2,
      done: 1,
      failed: 1,
      lastError: { code: 'CASE_UNKNOWN' },
    });
  });
});
