import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, UndoEffect } from '../../../lib/engine';
import { type Store, verifyAudit } from '../../../lib/store';
import { fail, startEngine } from '../../support/engine';
import {
  AUTHOR,
  failedStep,
  flow,
  ids,
  inState,
  loseReply,
  openCases,
  refuse,
  runRow,
  stepRows,
  unreachable,
  Vendor,
  win,
} from './repair-support';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let folder: string;
let vendor: Vendor;
let deal: ReturnType<typeof ids>;
let effects: Record<string, UndoEffect>;

const retry = { maxRunRetries: 0 };

jest.setTimeout(20_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-cancel-'));
  vendor = new Vendor();
  deal = ids();
  effects = {};
  await begin();
});
afterEach(async () => {
  expect(await verifyAudit(store)).toBeNull();
  await stop();
  rmSync(folder, { recursive: true });
});

/** An engine on the store of this test, with a flow that makes customer, project and order. */
async function begin(
  options: { connected?: boolean; retry?: { maxRunRetries: number } } = {},
): Promise<void> {
  ({ engine, store, stop } = await startEngine({
    path: join(folder, 'q2c.db'),
    // A host that hangs in a call is left hanging; on PostgreSQL the next one waits for the end of its lease.
    stopAfterMs: 1,
    leaseMs: 2_000,
    retry: options.retry ?? retry,
  }));
  if (options.connected !== false) connect();
  flow(engine, () => steps());
}

const connect = () =>
  engine.repairs.registerTarget(
    'n-project',
    vendor.target((entity) => effects[entity] ?? 'removed'),
  );

const steps = () => [
  vendor.step('customer', deal.customer, { operation: 'customer.upsert', updates: true }),
  vendor.step('project', deal.project),
  vendor.step('order', deal.order),
];

/** A run that has made customer and project; its order was refused. */
async function stuck(): Promise<string> {
  vendor.twist('create order', refuse);
  const runId = await win(engine, 'A');
  await inState(store, runId, 'failed');
  return runId;
}

const undos = () => vendor.log.filter((call) => call.startsWith('undo'));
const xrefs = async () =>
  (await store.db.selectFrom('xref').select('canonical_id').where('system', '=', 'erp').execute()).map(
    ({ canonical_id }) => canonical_id,
  );
const audited = async (action: string) =>
  (await store.db.selectFrom('audit').select('actor').where('action', '=', action).execute()).length;

test('what the run has created is undone last first, and the run and its cases end', async () => {
  effects.customer = 'kept';
  const runId = await stuck();
  const report = await engine.repairs.cancellations.cancel(runId, AUTHOR);

  expect(report).toMatchObject({
    state: 'cancelled',
    stuck: null,
    undone: [
      { operation: 'project.create', effect: 'removed', canonicalId: deal.project },
      { operation: 'customer.upsert', effect: 'kept', why: 'target' },
    ],
  });
  expect(undos()).toEqual(['undo project', 'undo customer']);
  expect(vendor.records.map(({ key }) => key)).toEqual([deal.customer]);
  expect(await xrefs()).toEqual([deal.customer]);
  expect(await runRow(store, runId)).toMatchObject({ state: 'cancelled', retry_at: null, lease_owner: null });
  expect(await openCases(store)).toEqual([]);
  const states = (await stepRows(store)).map(({ operation, undoes, state }) => [
    operation,
    undoes !== null,
    state,
  ]);
  expect(states).toEqual([
    ['customer.upsert', false, 'confirmed'],
    ['project.create', false, 'undone'],
    ['order.create', false, 'rejected'],
    ['project.create', true, 'confirmed'],
    ['customer.upsert', true, 'skipped'],
  ]);
  expect([await audited('run.cancel_requested'), await audited('run.cancelled')]).toEqual([1, 1]);
  expect([await audited('step.undone'), await audited('step.kept')]).toEqual([1, 1]);
});

test('the case of the run is resolved by whoever cancelled it, with the reason', async () => {
  const runId = await stuck();
  await engine.repairs.cancellations.cancel(runId, AUTHOR);
  const history = await store.db.selectFrom('case_history').selectAll().orderBy('seq', 'desc').execute();
  expect(history[0]).toMatchObject({ action: 'resolved', actor: 'kim' });
  expect(JSON.parse(String(history[0]?.detail))).toEqual({ by: 'cancelled', reason: AUTHOR.reason });
});

test('a deal won again after the cancel makes everything anew', async () => {
  const runId = await stuck();
  await engine.repairs.cancellations.cancel(runId, AUTHOR);
  expect(vendor.records).toEqual([]);
  const next = await win(engine, 'A');
  await inState(store, next, 'completed');
  expect(vendor.records.map(({ key }) => key)).toEqual([deal.customer, deal.project, deal.order]);
  expect((await xrefs()).sort()).toEqual([deal.customer, deal.project, deal.order].sort());
});

test('a run that came through can be taken back too', async () => {
  const runId = await win(engine, 'A');
  await inState(store, runId, 'completed');
  expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({ state: 'cancelled' });
  expect(undos()).toEqual(['undo order', 'undo project', 'undo customer']);
  expect(vendor.records).toEqual([]);
});

test('asked twice at a time, and once more later, it is done once', async () => {
  const runId = await stuck();
  const reports = await Promise.all([
    engine.repairs.cancellations.cancel(runId, AUTHOR),
    engine.repairs.cancellations.cancel(runId, AUTHOR),
  ]);
  const later = await engine.repairs.cancellations.cancel(runId, AUTHOR);
  expect(reports[0]).toEqual(reports[1]);
  expect(later).toEqual(reports[0]);
  expect(undos()).toEqual(['undo project', 'undo customer']);
  expect(await audited('run.cancel_requested')).toBe(1);
});

test('a run under way, superseded or unknown is not taken back, and a reason is needed', async () => {
  const runId = await stuck();
  const code = (id: string, reason = 'why') =>
    engine.repairs.cancellations.cancel(id, { actor: 'kim', reason }).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    );
  expect(await code('run_none')).toBe('RUN_UNKNOWN');
  expect(await code(runId, '')).toBe('REASON_MISSING');
  for (const state of ['running', 'superseded'] as const) {
    await store.db.updateTable('run').set({ state }).where('id', '=', runId).execute();
    expect(await code(runId)).toBe('RUN_NOT_CANCELLABLE');
  }
  expect(undos()).toEqual([]);
});

test('a lost answer to an undo is harmless: it is made again', async () => {
  const runId = await stuck();
  vendor.twist('undo project', loseReply, unreachable);
  expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({ state: 'cancelled' });
  expect(undos()).toEqual(['undo project', 'undo project', 'undo project', 'undo customer']);
  expect(vendor.records).toEqual([]);
});

describe('what cannot be undone', () => {
  test('a refusal stops the cancel with a case, and asked again it goes on from there', async () => {
    const runId = await stuck();
    vendor.twist('undo customer', refuse);
    const stopped = await engine.repairs.cancellations.cancel(runId, AUTHOR);
    expect(stopped).toMatchObject({
      state: 'cancelling',
      undone: [{ operation: 'project.create' }],
      stuck: { node: 'Make the customer', reason: 'vendor said rejected' },
    });
    expect(await runRow(store, runId)).toMatchObject({ state: 'cancelling', retry_at: null });
    const cases = await openCases(store);
    expect(cases.map(({ code }) => code).sort()).toEqual(['COMPENSATION_FAILED', 'TARGET_REJECTED']);
    expect(cases.find(({ code }) => code === 'COMPENSATION_FAILED')).toMatchObject({
      message: 'Undo of "Make the customer" (erp: vendor said rejected) failed; manual action needed.',
      owner_role: 'integration_ops',
      subject: deal.customer,
    });

    expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({ state: 'cancelled' });
    expect(undos()).toEqual(['undo project', 'undo customer', 'undo customer']);
    expect(await openCases(store)).toEqual([]);
  });

  test('later runs of the record wait until the cancel is through', async () => {
    const runId = await stuck();
    vendor.twist('undo customer', refuse);
    await engine.repairs.cancellations.cancel(runId, AUTHOR);
    const next = await win(engine, 'A');
    const other = await win(engine, 'B');
    await inState(store, other, 'completed');
    expect((await runRow(store, next)).state).toBe('queued');
    await engine.repairs.cancellations.cancel(runId, AUTHOR);
    await inState(store, next, 'completed');
  });

  test('an outage passes by itself, and so does its case', async () => {
    await stop();
    await begin({ retry: { maxRunRetries: 5 } });
    const runId = await stuck();
    vendor.twist('undo project', unreachable, unreachable, unreachable, unreachable, unreachable);
    expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({ state: 'cancelling' });
    expect((await runRow(store, runId)).retry_at).not.toBeNull();
    await inState(store, runId, 'cancelled');
    expect(await openCases(store)).toEqual([]);
  });

  test('an operation without a way back needs a person, who says what became of it', async () => {
    flow(engine, () => [
      vendor.step('customer', deal.customer),
      vendor.step('letter', deal.project, { undo: 'person' }),
      vendor.step('order', deal.order),
    ]);
    const runId = await stuck();
    const { stuck: at } = await engine.repairs.cancellations.cancel(runId, AUTHOR);
    expect(at?.reason).toBe('letter.create declares no way back');

    const settle = (outcome: 'removed' | 'kept') =>
      engine.repairs.cancellations.settle(at?.stepKey ?? '', outcome, AUTHOR);
    await expect(settle('removed')).rejects.toMatchObject({ code: 'STEP_NOT_UNDONE' });
    expect(await settle('kept')).toMatchObject({
      state: 'cancelled',
      undone: [
        { operation: 'letter.create', effect: 'kept', why: 'person' },
        { operation: 'customer.create', effect: 'removed' },
      ],
    });
    expect(await settle('kept')).toMatchObject({ state: 'cancelled' });
    expect(await openCases(store)).toEqual([]);
  });

  test('a call whose reply was not kept is not taken for one that never came through', async () => {
    const runId = await stuck();
    await store.db
      .updateTable('step')
      .set({ reply: null })
      .where('operation', '=', 'project.create')
      .execute();
    expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({
      state: 'cancelling',
      stuck: { reason: 'the reply of project.create was not kept' },
    });
    expect(vendor.records).toHaveLength(2);
  });

  test('what a person has removed is asked for in the target, and forgotten', async () => {
    const runId = await stuck();
    vendor.twist('undo project', refuse);
    const { stuck: at } = await engine.repairs.cancellations.cancel(runId, AUTHOR);
    for (const { id, key } of [...vendor.records]) if (key === deal.project) vendor.remove(id);
    // The customer was made of the same content, which is all that the vendor of this test looks up.
    for (const record of vendor.records) record.content = { name: 'changed' };
    expect(await engine.repairs.cancellations.settle(at?.stepKey ?? '', 'removed', AUTHOR)).toMatchObject({
      state: 'cancelled',
      undone: [{ operation: 'project.create', effect: 'removed' }, { operation: 'customer.upsert' }],
    });
    expect(await xrefs()).toEqual([]);
  });

  test('without a node that is connected it is a case, and goes on when one is deployed', async () => {
    const runId = await stuck();
    await stop();
    await begin({ connected: false, retry: { maxRunRetries: 5 } });
    expect(await engine.repairs.cancellations.cancel(runId, AUTHOR)).toMatchObject({
      state: 'cancelling',
      stuck: { reason: expect.stringContaining('No deployed node is connected to erp main') },
    });
    expect((await openCases(store)).map(({ code }) => code)).toContain('COMPENSATION_FAILED');
    connect();
    await inState(store, runId, 'cancelled');
    expect(vendor.records).toEqual([]);
  });
});

describe('what stays', () => {
  test('a record that another run uses stays until that one is cancelled as well', async () => {
    const first = await win(engine, 'A');
    await inState(store, first, 'completed');
    const project = deal.project;
    deal = { ...ids(), customer: deal.customer };
    const second = await win(engine, 'B');
    await inState(store, second, 'completed');

    expect((await engine.repairs.cancellations.cancel(first, AUTHOR)).undone).toMatchObject([
      { operation: 'order.create', effect: 'removed' },
      { operation: 'project.create', effect: 'removed', canonicalId: project },
      { operation: 'customer.upsert', effect: 'kept', why: 'shared' },
    ]);
    expect(undos()).toEqual(['undo order', 'undo project']);
    await engine.repairs.cancellations.cancel(second, AUTHOR);
    expect(undos()).toEqual(['undo order', 'undo project', 'undo order', 'undo project', 'undo customer']);
    expect(vendor.records).toEqual([]);

    // No step of a cancelled run answers for the customer any more.
    const third = await win(engine, 'C');
    await inState(store, third, 'completed');
    expect(vendor.records).toHaveLength(3);
  });

  test('two runs taken back at the same time leave nothing of what they share', async () => {
    const first = await win(engine, 'A');
    await inState(store, first, 'completed');
    deal = { ...ids(), customer: deal.customer };
    const second = await win(engine, 'B');
    await inState(store, second, 'completed');
    await Promise.all([
      engine.repairs.cancellations.cancel(first, AUTHOR),
      engine.repairs.cancellations.cancel(second, AUTHOR),
    ]);
    expect(vendor.records).toEqual([]);
    expect(await xrefs()).toEqual([]);
  });

  test('a record that a person has made stays', async () => {
    await stuck();
    const id = vendor.byHand();
    await engine.repairs.steps.complete(await failedStep(store), id, AUTHOR);
    const [run] = await store.db.selectFrom('run').select('id').execute();
    await inState(store, run?.id ?? '', 'completed');
    expect((await engine.repairs.cancellations.cancel(run?.id ?? '', AUTHOR)).undone[0]).toMatchObject({
      operation: 'order.create',
      effect: 'kept',
      why: 'made_by_hand',
    });
    expect(vendor.records.map((record) => record.id)).toEqual([id]);
  });

  test('a record made inactive keeps its cross-reference', async () => {
    effects.project = 'inactive';
    const runId = await stuck();
    await engine.repairs.cancellations.cancel(runId, AUTHOR);
    expect(await xrefs()).toEqual([deal.project]);
    expect((await stepRows(store)).find(({ operation }) => operation === 'project.create')?.state).toBe(
      'undone',
    );
  });
});

describe('calls of unknown outcome', () => {
  /** The order's outcome is unknown: neither the call's answer nor the probe's came back. */
  async function undecided(twist: typeof loseReply, overrides = {}): Promise<string> {
    vendor.twist('create order', twist);
    const noAnswer = () => {
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    };
    flow(engine, () => [
      vendor.step('order', deal.order, { wire: { order: 1 }, probe: noAnswer, ...overrides }),
    ]);
    const runId = await win(engine, 'A');
    await inState(store, runId, 'failed');
    expect((await stepRows(store)).at(-1)?.state).toBe('unknown');
    return runId;
  }

  test('one that came through is found and undone', async () => {
    const runId = await undecided(loseReply);
    expect(vendor.records).toHaveLength(1);
    expect((await engine.repairs.cancellations.cancel(runId, AUTHOR)).undone).toMatchObject([
      { effect: 'removed' },
    ]);
    expect(vendor.records).toEqual([]);
  });

  test('one that did not is given up', async () => {
    const runId = await undecided(() => {
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    });
    const { undone, state } = await engine.repairs.cancellations.cancel(runId, AUTHOR);
    expect([state, undone]).toMatchObject(['cancelled', [{ effect: 'absent' }]]);
    expect(undos()).toEqual([]);
    expect((await stepRows(store))[0]?.state).toBe('failed');
    expect(await openCases(store)).toEqual([]);
  });

  test('an update of a record that was there before is left, and counts no longer', async () => {
    await store.db
      .insertInto('xref')
      .values({
        system: 'erp',
        instance: 'main',
        type: 'order',
        external_id: '1',
        canonical_id: deal.order,
        entity: 'contract',
        role: 'master',
        url: null,
        created_at: '2026-01-01T00:00:00.000Z',
      })
      .execute();
    const runId = await undecided(loseReply, { operation: 'order.upsert', updates: true });
    expect((await engine.repairs.cancellations.cancel(runId, AUTHOR)).undone).toMatchObject([
      { effect: 'kept' },
    ]);
    expect(vendor.records).toHaveLength(1);
    expect((await stepRows(store))[0]?.state).toBe('undone');
  });
});

describe('a host that ends in the middle', () => {
  /** Resolves when the call was made; it never returns, as for a host that is gone. */
  function dieDuring(call: string, isProcessed: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    vendor.twist(call, (proceed) => {
      if (isProcessed) proceed();
      resolve();
      return new Promise(() => undefined);
    });
    return promise;
  }

  /** The engine hangs in its call and never writes again; another one takes the store over. */
  async function crash(options?: { connected: boolean }): Promise<void> {
    // Stops its clocks; it would wait for its call for ever.
    void engine.stop();
    await store.close();
    await begin(options);
  }

  test.each([
    ['before the undo was processed', false],
    ['after the undo was processed', true],
  ])('%s: the next start goes on, without being asked', async (_, isProcessed) => {
    const runId = await stuck();
    const dead = dieDuring('undo project', isProcessed);
    void engine.repairs.cancellations.cancel(runId, AUTHOR);
    await dead;
    expect((await stepRows(store)).at(-1)).toMatchObject({ state: 'intent', operation: 'project.create' });
    await crash();
    await inState(store, runId, 'cancelled');
    expect(undos()).toEqual(['undo project', 'undo project', 'undo customer']);
    expect(vendor.records).toEqual([]);
    expect(await openCases(store)).toEqual([]);
  });

  test('between two undos: what is done is not done again', async () => {
    const runId = await stuck();
    const dead = dieDuring('undo customer', false);
    void engine.repairs.cancellations.cancel(runId, AUTHOR);
    await dead;
    await crash();
    await inState(store, runId, 'cancelled');
    expect(undos()).toEqual(['undo project', 'undo customer', 'undo customer']);
  });

  test('waits for the nodes of the flows before it opens cases', async () => {
    const runId = await stuck();
    const dead = dieDuring('undo project', false);
    void engine.repairs.cancellations.cancel(runId, AUTHOR);
    await dead;
    await crash({ connected: false });
    // The scan that sends a due run again comes with the one that looks after cancels.
    deal = ids();
    vendor.twist('create order', refuse);
    const due = await win(engine, 'B');
    await inState(store, due, 'failed');
    await store.db
      .updateTable('run')
      .set({ retry_at: '2026-01-01T00:00:00.000Z' })
      .where('id', '=', due)
      .execute();
    await inState(store, due, 'completed');
    expect((await openCases(store)).map(({ code }) => code)).toEqual(['TARGET_REJECTED']);
    connect();
    await inState(store, runId, 'cancelled');
  });
});
