import type { CanonicalId } from '../../../lib/model';
import { verifyAudit } from '../../../lib/store';
import { FakeVendor, fail, until } from '../../support/engine';
import { openSite, person, type Site } from './support';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.stop());

const kim = person('kim', { mayApprove: true });
const lea = person('lea', { roles: ['finance_controller'], mayApprove: true });
const large = { amount: '240000.00', currency: 'EUR' };

/** A deal that stops at an invoice of much money. */
async function stoppedInvoice(vendor: FakeVendor) {
  const step = vendor.step({
    operation: 'invoice.create',
    about: {
      params: { system: 'ERP', document: 'invoice 1' },
      ownerRole: 'finance_ops',
      amountAtRisk: large,
      facts: { system: 'erp', entity: 'invoice' },
    },
  });
  const runId = await site.deal((run) => site.engine.step(run.id, step).then(() => undefined));
  await until('it to fail', async () => (await site.runState(runId)) === 'failed');
  const [line] = (await site.governance.queue({ runId }, 'due', { limit: 1 })).items;
  return { runId, caseId: line?.id ?? '' };
}
const refusing = () => {
  const vendor = new FakeVendor();
  vendor.script = [() => Promise.reject(fail('rejected', 'TARGET_REJECTED'))];
  return vendor;
};
const ask = async (caseId: CanonicalId) => {
  const asked = await site.governance.act(caseId, { action: 'retry' }, 'Repaired', kim);
  if (asked.status !== 'pending_approval') throw new Error('It was done at once.');
  return asked.approval;
};

test('a financial replay waits, and is done when another person agrees', async () => {
  const vendor = refusing();
  const { runId, caseId } = await stoppedInvoice(vendor);
  const approval = await ask(caseId);
  expect(approval).toMatchObject({
    state: 'pending',
    requestedBy: 'kim',
    reason: 'Repaired',
    because: expect.stringContaining('50000 EUR or more'),
    amountAtRisk: large,
  });
  expect(vendor.calls).toBe(1);
  expect((await site.governance.queue({}, 'due', { limit: 1 })).items[0]?.approvalPending).toBe(true);
  expect((await site.governance.approvals({ state: 'pending' }, { limit: 5 })).items).toEqual([approval]);

  const done = await site.governance.approve(approval.id, 'Checked against the contract', lea);
  expect(done.status).toBe('done');
  await until('it to come through', async () => (await site.runState(runId)) === 'completed');
  expect(vendor.calls).toBe(2);
  expect(await site.history(caseId)).toEqual([
    ...['opened', 'approval_requested', 'approved', 'replay_requested', 'resolved'],
  ]);
  const view = await site.governance.view(caseId, kim);
  expect(view?.approvals).toMatchObject([{ state: 'done', decidedBy: 'lea' }]);
  expect(view?.history[3]).toMatchObject({ by: 'kim', detail: { reason: 'Repaired (approved by lea)' } });
  expect(view?.approvalPending).toBe(false);
  expect(await verifyAudit(site.store)).toBeNull();
});

describe('the second person', () => {
  test.each([
    ['is not the one who asked', kim, 'another person has to decide'],
    ['must be allowed to approve', person('max'), 'max may not approve'],
  ])('%s', async (_, by, words) => {
    const { caseId } = await stoppedInvoice(refusing());
    const { id } = await ask(caseId);
    for (const decide of [
      () => site.governance.approve(id, '', by),
      () => site.governance.reject(id, '', by),
    ]) {
      await expect(decide()).rejects.toMatchObject({
        code: 'NOT_PERMITTED',
        message: expect.stringContaining(words),
      });
    }
    expect((await site.governance.approvals({}, { limit: 1 })).items[0]?.state).toBe('pending');
  });

  test('has not repaired the same run before', async () => {
    const vendor = refusing();
    vendor.script.push(...vendor.script);
    const { runId, caseId } = await stoppedInvoice(vendor);
    const correction = { patch: { name: 'Acme' } };
    const first = await site.governance
      .act(caseId, { action: 'correct', correction }, 'Name', lea)
      .catch((error: Error) => error);
    expect(first).toMatchObject({ code: 'NOT_PERMITTED' });
    await site.governance.assign(caseId, 'lea', kim);
    const asked = await site.governance.act(caseId, { action: 'correct', correction }, 'Name', lea);
    if (asked.status !== 'pending_approval') throw new Error('It was done at once.');
    await site.governance.approve(asked.approval.id, '', kim);
    await until('it to fail', async () => (await site.runState(runId)) === 'failed');
    const { id } = await ask(caseId);
    await expect(site.governance.approve(id, '', lea)).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
      message: expect.stringContaining('has repaired this run'),
    });
  });

  test('who refuses ends it, and another may be asked for', async () => {
    const vendor = refusing();
    const { caseId } = await stoppedInvoice(vendor);
    const { id } = await ask(caseId);
    expect(await site.governance.reject(id, 'The amount is wrong', lea)).toMatchObject({
      state: 'rejected',
      note: 'The amount is wrong',
    });
    await expect(site.governance.approve(id, '', lea)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
    expect((await ask(caseId)).id).not.toBe(id);
    expect(vendor.calls).toBe(1);
  });
});

test('asked twice it is stored once; something else has to wait; only who asked withdraws', async () => {
  const { caseId } = await stoppedInvoice(refusing());
  const { id } = await ask(caseId);
  expect((await ask(caseId)).id).toBe(id);
  await expect(site.governance.act(caseId, { action: 'skip' }, 'x', kim)).rejects.toMatchObject({
    code: 'ILLEGAL_TRANSITION',
    message: expect.stringContaining('waits for a second person already'),
  });
  await expect(site.governance.withdraw(id, lea)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  expect(await site.governance.withdraw(id, kim)).toMatchObject({ state: 'withdrawn' });
  expect(await site.governance.act(caseId, { action: 'skip' }, 'x', kim)).toMatchObject({
    status: 'pending_approval',
  });
});

test('what cannot be done any more has failed, and says why', async () => {
  const vendor = refusing();
  const { runId, caseId } = await stoppedInvoice(vendor);
  const { id } = await ask(caseId);
  await site.engine.repairs.cancellations.cancel(runId, { actor: 'eve', reason: 'The customer withdrew' });
  await expect(site.governance.approve(id, '', lea)).rejects.toMatchObject({ code: 'RUN_NOT_RETRIABLE' });
  expect((await site.governance.approvals({}, { limit: 1 })).items).toMatchObject([
    { state: 'failed', note: expect.stringContaining('is cancelled') },
  ]);
});

test('what is being done is not done twice; after the end of its host it may be agreed on again', async () => {
  const vendor = refusing();
  const { runId, caseId } = await stoppedInvoice(vendor);
  const { id } = await ask(caseId);
  // The host ends right after it has noted that lea agrees.
  await site.store.write((tx) =>
    tx
      .updateTable('case_approval')
      .set({ state: 'approved', decided_by: 'lea', decided_at: site.clock.now })
      .execute(),
  );
  await expect(site.governance.approve(id, '', lea)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
  site.clock.now = new Date(Date.parse(site.clock.now) + 60_000).toISOString();
  expect((await site.governance.approve(id, '', lea)).status).toBe('done');
  await until('it to come through', async () => (await site.runState(runId)) === 'completed');
  expect(vendor.calls).toBe(2);
});

test('a retry of the run itself is held back by its case as well', async () => {
  const vendor = refusing();
  const { runId } = await stoppedInvoice(vendor);
  expect(await site.governance.actOnRun(runId, { action: 'retry' }, 'Again', kim)).toMatchObject({
    status: 'pending_approval',
  });
  await expect(
    site.governance.actOnRun(runId, { action: 'cancel' }, 'x', person('max', { roles: ['sales_ops'] })),
  ).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  expect(vendor.calls).toBe(1);
});

test('a bulk retry passes over runs that need a second person, or are of another role', async () => {
  const financial = refusing();
  await stoppedInvoice(financial);
  const plain = refusing();
  const step = plain.step();
  const runId = await site.deal((run) => site.engine.step(run.id, step).then(() => undefined));
  await until('it to fail', async () => (await site.runState(runId)) === 'failed');
  const retryAs = async (by: typeof kim) => {
    let last = {};
    for await (const progress of site.governance.retryRuns({}, 'The ERP is repaired', by)) last = progress;
    return last;
  };
  expect(await retryAs(person('max', { roles: ['sales_ops'] }))).toMatchObject({ total: 2, passedOver: 2 });
  expect(await retryAs(kim)).toMatchObject({ total: 2, completed: 1, passedOver: 1 });
  expect([financial.calls, plain.calls]).toEqual([1, 2]);
});

test('a waiver needs a reason, and above the threshold a second person', async () => {
  const { id } = await site.raise({ about: { amountAtRisk: large } });
  await expect(site.governance.act(id, { action: 'waive' }, '  ', kim)).rejects.toMatchObject({
    code: 'REASON_MISSING',
  });
  const asked = await site.governance.act(id, { action: 'waive' }, 'The deal is off', kim);
  if (asked.status !== 'pending_approval') throw new Error('It was done at once.');
  expect(asked.case.status).toBe('open');
  expect(await site.governance.approve(asked.approval.id, '', lea)).toMatchObject({
    status: 'done',
    case: { status: 'waived', approvalPending: false },
  });
});

test('many at once: some done, some waiting, some refused', async () => {
  const small = await site.raise();
  const big = await site.raise({ about: { amountAtRisk: large } });
  const foreign = await site.raise({ ownerRole: 'sales_ops' });
  const waived = await site.raise();
  await site.governance.act(waived.id, { action: 'waive' }, 'Settled by phone', kim);
  const ids = [small.id, big.id, foreign.id, waived.id];
  const { bulkJobs } = site.engine.repairs;
  const job = await site.governance.startBulk(ids, { action: 'waive' }, 'Cleaning up', kim);
  await until('its end', async () => (await bulkJobs.find(job)).endedAt !== null);
  expect(await bulkJobs.find(job)).toMatchObject({
    progress: { total: 4, completed: 1, pendingApproval: 1, failed: 1, passedOver: 1, underWay: 0 },
    lastError: { subject: foreign.id, code: 'NOT_PERMITTED' },
  });
});
