import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActiveRun,
  type DispatchedRun,
  type Engine,
  type IntakeBatch,
  isInterrupted,
} from '../../../lib/engine';
import type { Store } from '../../../lib/store';
import { FakeVendor, fail, startEngine, until } from '../../support/engine';
import { openTestStore } from '../../support/stores';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine());
});
afterEach(() => stop());

const batch = (
  events: { id: string; record: string }[],
  cursor = 'c1',
): IntakeBatch & { cursor: string } => ({
  sourceNode: 'source',
  system: 'crm',
  instance: 'org',
  source: '/q2c/test/crm',
  cursor,
  events: events.map(({ id, record }) => ({
    id,
    type: 'q2c.opportunity.won.v1',
    time: '2026-01-05T10:00:00.000Z',
    subject: { entity: 'opportunity', type: 'Opportunity', id: record },
    title: `Deal ${record}`,
    data: { name: `Deal ${record}` },
  })),
});
const runs = () => store.db.selectFrom('run').selectAll().orderBy('seq').execute();
const states = async () => (await runs()).map(({ state }) => state);
const redeliveries = async () =>
  (await store.db.selectFrom('event').select('duplicates').orderBy('seq').execute()).map(
    ({ duplicates }) => duplicates,
  );
const cases = () => store.db.selectFrom('exception_case').selectAll().orderBy('id').execute();

function activeOf(run: { id: string }, of: Engine = engine): ActiveRun {
  const active = of.activeRun(run.id);
  if (active === undefined) throw new Error(`run ${run.id} is not under way`);
  return active;
}

/** A flow of one node that finishes its message when told. */
function flow() {
  const open: DispatchedRun[] = [];
  const dispatch = (run: DispatchedRun) => {
    engine.messageEntered(activeOf(run));
    open.push(run);
  };
  const finish = () => {
    const run = open.shift();
    if (run !== undefined) engine.messageLeft(activeOf(run));
    return run;
  };
  return { open, dispatch, finish };
}

test('when the short way to the end of a run fails, the long one ends it, whether the short one was committed or not', async () => {
  await stop();
  const opened = await openTestStore();
  const attempts: string[] = [];
  const perform: Store['perform'] = async (procedure, args, durability) => {
    if (procedure.name !== 'run.complete') return opened.perform(procedure, args, durability);
    attempts.push(procedure.name);
    // The first is lost before it is done, the second after it.
    if (attempts.length > 1) await opened.perform(procedure, args, durability);
    throw new Error('the thread has ended');
  };
  ({ engine, store, stop } = await startEngine({ store: { ...opened, perform } }));
  const { dispatch, finish, open } = flow();
  engine.registerSource('source', 1, dispatch);
  await engine.accept(
    batch([
      { id: 'e1', record: 'o1' },
      { id: 'e2', record: 'o2' },
    ]),
  );
  for (const ended of [1, 2]) {
    await until('a run', () => open.length === 1);
    finish();
    await until(
      'its end',
      async () => (await states()).filter((state) => state === 'completed').length === ended,
    );
  }
  expect(attempts).toHaveLength(2);
  expect(await cases()).toEqual([]);
});

test('an event is accepted once, and the cursor moves with it', async () => {
  expect(await engine.accept(batch([{ id: 'e1', record: 'A' }]))).toEqual({
    accepted: 1,
    duplicates: 0,
    stale: 0,
    parked: 0,
  });
  expect(
    await engine.accept(
      batch(
        [
          { id: 'e1', record: 'A' },
          { id: 'e2', record: 'B' },
        ],
        'c2',
      ),
    ),
  ).toEqual({ accepted: 1, duplicates: 1, stale: 0, parked: 0 });
  expect(await engine.cursor('/q2c/test/crm')).toBe('c2');
  expect(await runs()).toHaveLength(2);
  expect(await redeliveries()).toEqual([0, 0]);
});

test('an event that is delivered again is counted at its first arrival; what a poll reads again is not', async () => {
  const { cursor: _, ...pushed } = batch([{ id: 'e1', record: 'A' }]);
  for (let times = 0; times < 3; times++) await engine.accept(pushed);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  expect(await redeliveries()).toEqual([2]);
  expect(await runs()).toHaveLength(1);
});

test('a run ends when its last message has left, in the state its cases say', async () => {
  const { open, dispatch, finish } = flow();
  engine.registerSource('source', 4, dispatch);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('dispatch', () => open.length === 1);
  expect(await states()).toEqual(['running']);
  finish();
  await until('end', async () => (await states())[0] === 'completed');
});

test('runs of one record go one after another in order of arrival, others beside them', async () => {
  const { open, dispatch, finish } = flow();
  engine.registerSource('source', 10, dispatch);
  await engine.accept(
    batch([
      { id: 'e1', record: 'A' },
      { id: 'e2', record: 'A' },
      { id: 'e3', record: 'B' },
    ]),
  );
  await until('A and B', () => open.length === 2);
  expect(open.map(({ event }) => event.id)).toEqual(['e1', 'e3']);
  finish();
  await until('second of A', () => open.some(({ event }) => event.id === 'e2'));
});

test('no more runs than the source can take are under way', async () => {
  const { open, dispatch, finish } = flow();
  engine.registerSource('source', 3, dispatch);
  await engine.accept(
    batch(Array.from({ length: 10 }, (_, index) => ({ id: `e${index}`, record: `R${index}` }))),
  );
  let most = 0;
  for (let done = 0; done < 10; done++) {
    await until('a run', () => open.length > 0);
    most = Math.max(most, open.length);
    finish();
  }
  await until('all ended', async () => (await states()).every((state) => state === 'completed'));
  expect(most).toBe(3);
});

test('an error that no Catch node takes becomes a case, one that is caught does not', async () => {
  const { open, dispatch, finish } = flow();
  engine.registerSource('source', 4, dispatch);
  await engine.accept(
    batch([
      { id: 'e1', record: 'A' },
      { id: 'e2', record: 'B' },
    ]),
  );
  await until('dispatch', () => open.length === 2);
  for (const run of open) {
    engine.errorRaised(activeOf(run), {
      node: { id: 'fn', name: 'My function' },
      message: 'x is not defined',
      code: null,
    });
  }
  const [, caught] = open;
  if (caught !== undefined) engine.errorCaught(activeOf(caught), 'fn');
  finish();
  finish();
  await until('both ended', async () => (await states()).join() === 'failed,completed');
  expect(await cases()).toMatchObject([
    { code: 'NODE_FAILED', message: 'My function failed: x is not defined' },
  ]);
});

test('a run that waits only for what heals by itself is dispatched again, and its case resolved', async () => {
  const vendor = new FakeVendor();
  vendor.script = Array.from({ length: 4 }, () => () => {
    throw fail('transient');
  });
  engine.registerSource('source', 4, (run) => {
    engine.messageEntered(activeOf(run));
    engine
      .step(run.id, vendor.step({ canonicalId: 'cus_01KASY4Q8G3M6Z0V5T9R2B7XAA' }))
      .catch(() => undefined)
      .finally(() => engine.messageLeft(activeOf(run)));
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('completed', async () => (await states())[0] === 'completed');
  expect(await cases()).toMatchObject([{ code: 'TARGET_UNAVAILABLE', state: 'resolved' }]);
  expect((await runs())[0]?.attempt).toBe(2);
});

test('a person retries a failed run; confirmed steps are not repeated', async () => {
  const first = new FakeVendor();
  const second = new FakeVendor();
  second.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  engine.registerSource('source', 4, (run) => {
    engine.messageEntered(activeOf(run));
    engine
      .step(run.id, first.step({ canonicalId: 'cus_01KASY4Q8G3M6Z0V5T9R2B7XAA' }))
      .then(() =>
        engine.step(
          run.id,
          second.step({ canonicalId: 'prj_01KASY4Q8G3M6Z0V5T9R2B7XAA', operation: 'project.create' }),
        ),
      )
      .catch(() => undefined)
      .finally(() => engine.messageLeft(activeOf(run)));
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('failed', async () => (await states())[0] === 'failed');
  await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
  await until('completed', async () => (await states())[0] === 'completed');
  expect([first.calls, second.calls]).toEqual([1, 2]);
  expect((await cases())[0]).toMatchObject({ state: 'resolved' });
  await expect(engine.retryRun((await runs())[0]?.id ?? '', 'mia')).rejects.toMatchObject({
    code: 'RUN_NOT_RETRIABLE',
  });
});

test('a node that never finishes its message is noticed', async () => {
  await stop();
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    ({ engine, store, stop } = await startEngine({ stallAfterMs: 60_000, leaseMs: 3_600_000 }));
    const { open, dispatch } = flow();
    engine.registerSource('source', 4, dispatch);
    await engine.accept(batch([{ id: 'e1', record: 'A' }]));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (open.length === 0) await turn();
    await jest.advanceTimersByTimeAsync(120_000);
    while ((await cases()).length === 0) await turn();
    expect(await cases()).toMatchObject([{ code: 'RUN_STALLED' }]);
  } finally {
    jest.useRealTimers();
  }
});

test('what a dead host left is taken up: the uncertain step is probed, not sent again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'q2c-engine-'));
  const path = join(folder, 'q2c.db');
  const vendor = new FakeVendor();
  const customer = 'cus_01KASY4Q8G3M6Z0V5T9R2B7XAA';
  try {
    const before = await startEngine({ path, leaseMs: 300 });
    let written = false;
    before.engine.registerSource('source', 1, (run) => {
      before.engine.messageEntered(activeOf(run, before.engine));
      vendor.script = [
        (write) => {
          write();
          written = true;
          return new Promise(() => undefined);
        },
      ];
      void before.engine.step(run.id, vendor.step({ canonicalId: customer }));
    });
    await before.engine.accept(batch([{ id: 'e1', record: 'A' }]));
    await until('the write', () => written);
    await before.kill();

    const after = await startEngine({ path });
    let origin = '';
    after.engine.registerSource('source', 1, (run) => {
      after.engine.messageEntered(activeOf(run, after.engine));
      after.engine
        .step(run.id, vendor.step({ canonicalId: customer }))
        .then((outcome) => {
          origin = outcome.origin;
        })
        .finally(() => after.engine.messageLeft(activeOf(run, after.engine)));
    });
    await until('completed', async () => {
      const run = await after.store.db.selectFrom('run').select('state').executeTakeFirst();
      return run?.state === 'completed';
    });
    expect(origin).toBe('probe');
    expect([vendor.calls, vendor.records.size]).toEqual([1, 1]);
    await after.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('stopping in the middle of a call opens no case and leaves the run to the next start', async () => {
  const vendor = new FakeVendor();
  let reached = false;
  vendor.script = [
    () =>
      new Promise((_, reject) => {
        reached = true;
        setTimeout(() => reject(fail('unknown')), 20);
      }),
  ];
  engine.registerSource('source', 1, (run) => {
    const active = activeOf(run);
    engine.messageEntered(active);
    engine.step(run.id, vendor.step()).catch(() => engine.messageLeft(active));
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('the call', () => reached);
  await engine.stop();
  expect(await states()).toEqual(['queued']);
  expect(await cases()).toEqual([]);
});

test('stopping waits for a call under way, and its outcome is kept', async () => {
  let answer: (() => void) | undefined;
  const vendor = new FakeVendor();
  vendor.script = [
    (write) =>
      new Promise((resolve) => {
        answer = () => resolve(vendor.reply(write()));
      }),
  ];
  engine.registerSource('source', 1, (run) => {
    engine.messageEntered(activeOf(run));
    void engine.step(run.id, vendor.step());
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('the call', () => answer !== undefined);
  const stopped = engine.stop();
  answer?.();
  await stopped;
  expect(await store.db.selectFrom('step').select('state').execute()).toEqual([{ state: 'confirmed' }]);
});

test('stopping breaks off a call that takes too long', async () => {
  const impatient = await startEngine({ stopAfterMs: 20 });
  let cancelled = false;
  impatient.engine.registerSource('source', 1, (run) => {
    const { engine } = impatient;
    engine.messageEntered(activeOf(run, engine));
    const call = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => {
          cancelled = true;
          reject(signal.reason);
        });
      });
    engine.step(run.id, new FakeVendor().step({ call })).catch(() => undefined);
  });
  await impatient.engine.accept(batch([{ id: 'e1', record: 'A' }]));
  const intents = () => impatient.store.db.selectFrom('step').select('state').execute();
  await until('the intent', async () => (await intents()).length === 1);
  await impatient.engine.stop();
  expect(cancelled).toBe(true);
  expect(await intents()).toEqual([{ state: 'intent' }]);
  await impatient.store.close();
});

/** A vendor that refuses once, and a flow of two nodes that call it one after the other. */
function refusingOnce() {
  const vendor = new FakeVendor();
  vendor.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  const dispatch = async (run: DispatchedRun) => {
    const active = activeOf(run);
    engine.messageEntered(active);
    const step = vendor.step({ canonicalId: run.event.subject, wire: { event: run.event.id } });
    const passed = await engine.step(run.id, step).then(
      () => step.node.id,
      () => undefined,
    );
    engine.messageLeft(active, passed);
  };
  return { vendor, dispatch };
}

test('a failed run is superseded when a later one of the same record comes through', async () => {
  const { dispatch } = refusingOnce();
  engine.registerSource('source', 1, dispatch);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('failed', async () => (await states()).join() === 'failed');
  await engine.accept(batch([{ id: 'e2', record: 'A' }]));
  await until('through', async () => (await states()).join() === 'superseded,completed');
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
  await expect(engine.retryRun((await runs())[0]?.id ?? '', 'mia')).rejects.toMatchObject({
    code: 'RUN_NOT_RETRIABLE',
  });
});

test('another flow that comes through with the same record does not resolve the case of this one', async () => {
  const { dispatch } = refusingOnce();
  engine.registerSource('source', 1, dispatch);
  engine.registerSource('other', 1, () => undefined);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('failed', async () => (await states()).join() === 'failed');
  await engine.accept({ ...batch([{ id: 'e1', record: 'A' }]), sourceNode: 'other', source: '/q2c/other' });
  await until('the other', async () => (await states()).join() === 'failed,completed');
  expect(await cases()).toMatchObject([{ state: 'open' }]);
});

test('a case is resolved as soon as a later attempt gets past its node, even if that fails further on', async () => {
  const vendor = new FakeVendor();
  const refuse = () => {
    throw fail('rejected', 'TARGET_REJECTED');
  };
  vendor.script = [refuse, () => vendor.reply('v1'), refuse];
  engine.registerSource('source', 1, async (run) => {
    const active = activeOf(run);
    engine.messageEntered(active);
    const canonicalId = run.event.subject;
    try {
      for (const id of ['n1', 'n2']) {
        const node = { id, name: id };
        await engine.step(run.id, vendor.step({ canonicalId, node, operation: `${id}.create` }));
        active.passed.add(id);
      }
    } catch {
      // The case is what this test is about.
    }
    engine.messageLeft(active);
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('failed', async () => (await states()).join() === 'failed');
  await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
  await until(
    'failed again',
    async () => (await runs())[0]?.attempt === 2 && (await states()).join() === 'failed',
  );
  expect(await cases()).toMatchObject([
    { node_id: 'n1', state: 'resolved' },
    { node_id: 'n2', state: 'open' },
  ]);
});

test('a case from before a crash does not fail the run that comes through after it', async () => {
  const { dispatch } = refusingOnce();
  const held = Promise.withResolvers<void>();
  engine.registerSource('source', 1, async (run) => {
    const active = activeOf(run);
    engine.messageEntered(active);
    await dispatch(run);
    // The host dies between the case and the end of the run.
    await held.promise;
    engine.messageLeft(active);
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('the case', async () => (await cases()).length === 1);
  engine.interrupt();
  engine.resume();
  await until('the second passage', async () => (await cases())[0]?.occurrences === 1);
  held.resolve();
  await until('through', async () => (await states()).join() === 'completed');
  expect(await cases()).toMatchObject([{ state: 'resolved', occurrences: 1 }]);
});

test('a deploy breaks runs off and they begin anew; what moves of the old passage does not count', async () => {
  const { open, dispatch } = flow();
  engine.registerSource('source', 2, dispatch);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('dispatch', () => open.length === 1);
  const [first] = open;
  const old = activeOf(first ?? { id: '' });

  engine.interrupt();
  await engine.accept(batch([{ id: 'e2', record: 'B' }]));
  expect(isInterrupted(old.dispatch)).toBe(true);
  expect(await states()).toEqual(['queued', 'queued']);
  engine.resume();
  await until('both', () => open.length === 3);
  expect(open[1]?.dispatch).not.toBe(old.dispatch);

  engine.messageLeft(old);
  const again = activeOf(first ?? { id: '' });
  expect([again.inFlight, await states()]).toEqual([1, ['running', 'running']]);
  engine.messageLeft(again);
  await until('its end', async () => (await states())[0] === 'completed');
});

test('a message that comes after the end of its run takes the run up again', async () => {
  const { open, dispatch, finish } = flow();
  engine.registerSource('source', 1, dispatch);
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('dispatch', () => open.length === 1);
  const run = finish();
  await until('end', async () => (await states())[0] === 'completed');

  const [active, same] = await Promise.all([engine.reopen(run?.id ?? ''), engine.reopen(run?.id ?? '')]);
  expect(same).toBe(active);
  expect(await states()).toEqual(['running']);
  engine.messageEntered(active);
  engine.messageLeft(active);
  await until('end', async () => (await states())[0] === 'completed');
  await expect(engine.reopen('run_unknown')).rejects.toMatchObject({ code: 'RUN_NOT_ACTIVE' });
});

test('a call whose outcome nobody knows keeps its case, whatever later runs of the record come to', async () => {
  const vendor = new FakeVendor();
  vendor.script = [
    () => {
      throw fail('unknown');
    },
  ];
  const noSense = async () => {
    throw fail('rejected', 'SCHEMA_CHANGED');
  };
  engine.registerSource('source', 1, async (run) => {
    const active = activeOf(run);
    engine.messageEntered(active);
    // The deal has changed before it is tried again: what was called is not needed any more.
    if (run.event.id === 'e1' && run.attempt === 1) {
      await engine.step(run.id, vendor.step({ probe: noSense })).catch(() => undefined);
    }
    engine.messageLeft(active);
  });
  await engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('failed', async () => (await cases()).length === 1);
  await engine.accept(batch([{ id: 'e2', record: 'A' }]));
  await until('all through', async () => (await states()).join() === 'completed,completed');
  expect(await cases()).toMatchObject([{ code: 'OUTCOME_UNKNOWN', state: 'open' }]);
});

test('a call that was under way when the host was killed has a case, though the flow no longer comes by it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'q2c-runs-'));
  const path = join(folder, 'q2c.db');
  const before = await startEngine({ path, leaseMs: 300 });
  let called = false;
  before.engine.registerSource('source', 1, (run) => {
    before.engine.messageEntered(activeOf(run, before.engine));
    const call = () => {
      called = true;
      return new Promise<never>(() => undefined);
    };
    void before.engine.step(run.id, new FakeVendor().step({ call }));
  });
  await before.engine.accept(batch([{ id: 'e1', record: 'A' }]));
  await until('the call', () => called);
  // The host is gone without a word; in the meantime somebody takes the node out of the flow.
  await before.kill();

  const after = await startEngine({ path });
  after.engine.registerSource('source', 1, (run) => {
    const active = activeOf(run, after.engine);
    after.engine.messageEntered(active);
    after.engine.messageLeft(active);
  });
  const failed = () =>
    after.store.db.selectFrom('run').select('state').where('state', '=', 'failed').execute();
  await until('its end', async () => (await failed()).length === 1);
  expect(await after.store.db.selectFrom('exception_case').selectAll().execute()).toMatchObject([
    { code: 'OUTCOME_UNKNOWN', state: 'open', node_name: 'Customer' },
  ]);
  await after.stop();
  rmSync(folder, { recursive: true });
});

describe('a node that a deploy takes away', () => {
  const there = new Set<string>();
  let changing: Awaited<ReturnType<typeof startEngine>>;

  beforeEach(async () => {
    there.clear();
    there.add('next');
    changing = await startEngine({ nodeExists: (id) => there.has(id) });
  });
  afterEach(() => changing.stop());

  /** A run whose message is on its way to the node “next” when the flows stop. */
  async function brokenOff() {
    const { engine, store } = changing;
    const sent: DispatchedRun[] = [];
    engine.registerSource('source', 1, (run) => {
      sent.push(run);
      engine.messageEntered(activeOf(run, engine), { id: 'next', name: 'Create project' });
    });
    await engine.accept(batch([{ id: 'e1', record: 'A' }]));
    await until('dispatch', () => sent.length === 1);
    engine.interrupt();
    const cases = () => store.db.selectFrom('exception_case').selectAll().execute();
    const runs = () => store.db.selectFrom('run').selectAll().execute();
    return { engine, sent, cases, runs };
  }

  test('makes a case of the run; a retry takes the flow as it is now', async () => {
    const { engine, sent, cases, runs } = await brokenOff();
    there.delete('next');
    engine.resume();
    await until('a case', async () => (await runs())[0]?.state === 'failed');
    expect(await cases()).toMatchObject([
      { code: 'RUN_STALLED', node_id: 'next', message: expect.stringContaining('took “Create project” out') },
    ]);
    expect(sent).toHaveLength(1);

    await engine.retryRun((await runs())[0]?.id ?? '', 'ada');
    await until('dispatch', () => sent.length === 2);
    engine.messageLeft(activeOf(sent[1] ?? { id: '' }, engine), 'next');
    await until('through', async () => (await runs())[0]?.state === 'completed');
    expect(await cases()).toMatchObject([{ state: 'resolved' }]);
  });

  test('is no matter when it comes back unchanged', async () => {
    const { engine, sent, cases } = await brokenOff();
    engine.resume();
    await until('dispatch', () => sent.length === 2);
    expect(await cases()).toEqual([]);
  });
});
