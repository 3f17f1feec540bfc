import type {
  ActiveRun,
  DispatchedRun,
  Engine,
  Resumption,
  WaitOutcome,
  WaitRequest,
} from '../../../lib/engine';
import { businessEvent, type CanonicalId, newId } from '../../../lib/model';
import { openSqliteStore, type Store, verifyAudit } from '../../../lib/store';
import { FakeVendor, fail, startEngine, until } from '../../support/engine';

const EVENT = 'q2c.contract.activated.v1';

let store: Store;
let engine: Engine;
let now: string;

beforeEach(async () => {
  now = '2026-01-05T10:00:00.000Z';
  store = await openSqliteStore(':memory:');
  engine = await host(20);
});
afterEach(async () => {
  await engine.stop();
  expect(await verifyAudit(store)).toBeNull();
  await store.close();
});

const host = async (reviewWaitsMs: number) =>
  (await startEngine({ store, now: () => now, scanMs: 20, reviewWaitsMs })).engine;

const later = (ms: number) => {
  now = new Date(Date.parse(now) + ms).toISOString();
};

/** The host dies: what it knew is gone, its runs stay as they are in the store. Another one takes them up. */
async function crash(reviewWaitsMs = 20): Promise<void> {
  await engine.stop();
  engine = await host(reviewWaitsMs);
}

const runs = () => store.db.selectFrom('run').selectAll().orderBy('seq').execute();
const states = async () => (await runs()).map(({ state }) => state).join();
const suspensions = async () =>
  (await store.db.selectFrom('suspension').select('state').orderBy('seq').execute()).map(
    ({ state }) => state,
  );
const cases = () =>
  store.db.selectFrom('exception_case').select(['code', 'state', 'message', 'owner_role']).execute();
const runState = (expected: string) => until(`runs ${expected}`, async () => (await states()) === expected);

/** @param source which flow it starts, too */
const accept = (id: string, { record = 'A', type = 'q2c.opportunity.won.v1', source = 'source' } = {}) =>
  engine.accept({
    sourceNode: source,
    system: 'crm',
    instance: 'org',
    source: `/q2c/test/${source}`,
    cursor: null,
    events: [
      {
        id,
        type,
        time: now,
        subject: { entity: 'opportunity', type: 'Opportunity', id: record },
        title: `Deal ${record}`,
        data: { event: id },
      },
    ],
  });

interface Passed {
  event: string;
  by: string;
  suspension: number;
}

/** A flow: a call, a node that waits, and a call behind it. */
class Flow {
  readonly before = new FakeVendor();
  readonly after = new FakeVendor();
  /** What came out of the wait node. */
  readonly passed: Passed[] = [];
  sent = 0;
  /** Runs behind the wait node; the message is let go of afterwards. */
  behind: (active: ActiveRun, message: { event: string }, suspension: number) => Promise<unknown> = async (
    active,
    message,
  ) => {
    const wire = { event: message.event };
    const canonicalId = active.run.correlationId;
    const node = { id: 'after', name: 'After' };
    await engine.step(
      active.run.id,
      this.after.step({ node, canonicalId, wire, operation: 'project.create' }),
    );
  };

  constructor(readonly request: Partial<WaitRequest> = {}) {}

  deploy({ withWait = true } = {}): () => void {
    const releases = [
      engine.registerSource('source', 4, (run) => this.start(run)),
      ...(withWait ? [engine.waits.register('wait', (resumption) => this.resume(resumption))] : []),
    ];
    return () => {
      for (const release of releases) release();
    };
  }

  private start(run: DispatchedRun): void {
    this.sent++;
    const active = activeOf(run.id);
    this.carry(active, async () => {
      const wire = { event: run.event.id };
      const canonicalId = run.correlationId;
      await engine.step(run.id, this.before.step({ canonicalId, wire }));
      await this.wait(active, run.event.id, 0);
    });
  }

  /** What the node does with a message. */
  async wait(active: ActiveRun, event: string, parent: number): Promise<void> {
    const passed = await engine.wait(active.run.id, {
      node: { id: 'wait', name: 'Contract' },
      event: EVENT,
      key: active.run.correlationId,
      parent,
      deadline: null,
      onTimeout: 'send',
      earlier: 'once',
      holdsOrder: true,
      message: { event },
      about: { params: {}, ownerRole: 'sales_ops' },
      ...this.request,
    });
    active.passed.add('wait');
    if (passed !== null) await this.goOn(active, event, passed.outcome, passed.suspension);
  }

  private resume({ run, message, outcome, suspension }: Resumption): void {
    const active = activeOf(run.id);
    this.carry(active, () => this.goOn(active, String(message.event), outcome, suspension));
  }

  private goOn(active: ActiveRun, event: string, outcome: WaitOutcome, suspension: number): Promise<unknown> {
    this.passed.push({ event, by: outcome.by === 'event' ? outcome.event.id : 'timeout', suspension });
    return this.behind(active, { event }, suspension);
  }

  private carry(active: ActiveRun, work: () => Promise<unknown>): void {
    engine.messageEntered(active);
    work()
      .catch((error: { code?: string; message: string }) => {
        if (error.code !== undefined) return;
        engine.errorRaised(active, { node: { id: 'x', name: 'x' }, message: error.message, code: null });
      })
      .finally(() => engine.messageLeft(active));
  }
}

function activeOf(runId: string): ActiveRun {
  const active = engine.activeRun(runId);
  if (active === undefined) throw new Error(`run ${runId} is not under way`);
  return active;
}

const subject = async (): Promise<CanonicalId> => (await runs())[0]?.correlation_id ?? '';
const signal = async (id: string, event = EVENT) =>
  engine.signal({ event, key: await subject(), actor: 'mia', id });

test('a run waits without a place, and goes on from where it waited when the event comes', async () => {
  const flow = new Flow();
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  expect(flow.after.calls).toBe(0);

  expect(await signal('s1')).toBe(1);
  await runState('completed');
  expect(flow).toMatchObject({ sent: 1, passed: [{ event: 'e1', by: 's1' }] });
  expect([flow.before.calls, flow.after.calls]).toEqual([1, 1]);
  expect(await store.db.selectFrom('suspension').select(['state', 'message']).execute()).toEqual([
    { state: 'done', message: null },
  ]);
});

test('waiting runs do not take the place of others', async () => {
  const flow = new Flow();
  engine.waits.register('wait', () => undefined);
  engine.registerSource('source', 1, (run) => {
    const active = activeOf(run.id);
    engine.messageEntered(active);
    void flow.wait(active, run.event.id, 0).finally(() => engine.messageLeft(active));
  });
  for (const record of ['A', 'B', 'C']) await accept(`e${record}`, { record });
  await runState('waiting,waiting,waiting');
});

test('an event of any source that is accepted lets it go on, although that run is about the same record', async () => {
  const flow = new Flow();
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  await accept('c1', { type: EVENT, source: 'contracts' });
  await runState('completed,queued');
  expect(flow.passed).toMatchObject([{ by: 'c1' }]);
});

test('an announced event lets it go on, by its subject or by its deal', async () => {
  const flow = new Flow({ event: 'q2c.customer.updated.v1' });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  const at = now;
  const customer = {
    id: newId('customer'),
    legalName: 'ACME',
    externalRefs: [],
    createdAt: at,
    updatedAt: at,
    sourceSystem: 'x',
  };
  const event = businessEvent('q2c.customer.updated.v1', {
    tenant: 'test',
    component: 'flow',
    id: 'b1',
    correlationId: await subject(),
    data: { customer, changed: [] },
  });
  await engine.announce(event);
  await runState('completed');
  expect(flow.passed).toMatchObject([{ by: 'b1' }]);
});

test.each(['signal', 'event'] as const)('a %s that came before is not lost', async (kind) => {
  const flow = new Flow();
  await accept('e1');
  if (kind === 'signal') await signal('s1');
  else await accept('s1', { type: EVENT, source: 'contracts' });
  flow.deploy();
  await until('through', async () => (await runs())[0]?.state === 'completed');
  expect(flow.passed).toMatchObject([{ by: 's1' }]);
});

test('an event that came too long ago does not count', async () => {
  const flow = new Flow();
  await accept('e1');
  await signal('s1');
  later(31 * 24 * 3_600_000);
  flow.deploy();
  await runState('waiting');
  await until(
    'it to be forgotten',
    async () => (await store.db.selectFrom('signal').select('seq').execute()).length === 0,
  );
});

test.each([
  ['once', 'completed,waiting'],
  ['always', 'completed,completed'],
] as const)('an earlier event counts %s', async (earlier, expected) => {
  const flow = new Flow({ earlier });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  await signal('s1');
  await runState('completed');
  await accept('e2');
  await runState(expected);
});

test('an event from before never counts where only later ones do', async () => {
  const flow = new Flow({ earlier: 'never' });
  await accept('e1');
  await signal('s1');
  flow.deploy();
  await runState('waiting');
  await signal('s2');
  await runState('completed');
  expect(flow.passed).toMatchObject([{ by: 's2' }]);
});

test('the same event twice lets it go on once', async () => {
  const flow = new Flow();
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  expect(await Promise.all([signal('s1'), signal('s1'), signal('s2')])).toEqual([1, 0, 0]);
  await runState('completed');
  expect(await signal('s1')).toBe(0);
  expect(flow.passed).toHaveLength(1);
});

test('another key or another event changes nothing', async () => {
  const flow = new Flow();
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  expect(await engine.signal({ event: EVENT, key: 'opp_other', actor: 'mia' })).toBe(0);
  expect(await signal('s1', 'q2c.contract.amended.v1')).toBe(0);
  expect(await states()).toBe('waiting');
});

test('later runs of the record and source wait behind it, unless it lets them pass', async () => {
  const flow = new Flow();
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  await accept('e2');
  await accept('e3', { record: 'B' });
  await runState('waiting,queued,waiting');
  await signal('s1');
  await runState('completed,waiting,waiting');
  expect(flow.sent).toBe(3);
});

test('a run that lets later ones pass does not hold them up', async () => {
  const flow = new Flow({ holdsOrder: false });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  await accept('e2');
  await runState('waiting,waiting');
  expect(await signal('s1')).toBe(2);
  await runState('completed,completed');
  expect(flow.passed.map(({ event }) => event)).toEqual(['e1', 'e2']);
});

test('when the time is over the message goes on and says so', async () => {
  const flow = new Flow({ deadline: '2026-01-05T11:00:00.000Z' });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  later(3_600_000);
  await runState('completed');
  expect(flow.passed).toMatchObject([{ by: 'timeout' }]);
  expect(await signal('s1')).toBe(0);
});

test('or its deal becomes a case, which the event still resolves', async () => {
  const flow = new Flow({ deadline: '2026-01-05T11:00:00.000Z', onTimeout: 'case' });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  later(3_600_000);
  await runState('failed');
  expect(await cases()).toEqual([
    {
      code: 'WAIT_TIMED_OUT',
      state: 'open',
      message: `Deal A waits for ${EVENT}, which has not come in time.`,
      owner_role: 'sales_ops',
    },
  ]);
  await signal('s1');
  await runState('completed');
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
});

test('retried after the time was over, it waits as long again', async () => {
  const flow = new Flow({ onTimeout: 'case', deadline: '2026-01-05T11:00:00.000Z' });
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  later(3_600_000);
  await runState('failed');
  Object.assign(flow.request, { deadline: '2026-01-05T12:00:00.000Z' });
  await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
  await runState('waiting');
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
  expect(await store.db.selectFrom('event').select('disposition').execute()).toEqual([
    { disposition: 'accepted' },
  ]);
  later(3_600_000);
  await runState('failed');
});

test('a run is not handed to a node that is not there yet', async () => {
  // Nobody looks yet whether its node is there.
  await crash(60_000);
  const flow = new Flow();
  const takeOut = flow.deploy();
  await accept('e1');
  await runState('waiting');
  takeOut();
  await signal('s1');
  await store.db.updateTable('run').set({ state: 'queued', resume: 1 }).execute();
  await crash(60_000);
  await runState('waiting');
  expect(await cases()).toEqual([]);
  flow.deploy();
  await runState('completed');
  expect(flow.passed).toHaveLength(1);
});

describe('a crash', () => {
  test('while it waits: it waits on', async () => {
    const flow = new Flow();
    flow.deploy();
    await accept('e1');
    await runState('waiting');
    await crash();
    flow.deploy();
    await signal('s1');
    await runState('completed');
    expect([flow.sent, flow.passed.length]).toEqual([1, 1]);
  });

  test('after the event came and before the message went on: it goes on', async () => {
    const flow = new Flow();
    const takeOut = flow.deploy();
    await accept('e1');
    await runState('waiting');
    takeOut();
    await signal('s1');
    expect(flow.passed).toEqual([]);
    await crash();
    flow.deploy();
    await runState('completed');
    expect([flow.sent, flow.passed.length]).toEqual([1, 1]);
  });

  test('after the message went on: it is sent again from there, and what it did answers from the journal', async () => {
    const flow = new Flow();
    const held = Promise.withResolvers<void>();
    const { behind } = flow;
    flow.behind = async (...of) => {
      await behind(...of);
      if (flow.passed.length === 1) await held.promise;
    };
    flow.deploy();
    await accept('e1');
    await runState('waiting');
    await signal('s1');
    await until('the call behind', () => flow.after.calls === 1);
    await crash();
    flow.deploy();
    await runState('completed');
    held.resolve();
    expect([flow.sent, flow.passed.length, flow.before.calls, flow.after.calls]).toEqual([1, 2, 1, 1]);
  });

  test('with a second wait behind the first, both of whose events have come: only the first is sent again', async () => {
    const flow = new Flow();
    const held = Promise.withResolvers<void>();
    flow.behind = async (active, { event }, suspension) => {
      const isFirst = flow.passed.length === 1;
      if (flow.passed.at(-1)?.by === 's1') await flow.wait(active, event, suspension);
      if (isFirst) await held.promise;
    };
    flow.deploy();
    await accept('e1');
    await runState('waiting');
    await signal('s1');
    await until('the second wait', async () => (await suspensions()).join() === 'fired,waiting');
    await signal('s2');
    await crash();
    flow.deploy();
    await runState('completed');
    held.resolve();
    expect(flow.passed.map(({ by }) => by)).toEqual(['s1', 's1', 's2']);
  });

  test('before the run was noticed to wait: it begins anew and waits at the same place', async () => {
    const flow = new Flow();
    flow.deploy();
    await accept('e1');
    await until(
      'the suspension',
      async () => (await store.db.selectFrom('suspension').select('seq').execute()).length === 1,
    );
    await store.db.updateTable('run').set({ state: 'running', resume: 0 }).execute();
    await crash();
    flow.deploy();
    await until('a second passage', () => flow.sent === 2);
    await runState('waiting');
    await signal('s1');
    await runState('completed');
    expect([flow.passed.length, flow.before.calls, flow.after.calls]).toEqual([1, 1, 1]);
  });
});

test('a deploy while the message is on its way sends it on again from there', async () => {
  const flow = new Flow();
  const held = Promise.withResolvers<void>();
  flow.behind = () => (flow.passed.length === 1 ? held.promise : Promise.resolve());
  const takeOut = flow.deploy();
  await accept('e1');
  await runState('waiting');
  await signal('s1');
  await until('the first time', () => flow.passed.length === 1);
  engine.interrupt();
  takeOut();
  flow.deploy();
  engine.resume();
  await runState('completed');
  held.resolve();
  expect([flow.sent, flow.passed.length]).toEqual([1, 2]);
});

test('a message without a source that waits outlives the host, also when it goes on', async () => {
  const flow = new Flow();
  const held = Promise.withResolvers<void>();
  flow.behind = () => (flow.passed.length === 1 ? held.promise : Promise.resolve());
  flow.deploy();
  const active = await engine.oneOff('inject', newId('opportunity'), 'By hand');
  engine.messageEntered(active);
  await flow.wait(active, 'hand', 0);
  engine.messageLeft(active);
  await runState('waiting');
  await crash();
  flow.deploy();
  await signal('s1');
  await until('it to go on', () => flow.passed.length === 1);
  await crash();
  flow.deploy();
  await runState('completed');
  held.resolve();
  expect(flow.passed.map(({ event }) => event)).toEqual(['hand', 'hand']);
});

test('a failure behind the wait is retried from the start, and passes the wait at once', async () => {
  const flow = new Flow();
  flow.after.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  flow.deploy();
  await accept('e1');
  await runState('waiting');
  await signal('s1');
  await runState('failed');
  await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
  await runState('completed');
  expect([flow.sent, flow.before.calls, flow.after.calls]).toEqual([2, 1, 2]);
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
});

test('a branch that failed keeps its case when the one that waited comes through', async () => {
  const flow = new Flow();
  const branch = new FakeVendor();
  branch.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  engine.waits.register('wait', ({ run }) => {
    const active = activeOf(run.id);
    engine.messageEntered(active);
    engine.messageLeft(active, 'after');
  });
  let sent = 0;
  engine.registerSource('source', 4, (run) => {
    sent++;
    const active = activeOf(run.id);
    engine.messageEntered(active);
    const canonicalId = run.correlationId;
    void flow
      .wait(active, 'e1', 0)
      .then(() => engine.step(run.id, branch.step({ canonicalId, node: { id: 'branch', name: 'Branch' } })))
      .catch(() => undefined)
      .finally(() => engine.messageLeft(active));
  });
  await accept('e1');
  await runState('failed');
  await signal('s1');
  await until(
    'the other branch',
    async () => (await store.db.selectFrom('suspension').select('state').execute())[0]?.state === 'done',
  );
  expect([await states(), sent]).toEqual(['failed', 1]);
  expect(await cases()).toMatchObject([{ code: 'TARGET_REJECTED', state: 'open' }]);
  await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
  await runState('completed');
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
});

test('a message that comes back to the node waits again, for another event', async () => {
  const flow = new Flow();
  flow.behind = async (active, { event }, suspension) => {
    if (flow.passed.length < 3) await flow.wait(active, event, suspension);
  };
  flow.deploy();
  await accept('e1');
  for (const id of ['s1', 's2', 's3']) {
    await runState('waiting');
    expect(await signal(id)).toBe(1);
  }
  await runState('completed');
  expect(flow.passed.map(({ by }) => by)).toEqual(['s1', 's2', 's3']);
});

test('two messages of one run that wait for the same both go on', async () => {
  const flow = new Flow();
  engine.waits.register('wait', ({ run, message }) => {
    const active = activeOf(run.id);
    engine.messageEntered(active);
    flow.passed.push({ event: String(message.event), by: '', suspension: 0 });
    engine.messageLeft(active);
  });
  engine.registerSource('source', 4, (run) => {
    const active = activeOf(run.id);
    engine.messageEntered(active);
    void Promise.all([flow.wait(active, 'left', 0), flow.wait(active, 'right', 0)]).finally(() =>
      engine.messageLeft(active),
    );
  });
  await accept('e1');
  await runState('waiting');
  expect(await signal('s1')).toBe(2);
  await runState('completed');
  expect(flow.passed.map(({ event }) => event).sort()).toEqual(['left', 'right']);
});

test('a run whose wait node is gone becomes a case, and waits again when it is back', async () => {
  const flow = new Flow();
  const takeOut = flow.deploy();
  await accept('e1');
  await runState('waiting');
  takeOut();
  const elsewhere = flow.deploy({ withWait: false });
  await runState('failed');
  expect(await cases()).toMatchObject([
    {
      code: 'NODE_MISSING',
      state: 'open',
      message: 'Deal A waits at Contract, which is no longer in the flow.',
    },
  ]);
  // The event comes meanwhile.
  await signal('s1');
  expect(await states()).toBe('failed');
  elsewhere();
  flow.deploy();
  await runState('completed');
  expect(await cases()).toMatchObject([{ state: 'resolved' }]);
  expect(flow.passed).toMatchObject([{ by: 's1' }]);
});

test('a waiting run that is cancelled does not go on', async () => {
  const flow = new Flow();
  engine.waits.register('wait', () => undefined);
  engine.registerSource('source', 4, (run) => {
    const active = activeOf(run.id);
    engine.messageEntered(active);
    void flow.wait(active, run.event.id, 0).finally(() => engine.messageLeft(active));
  });
  await accept('e1');
  await runState('waiting');
  const [run] = await runs();
  await engine.repairs.cancellations.cancel(run?.id ?? '', { actor: 'mia', reason: 'the deal is off' });
  expect([await states(), await suspensions()]).toEqual(['cancelled', ['cancelled']]);
  expect(await signal('s1')).toBe(0);
});

describe('a dry run', () => {
  const dryRun = async () => engine.repairs.dryRun((await runs())[0]?.id ?? '', 'mia');
  const refuse = () => {
    throw fail('rejected', 'TARGET_REJECTED');
  };

  test('ends where the run would wait, and keeps nothing', async () => {
    const flow = new Flow();
    flow.before.script = [refuse];
    flow.deploy();
    await accept('e1');
    await runState('failed');
    const node = { id: 'wait', name: 'Contract' };
    expect((await dryRun()).halts).toEqual([{ node, type: 'q2c-wait', why: 'waits' }]);
    expect(await suspensions()).toEqual([]);

    await signal('s1');
    expect((await dryRun()).halts).toEqual([]);
    expect(flow.passed).toMatchObject([{ by: 's1' }]);
    expect(await suspensions()).toEqual([]);
  });

  test('passes where the run has passed before', async () => {
    const flow = new Flow();
    flow.after.script = [refuse];
    flow.deploy();
    await accept('e1');
    await runState('waiting');
    await signal('s1');
    await runState('failed');
    const report = await dryRun();
    expect(report.halts).toEqual([]);
    expect(report.steps.map(({ operation, verdict }) => `${operation} ${verdict}`)).toEqual([
      'customer.upsert already_done',
      'project.create would_create',
    ]);
  });
});

describe('once', () => {
  const node = { nodeId: 'mail', key: null };

  /** A flow of a node that lets through once, and what is behind it. */
  function guarded(guarantee: 'at_most_once' | 'at_least_once', behind: () => Promise<void>) {
    let first = 0;
    let repeated = 0;
    engine.registerSource('source', 4, (run) => {
      const active = activeOf(run.id);
      engine.messageEntered(active);
      void engine
        .once(run.id, { ...node, guarantee })
        .then((earlier) => {
          if (earlier === null) first++;
          else repeated++;
          return behind();
        })
        .catch((error: Error) =>
          engine.errorRaised(active, { node: { id: 'm', name: 'm' }, message: error.message, code: null }),
        )
        .finally(() => engine.messageLeft(active));
    });
    return () => [first, repeated];
  }

  test.each([
    ['at_most_once', [1, 1]],
    ['at_least_once', [2, 0]],
  ] as const)('%s: what a crash broke off', async (guarantee, expected) => {
    let hold: Promise<void> = new Promise(() => undefined);
    const counts = guarded(guarantee, () => hold);
    await accept('e1');
    await until('the first passage', () => counts()[0] === 1);
    hold = Promise.resolve();
    const before = counts();
    await crash();
    const after = guarded(guarantee, () => hold);
    await runState('completed');
    expect([0, 1].map((index) => (before[index] ?? 0) + (after()[index] ?? 0))).toEqual(expected);
  });

  test.each([
    ['at_most_once', [1, 1]],
    ['at_least_once', [2, 0]],
  ] as const)('%s: what failed behind it and is retried', async (guarantee, expected) => {
    const failures = [new Error('no mail today')];
    const counts = guarded(guarantee, async () => {
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
    });
    await accept('e1');
    await runState('failed');
    await engine.retryRun((await runs())[0]?.id ?? '', 'mia');
    await runState('completed');
    expect(counts()).toEqual(expected);
  });

  test('at least once, and no more once the run came through', async () => {
    const counts = guarded('at_least_once', async () => undefined);
    await accept('e1');
    await runState('completed');
    const active = await engine.reopen((await runs())[0]?.id ?? '');
    engine.messageEntered(active);
    expect(await engine.once(active.run.id, { ...node, guarantee: 'at_least_once' })).toMatchObject({
      run: active.run.id,
    });
    engine.messageLeft(active);
    await runState('completed');
    expect(counts()).toEqual([1, 0]);
  });

  test('once per key over all runs, also while the first is under way', async () => {
    const all = await Promise.all(
      ['A', 'B', 'C'].map((name) => engine.oneOff('inject', newId('opportunity'), name)),
    );
    for (const guarantee of ['at_most_once', 'at_least_once'] as const) {
      const request = { nodeId: guarantee, key: 'ACME', guarantee };
      const passed = await Promise.all(all.map(({ run }) => engine.once(run.id, request)));
      expect(passed.map((earlier) => earlier === null)).toEqual([true, false, false]);
    }
  });
});
