import { customerBody, idIn, projectBody, refusal, TestAccount } from './support';

let account: TestAccount;
let customer: string;
beforeEach(async () => {
  account = await TestAccount.start();
  customer = await account.create('customer', customerBody());
});
afterEach(() => account.close());

const orderBody = (override: Record<string, unknown> = {}): Record<string, unknown> => ({
  entity: { id: customer },
  tranDate: '2026-01-31',
  orderStatus: { id: 'B' },
  item: { items: [{ item: { id: '101' }, quantity: 1, rate: 1000, taxCode: { id: '5' } }] },
  ...override,
});

const bill = async (order: string): Promise<string> =>
  idIn(await account.record('POST', `salesOrder/${order}/!transform/invoice`, {}));

describe('billing schedule', () => {
  let project: string;
  beforeEach(async () => {
    project = await account.create(
      'job',
      projectBody(customer, { jobBillingType: { id: 'FBM' }, jobPrice: 90000 }),
    );
  });
  const milestones = (amounts: number[], lines: Record<string, unknown>[] = []): Record<string, unknown> => ({
    name: 'Plan',
    scheduleType: { id: 'FBM' },
    project: { id: project },
    milestone: { items: amounts.map((milestoneAmount, index) => ({ milestoneAmount, ...lines[index] })) },
  });

  test('milestones in per cent or in money', async () => {
    const percent = await account.create('billingSchedule', milestones([33.3333, 33.3333, 33.3334]));
    expect((await account.read('billingSchedule', percent)).milestone.items).toMatchObject([
      { milestoneId: 1, milestoneAmount: 33.3333, milestoneCompleted: false },
      { milestoneId: 2 },
      { milestoneId: 3 },
    ]);
    await account.create('billingSchedule', milestones([45000, 30000, 15000]));
    await account.record('PATCH', `job/${project}`, { billingSchedule: { id: percent } });
    expect((await account.record('DELETE', `billingSchedule/${percent}`)).status).toBe(400);
  });

  test.each([
    ['50 and 49', [50, 49], 'milestone'],
    ['nothing', [], 'milestone'],
    ['a negative part', [110, -10], 'milestone'],
  ])('refuses %s', async (_, amounts, path) => {
    expect(refusal(await account.record('POST', 'billingSchedule', milestones(amounts)))).toMatchObject({
      code: 'USER_ERROR',
      path,
    });
  });

  test('belongs to a project of its type, tasks included', async () => {
    const plain = await account.create('job', projectBody(customer));
    const wrong = { ...milestones([100]), project: { id: plain } };
    expect(refusal(await account.record('POST', 'billingSchedule', wrong))).toMatchObject({
      path: 'scheduleType',
    });
    expect(
      refusal(await account.record('POST', 'billingSchedule', { ...milestones([100]), project: undefined })),
    ).toMatchObject({ path: 'project' });
    const task = await account.create('projectTask', { project: plain, title: 'Elsewhere' });
    const foreign = milestones([100], [{ projectTask: { id: task } }]);
    expect(refusal(await account.record('POST', 'billingSchedule', foreign))).toMatchObject({
      path: 'milestone.items[0].projectTask',
    });
    const schedule = await account.create('billingSchedule', milestones([100]));
    expect(
      refusal(await account.record('PATCH', `job/${plain}`, { billingSchedule: { id: schedule } })),
    ).toMatchObject({ path: 'billingSchedule' });
  });

  test('a completed task releases its milestone, billing takes what is released', async () => {
    const task = await account.create('projectTask', { project, title: 'M1', estimatedWork: 8 });
    const schedule = await account.create(
      'billingSchedule',
      milestones([33.33, 66.67], [{ projectTask: { id: task } }]),
    );
    const line = {
      item: { id: '111' },
      amount: 1000,
      job: { id: project },
      billingSchedule: { id: schedule },
    };
    const order = await account.create('salesOrder', orderBody({ item: { items: [line] } }));
    expect((await account.record('POST', `salesOrder/${order}/!transform/invoice`)).status).toBe(400);

    await account.person('PATCH', `projectTask/${task}`, { status: { id: 'COMPLETE' } });
    const [first] = (await account.read('billingSchedule', schedule)).milestone.items;
    expect(first).toMatchObject({
      milestoneCompleted: true,
      milestoneActualCompletionDate: expect.any(String),
    });
    const invoice = await account.person('POST', 'invoice', { createdFrom: order });
    expect(invoice.data).toMatchObject({ subTotal: 333.3, item: [{ job: project, orderLine: 1 }] });
    expect((await account.read('salesOrder', order)).orderStatus.id).toBe('F');

    await account.person('PATCH', `billingSchedule/${schedule}`, {
      milestone: { items: [{ milestoneId: 2, milestoneCompleted: true }] },
    });
    const second = await account.person('POST', 'invoice', { createdFrom: order });
    expect(second.data.subTotal).toBe(666.7);
    expect((await account.read('salesOrder', order)).orderStatus.id).toBe('G');
    expect((await account.record('DELETE', `billingSchedule/${schedule}`)).status).toBe(400);
  });

  test('a standard schedule bills instalments as they fall due', async () => {
    const schedule = await account.create('billingSchedule', {
      name: 'Monthly',
      frequency: { id: 'MONTHLY' },
      numberRemaining: 3,
      inArrears: true,
    });
    const line = { item: { id: '111' }, amount: 100, billingSchedule: { id: schedule } };
    const start = new Date(Date.now() - 45 * 86_400_000).toISOString().slice(0, 10);
    const order = await account.create('salesOrder', orderBody({ tranDate: start, item: { items: [line] } }));
    const first = await account.read('invoice', await bill(order));
    expect(first.subTotal).toBe(33.33);
    account.clock.offset = 200 * 86_400_000;
    await account.login();
    expect((await account.read('invoice', await bill(order))).subTotal).toBe(66.67);
  });

  test('a custom recurrence bills by its dates', async () => {
    const items = [
      { amount: 40, recurrenceDate: '2026-01-31' },
      { amount: 60, recurrenceDate: '2099-01-31' },
    ];
    const schedule = await account.create('billingSchedule', {
      name: 'Dates',
      frequency: { id: 'CUSTOM' },
      initialAmount: 0,
      recurrence: { items },
    });
    const line = { item: { id: '111' }, amount: 100, billingSchedule: { id: schedule } };
    const order = await account.create('salesOrder', orderBody({ item: { items: [line] } }));
    expect((await account.read('invoice', await bill(order))).subTotal).toBe(40);
  });

  test('a standard schedule needs its frequency and count', async () => {
    expect(refusal(await account.record('POST', 'billingSchedule', { name: 'x' }))).toMatchObject({
      path: 'frequency',
    });
    const monthly = { name: 'x', frequency: { id: 'MONTHLY' } };
    expect(refusal(await account.record('POST', 'billingSchedule', monthly))).toMatchObject({
      path: 'numberRemaining',
    });
    const custom = { name: 'x', frequency: { id: 'CUSTOM' } };
    expect(refusal(await account.record('POST', 'billingSchedule', custom))).toMatchObject({
      path: 'recurrence',
    });
  });
});

describe('charge', () => {
  let project: string;
  beforeEach(async () => {
    project = await account.create('job', projectBody(customer, { jobBillingType: { id: 'CB' } }));
  });
  const chargeBody = (override: Record<string, unknown> = {}): Record<string, unknown> => ({
    billTo: project,
    stage: 'HOLD_FOR_BILLING',
    chargeDate: '2026-02-28',
    chargeType: -19,
    billingItem: 111,
    rate: 100.005,
    quantity: 2,
    ...override,
  });

  test('takes bare ids, computes its amount, is billed when it is ready', async () => {
    const id = await account.create('charge', chargeBody());
    expect(await account.read('charge', id)).toMatchObject({
      billTo: { id: project },
      amount: 200.01,
      currency: { id: '4' },
      use: { id: 'Actual' },
      stage: { id: 'HOLD_FOR_BILLING' },
    });
    expect((await account.control('POST', 'records/invoice', { billTo: project })).status).toBe(400);
    await account.person('PATCH', `charge/${id}`, { stage: { id: 'READY_FOR_BILLING' } });
    const invoice = await account.person('POST', 'invoice', { billTo: project });
    expect(invoice.data).toMatchObject({ entity: project, total: 200.01 });
    expect(await account.read('charge', id)).toMatchObject({
      stage: { id: 'PROCESSED' },
      invoice: { id: invoice.id },
    });
    expect((await account.record('PATCH', `charge/${id}`, { rate: 5 })).status).toBe(400);
    expect((await account.record('DELETE', `charge/${id}`)).status).toBe(400);
    await account.record('DELETE', `invoice/${invoice.id}`);
    expect(await account.read('charge', id)).toMatchObject({ stage: { id: 'READY_FOR_BILLING' } });
  });

  test.each([
    ['no date', { chargeDate: undefined }, 'chargeDate'],
    ['no rate', { rate: undefined }, 'rate'],
    ['an unknown stage', { stage: 'DONE' }, 'stage'],
    ['the stage of billed charges', { stage: 'PROCESSED' }, 'stage'],
  ])('is refused with %s', async (_, override, path) => {
    expect(refusal(await account.record('POST', 'charge', chargeBody(override)))).toMatchObject({
      status: 400,
      path,
    });
  });
});
