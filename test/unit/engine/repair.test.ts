import type { Engine } from '../../../lib/engine';
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
  Vendor,
  win,
} from './repair-support';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let vendor: Vendor;
let deal: ReturnType<typeof ids>;

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine({ retry: { maxRunRetries: 0 } }));
  vendor = new Vendor();
  deal = ids();
  engine.repairs.registerTarget('n-project', vendor.target());
  flow(engine, () => [vendor.step('customer', deal.customer), vendor.step('project', deal.project)]);
});
afterEach(async () => {
  expect(await verifyAudit(store)).toBeNull();
  await stop();
});

const decisions = () => store.db.selectFrom('step_decision').selectAll().execute();
const audit = (action: string) =>
  store.db.selectFrom('audit').selectAll().where('action', '=', action).execute();

const unreachable = () => {
  throw fail('transient');
};

/** A run whose project was refused. */
async function stuck(): Promise<{ runId: string; stepKey: string }> {
  vendor.twist('create project', refuse);
  const runId = await win(engine);
  await inState(store, runId, 'failed');
  return { runId, stepKey: await failedStep(store) };
}

describe('correct', () => {
  test('a patch is sent in place of what was refused, and the run comes through', async () => {
    const { runId, stepKey } = await stuck();
    await engine.repairs.steps.correct(stepKey, { patch: { name: null, title: 'ACME 2' } }, AUTHOR);
    await inState(store, runId, 'completed');

    expect(vendor.records.map(({ content }) => content)).toEqual([{ name: 'ACME' }, { title: 'ACME 2' }]);
    expect(vendor.log).toEqual(['create customer', 'create project', 'create project']);
    expect(await openCases(store)).toEqual([]);
    const [line] = await audit('step.corrected');
    expect(line).toMatchObject({ actor: 'kim', run_id: runId });
    const detail = JSON.parse(line?.detail ?? '{}');
    expect(detail).toMatchObject({ reason: AUTHOR.reason, operation: 'project.create' });
    expect(detail.before).not.toBe(detail.after);
    const steps = await stepRows(store);
    expect(detail).toMatchObject({
      before: steps.find(({ key }) => key === stepKey)?.fingerprint,
      after: steps.at(-1)?.fingerprint,
    });
  });

  test('the form shows what was sent, why it was refused, and what was decided', async () => {
    const { runId, stepKey } = await stuck();
    expect(await engine.repairs.steps.stepInput(stepKey)).toEqual({
      runId,
      operation: 'project.create',
      wire: { name: 'ACME' },
      error: { code: 'TARGET_REJECTED', message: 'vendor said rejected' },
      decision: null,
    });
    const correction = { wire: { name: 'all new' } };
    await engine.repairs.steps.correct(stepKey, correction, AUTHOR);
    expect((await engine.repairs.steps.stepInput(stepKey)).decision).toMatchObject({
      kind: 'correct',
      correction,
      ...AUTHOR,
    });
    await inState(store, runId, 'completed');
    expect(vendor.records.at(-1)?.content).toEqual({ name: 'all new' });
  });

  test('a correction that is refused too leaves the case open, and another one takes its place', async () => {
    const { runId, stepKey } = await stuck();
    vendor.twist('create project', refuse);
    await engine.repairs.steps.correct(stepKey, { patch: { name: 'still wrong' } }, AUTHOR);
    await inState(store, runId, 'failed');
    expect(await openCases(store)).toMatchObject([{ code: 'TARGET_REJECTED', occurrences: 2 }]);

    const again = (await stepRows(store)).at(-1)?.key ?? '';
    await engine.repairs.steps.correct(again, { patch: { name: 'right' } }, AUTHOR);
    await inState(store, runId, 'completed');
    expect(vendor.records.at(-1)?.content).toEqual({ name: 'right' });
    expect(await decisions()).toHaveLength(1);
  });

  test('sent twice it counts once', async () => {
    const { runId, stepKey } = await stuck();
    const correction = { patch: { name: 'right' } };
    await Promise.all([
      engine.repairs.steps.correct(stepKey, correction, AUTHOR),
      engine.repairs.steps.correct(stepKey, correction, AUTHOR),
    ]);
    await inState(store, runId, 'completed');
    expect((await runRow(store, runId)).attempt).toBe(2);
    expect(await audit('step.corrected')).toHaveLength(1);
  });

  test('is refused for what is done, what is undecided, without a reason, and for what is not there', async () => {
    const { runId, stepKey } = await stuck();
    const [customer] = await stepRows(store);
    const patch = { patch: { name: 'x' } };
    const code = (key: string, reason = 'why') =>
      engine.repairs.steps.correct(key, patch, { actor: 'kim', reason }).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
    expect(await code(customer?.key ?? '')).toBe('STEP_SETTLED');
    expect(await code(stepKey, ' ')).toBe('REASON_MISSING');
    expect(await code('run_x:y')).toBe('STEP_UNKNOWN');
    await store.db.updateTable('step').set({ state: 'unknown' }).where('key', '=', stepKey).execute();
    expect(await code(stepKey)).toBe('STEP_UNDECIDED');
    await store.db.updateTable('step').set({ state: 'rejected' }).where('key', '=', stepKey).execute();
    await store.db.updateTable('run').set({ state: 'running' }).where('id', '=', runId).execute();
    expect(await code(stepKey)).toBe('RUN_NOT_RETRIABLE');
    expect(await decisions()).toEqual([]);
  });
});

describe('complete by hand', () => {
  test('the record is taken over: cross-reference, origin, and no call', async () => {
    const { runId, stepKey } = await stuck();
    const id = vendor.byHand();
    await engine.repairs.steps.complete(stepKey, id, AUTHOR);
    await inState(store, runId, 'completed');

    expect(vendor.log).toEqual(['create customer', 'create project']);
    expect(vendor.records.find((record) => record.id === id)?.key).toBe(deal.project);
    expect((await stepRows(store)).at(-1)).toMatchObject({ state: 'confirmed', origin: 'manual', calls: 1 });
    expect(
      await store.db.selectFrom('xref').selectAll().where('canonical_id', '=', deal.project).execute(),
    ).toMatchObject([{ system: 'erp', type: 'project', external_id: id }]);
    expect(await openCases(store)).toEqual([]);
    expect(await audit('step.completed_by_hand')).toMatchObject([{ actor: 'kim' }]);
  });

  test('the answer to the run is kept when the flow comes by with other content', async () => {
    const { runId, stepKey } = await stuck();
    let content = 'ACME';
    flow(
      engine,
      () => [
        vendor.step('customer', deal.customer),
        vendor.step('project', deal.project, { wire: { name: content } }),
        vendor.step('order', deal.order),
      ],
      'source',
    );
    vendor.twist('create order', refuse);
    await engine.repairs.steps.complete(stepKey, vendor.byHand(), AUTHOR);
    await inState(store, runId, 'failed');
    content = 'renamed meanwhile';
    await engine.retryRun(runId, 'kim');
    await inState(store, runId, 'completed');
    expect(vendor.log.filter((call) => call === 'create project')).toHaveLength(1);
  });

  test('an id that is not there, or belongs to another record, is refused at once', async () => {
    const { stepKey } = await stuck();
    await expect(engine.repairs.steps.complete(stepKey, '1', AUTHOR)).rejects.toMatchObject({
      code: 'RECORD_NOT_FOUND',
    });
    const customer = vendor.records[0]?.id ?? '';
    await engine.store.db
      .updateTable('xref')
      .set({ type: 'project' })
      .where('external_id', '=', customer)
      .execute();
    await expect(engine.repairs.steps.complete(stepKey, customer, AUTHOR)).rejects.toMatchObject({
      code: 'RECORD_TAKEN',
    });
    expect(await decisions()).toEqual([]);
  });

  test('without a connection nothing can be checked, so nothing is taken', async () => {
    await stop();
    ({ engine, store, stop } = await startEngine({ retry: { maxRunRetries: 0 } }));
    flow(engine, () => [vendor.step('project', deal.project)]);
    const { stepKey } = await stuck();
    await expect(engine.repairs.steps.complete(stepKey, vendor.byHand(), AUTHOR)).rejects.toMatchObject({
      code: 'TARGET_NOT_CONNECTED',
    });
  });

  test('a step of unknown outcome is looked up first: what came through is not made a second time', async () => {
    vendor.twist('create project', loseReply);
    const step = vendor.step('project', deal.project, {
      wire: { name: 'only project' },
      probe: unreachable,
    });
    flow(engine, () => [step]);
    const runId = await win(engine);
    await inState(store, runId, 'failed');
    const key = await failedStep(store);
    await expect(engine.repairs.steps.complete(key, vendor.byHand(), AUTHOR)).rejects.toMatchObject({
      code: 'STEP_SETTLED',
    });

    vendor.remove(vendor.records.find(({ key: own }) => own === deal.project)?.id ?? '');
    await engine.repairs.steps.complete(key, vendor.byHand(), AUTHOR);
    await inState(store, runId, 'completed');
    expect((await stepRows(store)).at(-1)).toMatchObject({ state: 'confirmed', origin: 'manual' });
  });
});

describe('skip', () => {
  test('the run goes on without the step, and says so', async () => {
    const { runId, stepKey } = await stuck();
    await engine.repairs.steps.skip(stepKey, AUTHOR);
    await inState(store, runId, 'completed');
    expect(vendor.log).toEqual(['create customer', 'create project']);
    expect((await stepRows(store)).map(({ state }) => state)).toEqual(['confirmed', 'skipped']);
    expect(await openCases(store)).toEqual([]);
    expect(await audit('step.skipped')).toMatchObject([{ actor: 'kim', run_id: runId }]);
    const history = await store.db.selectFrom('case_history').select(['action', 'actor']).execute();
    expect(history).toEqual([
      { action: 'opened', actor: 'engine' },
      { action: 'skipped', actor: 'kim' },
      { action: 'replay_requested', actor: 'kim' },
      { action: 'resolved', actor: 'engine' },
    ]);
  });

  test('an unknown outcome is not skipped as long as nobody can find out', async () => {
    vendor.twist('create project', loseReply);
    flow(engine, () => [vendor.step('project', deal.project, { probe: unreachable })]);
    const runId = await win(engine);
    await inState(store, runId, 'failed');
    const key = await failedStep(store);
    await expect(engine.repairs.steps.skip(key, AUTHOR)).rejects.toMatchObject({ code: 'STEP_SETTLED' });
    expect(await openCases(store)).toHaveLength(1);
    expect((await stepRows(store))[0]?.state).toBe('unknown');

    vendor.records.length = 0;
    await engine.repairs.steps.skip(key, AUTHOR);
    await inState(store, runId, 'completed');
    expect((await stepRows(store))[0]?.state).toBe('skipped');
  });
});
