import { FakeVendor, fail, until } from '../../support/engine';
import { MONDAY, openSite, person, policyWith, type Site } from './support';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.stop());

const kim = person('kim');
const lea = person('lea', { roles: ['sales_ops'] });

describe('a case that is opened', () => {
  test('goes where the policy says, with all its time, and is told of', async () => {
    await site.stop();
    site = await openSite({
      policy: policyWith({
        rules: [
          { when: { regions: ['EMEA'], codes: ['TAX_REGISTRATION_MISSING'] }, slaHours: 2 },
          {
            when: { amountAtLeast: { EUR: '100000' } },
            severity: 'critical',
            ownerRole: 'finance_controller',
          },
        ],
      }),
    });
    const amountAtRisk = { amount: '240000.00', currency: 'EUR' };
    const { id } = await site.raise({ about: { amountAtRisk, facts: { region: 'EMEA' } } });
    expect(await site.governance.view(id, kim)).toMatchObject({
      ownerRole: 'finance_controller',
      severity: 'critical',
      amountAtRisk,
      sla: { due: '2026-11-16T11:00:00.000Z', breachedAt: null },
      region: 'EMEA',
      status: 'open',
      version: 1,
      policyVersion: expect.stringMatching(/^test@[0-9a-f]{12}$/),
    });
    expect(await site.told()).toEqual(['exception.opened']);
    const [policy] = await site.store.db.selectFrom('case_policy').selectAll().execute();
    expect(policy?.first_used_at).toBe(MONDAY);
  });

  test('goes to whom the node names, whatever the policy says', async () => {
    const { id } = await site.raise({ ownerRole: 'sales_ops', severity: 'warning' });
    expect(await site.governance.view(id, lea)).toMatchObject({
      ownerRole: 'sales_ops',
      severity: 'warning',
    });
  });

  test('that comes back begins anew, and is counted', async () => {
    const first = await site.raise();
    await site.governance.assign(first.id, 'kim', kim);
    await site.governance.act(first.id, { action: 'waive' }, 'agreed', kim);
    site.clock.now = '2026-11-17T09:00:00.000Z';
    const again = await site.raise({ subject: first.deal });
    expect(again.id).toBe(first.id);
    expect(await site.governance.view(first.id, kim)).toMatchObject({
      status: 'open',
      assignee: null,
      reopened: 1,
      occurrences: 2,
      sla: { due: '2026-11-17T17:00:00.000Z' },
    });
    expect(await site.history(first.id)).toEqual(['opened', 'assigned', 'waived', 'reopened']);
    expect(await site.told()).toEqual([
      ...['exception.opened', 'exception.assigned', 'exception.resolved', 'exception.opened'],
    ]);
  });
});

describe('what people do with it', () => {
  test('assigning tells before and after, in history and audit', async () => {
    const { id } = await site.raise();
    const line = await site.governance.assign(id, ' kim ', kim, 1);
    expect(line).toMatchObject({ status: 'assigned', assignee: 'kim', version: 2 });
    const view = await site.governance.view(id, kim);
    expect(view?.history.at(-1)).toEqual({
      at: MONDAY,
      by: 'kim',
      action: 'assigned',
      detail: {
        before: { assignee: null, status: 'open' },
        after: { assignee: 'kim', status: 'assigned' },
      },
    });
    const audit = await site.store.db.selectFrom('audit').selectAll().where('subject', '=', id).execute();
    expect(audit.map(({ actor, action }) => [actor, action])).toEqual([
      ['engine', 'case.opened'],
      ['kim', 'case.assigned'],
    ]);
  });

  test('a case of another role is not theirs to act on, but to comment', async () => {
    const { id } = await site.raise();
    await expect(site.governance.assign(id, 'lea', lea)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    await expect(site.governance.act(id, { action: 'waive' }, 'no', lea)).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
    });
    await site.governance.comment(id, 'The customer will send it on Friday.', lea);
    const view = await site.governance.view(id, lea);
    expect(view?.actions).toEqual(['comment']);
    expect(view?.history.at(-1)?.detail).toEqual({ comment: 'The customer will send it on Friday.' });
    const audit = await site.store.db.selectFrom('audit').select('detail').execute();
    expect(audit.filter(({ detail }) => detail.includes('Friday'))).toEqual([]);
  });

  test('whoever it is assigned to may act on it', async () => {
    const { id } = await site.raise();
    await site.governance.assign(id, 'lea', kim);
    expect(await site.governance.startRepair(id, lea)).toMatchObject({ status: 'in_repair' });
  });

  test('what was read before somebody else changed it is not written', async () => {
    const { id } = await site.raise();
    await site.governance.assign(id, 'kim', kim, 1);
    await expect(site.governance.startRepair(id, kim, 1)).rejects.toMatchObject({ code: 'CASE_CHANGED' });
    expect(await site.governance.startRepair(id, kim, 2)).toMatchObject({ version: 3 });
  });

  test('it follows the states of the model', async () => {
    const { id } = await site.raise();
    const illegal = { code: 'ILLEGAL_TRANSITION' };
    await expect(site.governance.readyToReplay(id, kim)).rejects.toMatchObject(illegal);
    expect(await site.governance.startRepair(id, kim)).toMatchObject({
      status: 'in_repair',
      assignee: 'kim',
    });
    await expect(site.governance.resolve(id, 'done', kim)).rejects.toMatchObject({
      code: 'CASE_NOT_SETTLED',
    });
    expect(await site.governance.readyToReplay(id, kim)).toMatchObject({ status: 'ready_to_replay' });
    await expect(site.governance.act(id, { action: 'waive' }, 'no', kim)).rejects.toMatchObject(illegal);
  });

  test('one that is closed is left alone', async () => {
    const { id } = await site.raise();
    await site.governance.act(id, { action: 'waive' }, 'agreed', kim);
    for (const act of [
      () => site.governance.assign(id, 'kim', kim),
      () => site.governance.snooze(id, '2026-12-01T00:00:00.000Z', '', kim),
      () => site.governance.escalate(id, 'admin', 'late', kim),
      () => site.governance.act(id, { action: 'waive' }, 'again', kim),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
    }
    expect((await site.governance.view(id, kim))?.actions).toEqual(['comment']);
  });

  test('it rests until then, and comes back by itself', async () => {
    const { id } = await site.raise();
    const until = '2026-11-16T12:00:00.000Z';
    await expect(site.governance.snooze(id, MONDAY, 'later', kim)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
    });
    await site.governance.snooze(id, until, 'The customer is asked.', kim);
    const ids = async (snoozed: boolean | 'any') =>
      (await site.governance.queue({ snoozed }, 'due', { limit: 10 })).items.map((line) => line.id);
    expect([await ids(false), await ids(true), await ids('any')]).toEqual([[], [id], [id]]);
    await site.governance.sweep();
    expect(await ids(true)).toEqual([id]);
    site.clock.now = until;
    await site.governance.sweep();
    expect([await ids(false), await ids(true)]).toEqual([[id], []]);
  });

  test('escalated, it goes to the other role and to nobody in it', async () => {
    const { id } = await site.raise();
    await site.governance.assign(id, 'kim', kim);
    await expect(site.governance.escalate(id, 'finance_ops', 'x', kim)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
    });
    await expect(site.governance.escalate(id, 'boss', 'x', kim)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
    });
    await expect(site.governance.escalate(id, 'finance_controller', ' ', kim)).rejects.toMatchObject({
      code: 'REASON_MISSING',
    });
    expect(await site.governance.escalate(id, 'finance_controller', 'Out of my hands', kim)).toMatchObject({
      ownerRole: 'finance_controller',
      assignee: null,
      escalations: 1,
    });
  });
});

describe('a case and its run', () => {
  test('a retry takes it, and its success resolves it', async () => {
    const vendor = new FakeVendor();
    vendor.script = [() => Promise.reject(fail('rejected', 'TARGET_REJECTED'))];
    const step = vendor.step();
    const runId = await site.deal((run) => site.engine.step(run.id, step).then(() => undefined));
    await until('it to fail', async () => (await site.runState(runId)) === 'failed');
    const [line] = (await site.governance.queue({ runId }, 'due', { limit: 1 })).items;
    const id = line?.id ?? '';
    const done = await site.governance.act(id, { action: 'retry' }, 'Repaired in the ERP', kim);
    expect(done).toMatchObject({ status: 'done', case: { assignee: 'kim' } });
    await until('it to come through', async () => (await site.runState(runId)) === 'completed');
    expect(await site.history(id)).toEqual(['opened', 'replay_requested', 'resolved']);
    expect(await site.governance.view(id, kim)).toMatchObject({ status: 'resolved', resolvedAt: MONDAY });
  });

  test('a retry that fails again leads back to the repair; one that fails elsewhere too', async () => {
    const vendor = new FakeVendor();
    const refused = () => Promise.reject(fail('rejected', 'TARGET_REJECTED'));
    vendor.script = [refused, refused];
    const step = vendor.step();
    let failEarlier = false;
    const runId = await site.deal(async (run) => {
      if (failEarlier) {
        await site.engine.fail(run.id, [
          {
            node: { id: 'check', name: 'Check' },
            code: 'CREDIT_HOLD',
            subject: run.correlationId,
            about: { params: { customer: 'ACME' }, ownerRole: 'finance_ops' },
          },
        ]);
      }
      await site.engine.step(run.id, step);
    });
    const failed = () => until('it to fail', async () => (await site.runState(runId)) === 'failed');
    await failed();
    const [line] = (await site.governance.queue({ runId }, 'due', { limit: 1 })).items;
    const id = line?.id ?? '';
    await site.governance.act(id, { action: 'retry' }, 'Again', kim);
    await failed();
    expect(await site.governance.view(id, kim)).toMatchObject({ status: 'in_repair', occurrences: 2 });
    failEarlier = true;
    await site.governance.act(id, { action: 'retry' }, 'And again', kim);
    await failed();
    expect(await site.governance.view(id, kim)).toMatchObject({ status: 'in_repair', occurrences: 2 });
    expect((await site.governance.view(id, kim))?.blocked.cases).toMatchObject([{ code: 'CREDIT_HOLD' }]);
  });

  test('corrections are refused where no call has raised the case', async () => {
    const { id } = await site.raise();
    const correction = { patch: { name: 'Acme' } };
    await expect(site.governance.act(id, { action: 'correct', correction }, 'x', kim)).rejects.toMatchObject({
      code: 'RECORD_NOT_KEPT',
      message: expect.stringContaining('Correct it in its system'),
    });
  });
});

test('without governance a case has its code’s owner and no due time', async () => {
  await site.governance.stop();
  const { id } = await site.raise();
  const row = await site.store.db.selectFrom('exception_case').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ id, owner_role: 'finance_ops', sla_due_at: null, policy_version: null });
  expect(await site.told()).toEqual([]);
});
