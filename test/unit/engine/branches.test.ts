import type { ActiveRun, Engine } from '../../../lib/engine';
import { Branches } from '../../../lib/engine/branches';
import type { Store } from '../../../lib/store';
import { FakeVendor, startEngine, until } from '../../support/engine';

const JOIN = { id: 'join', name: 'Both' };
const EXPECTED = [
  { id: 'a', name: 'A' },
  { id: 'b', name: 'B' },
];
const arrival = (branch: string, of = 'm1') => ({
  node: JOIN,
  of,
  branch,
  expected: EXPECTED,
  message: { branch },
  isOfEarlierFork: false,
});

describe('where branches come together', () => {
  let branches: Branches;
  beforeEach(() => {
    branches = new Branches();
  });

  test('all messages are given out once, when the last one has come', () => {
    expect(branches.unfinished).toEqual([]);
    expect(branches.arrive(arrival('a'))).toBeNull();
    expect(branches.unfinished).toEqual([{ node: JOIN, missing: ['B'] }]);
    expect(branches.arrive(arrival('b'))).toEqual(
      new Map([
        ['a', { branch: 'a' }],
        ['b', { branch: 'b' }],
      ]),
    );
    expect(branches.unfinished).toEqual([]);
    expect(branches.arrive(arrival('b'))).toBe('repeated');
  });

  test('a branch that comes twice does not stand for the other one', () => {
    branches.arrive(arrival('a'));
    expect(branches.arrive(arrival('a'))).toBe('repeated');
    expect(branches.unfinished).toHaveLength(1);
  });

  test('what has parted before this passage is never put together in it', () => {
    branches.arrive(arrival('a'));
    expect(branches.arrive({ ...arrival('b'), isOfEarlierFork: true })).toBeNull();
    expect(branches.unfinished).toHaveLength(1);
  });

  test('the state at the last fork that messages have in common', () => {
    const [first, inner] = [branches.parted('plan m1', 'first'), branches.parted('x m1', 'inner')];
    expect(branches.parted('plan m1', 'later')).toBe(first);
    expect(branches.stateAtFork([[first], [first, inner]])).toBe('first');
    expect(
      branches.stateAtFork([
        [first, inner],
        [first, inner],
      ]),
    ).toBe('inner');
    expect(branches.stateAtFork([[first], []])).toBeUndefined();
  });
});

describe('a run of two branches, one of which waits', () => {
  let engine: Engine;
  let store: Store;
  let stop: () => Promise<void>;
  let passages: string[];
  const vendor = new FakeVendor();

  beforeEach(async () => {
    ({ engine, store, stop } = await startEngine({ scanMs: 20 }));
    passages = [];
  });
  afterEach(() => stop());

  const state = async () =>
    (await store.db.selectFrom('run').select(['state', 'attempt']).executeTakeFirst())?.state;

  /** Both branches meet; what comes of it is noted. */
  function meet(active: ActiveRun, branch: string): void {
    const { isResumption, repeatable } = active;
    const come = active.branches.arrive({ ...arrival(branch), isOfEarlierFork: isResumption && repeatable });
    passages.push(`${branch}${isResumption ? ' resumed' : ''}${come instanceof Map ? ', together' : ''}`);
  }

  async function waits(active: ActiveRun): Promise<void> {
    const passed = await engine.wait(active.run.id, {
      node: { id: 'wait', name: 'Approval' },
      event: 'approval',
      key: 'k',
      parent: 0,
      deadline: null,
      onTimeout: 'send',
      earlier: 'once',
      holdsOrder: true,
      message: {},
      about: { params: {}, ownerRole: 'sales_ops' },
    });
    if (passed !== null) meet(active, 'b');
  }

  function carry(runId: string, work: (active: ActiveRun) => Promise<unknown>): void {
    const active = engine.underWay(runId);
    engine.messageEntered(active);
    work(active)
      .then(() => undefined)
      .finally(() => engine.messageLeft(active));
  }

  const accept = () =>
    engine.accept({
      sourceNode: 'source',
      system: 'crm',
      instance: 'org',
      source: '/q2c/test/source',
      events: [
        {
          id: 'e1',
          type: 'q2c.opportunity.won.v1',
          time: '2026-01-05T10:00:00.000Z',
          subject: { entity: 'opportunity', type: 'Opportunity', id: 'A' },
          title: 'Deal A',
          data: {},
        },
      ],
    });

  const deploy = () => {
    engine.waits.register('wait', ({ run }) => carry(run.id, async (active) => meet(active, 'b')));
    engine.registerSource('source', 4, (run) => {
      carry(run.id, async (active) => {
        const canonicalId = run.correlationId;
        await engine.step(run.id, vendor.step({ canonicalId }));
        meet(active, 'a');
      });
      carry(run.id, waits);
    });
  };

  test('begins anew when the one that waited comes alone, and both come together', async () => {
    deploy();
    await accept();
    await until('the run to wait', async () => (await state()) === 'waiting');
    await engine.signal({ event: 'approval', key: 'k', actor: 'mia', id: 's1' });
    await until('the run to complete', async () => (await state()) === 'completed');
    expect(passages[0]).toBe('a');
    expect(passages[1]).toBe('b resumed');
    expect(passages.slice(2).sort()).toEqual([expect.stringMatching(/^a/), expect.stringMatching(/^b/)]);
    expect(passages.at(-1)).toMatch(/together$/);
    expect(vendor.calls).toBe(1);
    expect(await store.db.selectFrom('exception_case').selectAll().execute()).toEqual([]);
    expect((await store.db.selectFrom('run').select('attempt').execute())[0]?.attempt).toBe(1);
  });
});
