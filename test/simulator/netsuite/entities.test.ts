import { customerBody, projectBody, refusal, TestAccount } from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await TestAccount.start();
});
afterAll(() => account.close());

describe('customer', () => {
  test('is numbered, gets status and the currency of its subsidiary', async () => {
    const id = await account.create('customer', { companyName: 'Plain Inc.', subsidiary: { id: '3' } });
    expect(await account.read('customer', id)).toMatchObject({
      entityId: expect.stringMatching(/^CUST\d+$/),
      entityStatus: { id: '13' },
      currency: { id: '1', refName: 'US Dollar' },
      isPerson: false,
    });
  });

  test('two may have the same name, not the same number', async () => {
    await account.create('customer', customerBody({ companyName: 'Twin', entityId: 'TWIN-1' }));
    await account.create('customer', customerBody({ companyName: 'Twin', entityId: 'TWIN-2' }));
    const reply = await account.record('POST', 'customer', customerBody({ entityId: 'TWIN-1' }));
    expect(refusal(reply)).toMatchObject({
      status: 400,
      code: 'USER_ERROR',
      path: 'entityId',
      detail: 'Error while accessing a resource. This entity already exists.',
    });
  });

  test('a person needs first and last name', async () => {
    const body = { isPerson: true, firstName: 'Ada', subsidiary: { id: '2' } };
    expect(refusal(await account.record('POST', 'customer', body))).toMatchObject({ path: 'lastName' });
    await account.create('customer', { ...body, lastName: 'Lovelace' });
  });

  test('one default billing address, the last one marked', async () => {
    const address = (city: string): unknown => ({ defaultBilling: true, addressBookAddress: { city } });
    const id = await account.create(
      'customer',
      customerBody({ addressBook: { items: [address('A'), address('B')] } }),
    );
    const { addressBook } = await account.read('customer', id);
    expect(addressBook.items.map((line) => line.defaultBilling)).toEqual([false, true]);
    expect(addressBook.items[0]?.addressBookAddress.country.id).toBe('DE');
  });

  test('keeps subsidiary and currency once it has a project', async () => {
    const id = await account.create('customer', customerBody());
    expect((await account.record('PATCH', `customer/${id}`, { currency: { id: '2' } })).status).toBe(204);
    const customer = await account.read('customer', id);
    expect(customer.currencyList.items.map((line) => line.currency.id)).toEqual(['2', '4']);
    await account.create('job', projectBody(id));
    expect(
      refusal(await account.record('PATCH', `customer/${id}`, { subsidiary: { id: '3' } })),
    ).toMatchObject({ path: 'subsidiary' });
    expect(refusal(await account.record('PATCH', `customer/${id}`, { currency: { id: '4' } }))).toMatchObject(
      { path: 'currency' },
    );
  });

  test('cannot be deleted while a project depends on it', async () => {
    const id = await account.create('customer', customerBody());
    const project = await account.create('job', projectBody(id));
    const reply = await account.record('DELETE', `customer/${id}`);
    expect(refusal(reply)).toMatchObject({
      status: 400,
      detail: expect.stringContaining('dependent records'),
    });
    expect((await account.record('DELETE', `job/${project}`)).status).toBe(204);
    expect((await account.record('DELETE', `customer/${id}`)).status).toBe(204);
  });

  test('an inactive one cannot be referred to any more', async () => {
    const id = await account.create('customer', customerBody());
    await account.record('PATCH', `customer/${id}`, { isInactive: true });
    expect(refusal(await account.record('POST', 'job', projectBody(id)))).toMatchObject({
      code: 'USER_ERROR',
      path: 'parent',
    });
  });
});

describe('contact', () => {
  test('is named by its parts, unique within its company', async () => {
    const [one, two] = [
      await account.create('customer', customerBody()),
      await account.create('customer', customerBody()),
    ];
    const body = (company: string): unknown => ({
      firstName: 'Eva',
      lastName: 'Maier',
      company: { id: company },
      subsidiary: { id: '2' },
    });
    const id = await account.create('contact', body(one));
    expect(await account.read('contact', id)).toMatchObject({ entityId: 'Eva Maier', company: { id: one } });
    await account.create('contact', body(two));
    expect(refusal(await account.record('POST', 'contact', body(one)))).toMatchObject({
      code: 'USER_ERROR',
      path: 'entityId',
    });
  });

  test('needs a subsidiary in OneWorld, and a name', async () => {
    expect(refusal(await account.record('POST', 'contact', { firstName: 'Eva' }))).toMatchObject({
      path: 'subsidiary',
    });
    expect(refusal(await account.record('POST', 'contact', { subsidiary: { id: '2' } }))).toMatchObject({
      path: 'entityId',
    });
  });
});

describe('project', () => {
  let customer: string;
  beforeAll(async () => {
    customer = await account.create('customer', customerBody());
  });

  test.each([
    ['no customer', { parent: undefined }, 'parent'],
    ['no name', { companyName: undefined }, 'companyName'],
    ['no expense type', { projectExpenseType: undefined }, 'projectExpenseType'],
    ['another subsidiary than the customer', { subsidiary: { id: '3' } }, 'parent'],
    ['an unknown billing type', { jobBillingType: { id: '99' } }, 'jobBillingType'],
    ['an end before the start', { projectedEndDate: '2025-01-01' }, 'projectedEndDate'],
  ])('is refused with %s', async (_, override, path) => {
    expect(refusal(await account.record('POST', 'job', projectBody(customer, override)))).toMatchObject({
      status: 400,
      path,
    });
  });

  test('is numbered, pending, in the currency of the customer', async () => {
    const id = await account.create(
      'job',
      projectBody(customer, { jobBillingType: { id: 'TM' }, jobPrice: 90000 }),
    );
    expect(await account.read('job', id)).toMatchObject({
      entityId: expect.stringMatching(/^PRJ\d+$/),
      entityStatus: { id: '1', refName: 'Pending' },
      currency: { id: '4' },
      jobBillingType: { id: 'TM', refName: 'Time and Materials' },
      jobPrice: 90000,
      percentComplete: 0,
    });
  });

  test("a number of one's own must be free", async () => {
    await account.create('job', projectBody(customer, { entityId: 'PRJ-A' }));
    expect(
      refusal(await account.record('POST', 'job', projectBody(customer, { entityId: 'PRJ-A' }))),
    ).toMatchObject({ path: 'entityId' });
  });
});

describe('project task', () => {
  let project: string;
  let other: string;
  beforeAll(async () => {
    const customer = await account.create('customer', customerBody());
    project = await account.create('job', projectBody(customer));
    other = await account.create('job', projectBody(customer));
  });

  test('takes a bare id as project, starts with it, ends after its work in working days', async () => {
    const id = await account.create('projectTask', { project, title: 'Design', estimatedWork: 40 });
    expect(await account.read('projectTask', id)).toMatchObject({
      project: { id: project },
      startDate: '2026-01-05',
      endDate: '2026-01-09',
      status: { id: 'NOTSTART' },
      constraintType: { id: 'ASAP' },
      remainingWork: '40:00',
    });
  });

  test('a parent must belong to the same project', async () => {
    const parent = await account.create('projectTask', { project: { id: other }, title: 'Elsewhere' });
    const body = { project: { id: project }, title: 'Child', parent: { id: parent } };
    expect(refusal(await account.record('POST', 'projectTask', body))).toMatchObject({
      code: 'INVALID_KEY_OR_REF',
      path: 'parent',
    });
  });

  test('needs project and title; the service has no milestone flag', async () => {
    expect(refusal(await account.record('POST', 'projectTask', { title: 'x' }))).toMatchObject({
      path: 'project',
    });
    expect(refusal(await account.record('POST', 'projectTask', { project }))).toMatchObject({
      path: 'title',
    });
    const body = { project, title: 'M1', isMilestone: true };
    const reply = await account.record('POST', 'projectTask', body, {
      'X-NetSuite-PropertyNameValidation': 'Error',
    });
    expect(refusal(reply)).toMatchObject({ code: 'INVALID_CONTENT', path: 'isMilestone' });
  });

  test('completion and time roll up', async () => {
    const customer = await account.create('customer', customerBody());
    const job = await account.create('job', projectBody(customer));
    const task = await account.create('projectTask', { project: job, title: 'A', estimatedWork: 30 });
    await account.create('projectTask', { project: job, title: 'B', estimatedWork: 10 });
    const employee = (await account.record('GET', 'employee')).body.items[0]?.id;
    const time = {
      employee: { id: employee },
      tranDate: '2026-01-05',
      caseTaskEvent: { id: task },
      hours: '2:30',
    };
    const entry = await account.create('timeBill', time);
    expect(await account.read('timeBill', entry)).toMatchObject({
      hours: '2:30',
      customer: { id: job },
      isBillable: true,
    });
    expect(await account.read('projectTask', task)).toMatchObject({
      actualWork: '2:30',
      remainingWork: '27:30',
    });
    await account.person('PATCH', `projectTask/${task}`, { status: { id: 'COMPLETE' } });
    expect((await account.read('job', job)).percentComplete).toBe(75);
    expect((await account.record('DELETE', `projectTask/${task}`)).status).toBe(400);
    await account.record('DELETE', `timeBill/${entry}`);
    expect((await account.record('DELETE', `projectTask/${task}`)).status).toBe(204);
    expect((await account.read('job', job)).percentComplete).toBe(0);
  });

  test.each([['25:00'], ['0:00'], ['1:75'], ['-1']])('time of %s is refused', async (hours) => {
    const employee = (await account.record('GET', 'employee')).body.items[0]?.id;
    const reply = await account.record('POST', 'timeBill', {
      employee,
      tranDate: '2026-01-05',
      hours,
      customer: project,
    });
    expect(refusal(reply)).toMatchObject({ status: 400, path: 'hours' });
  });
});

test('an expense report sums its lines', async () => {
  const employee = (await account.record('GET', 'employee')).body.items[0]?.id;
  const expense = {
    items: [
      { category: { id: '1' }, amount: 100.1 },
      { category: { id: '2' }, amount: 0.2 },
    ],
  };
  const id = await account.create('expenseReport', {
    entity: { id: employee },
    tranDate: '2026-01-05',
    expense,
  });
  expect(await account.read('expenseReport', id)).toMatchObject({
    total: 100.3,
    tranId: expect.stringMatching(/^EXP/),
  });
  expect(refusal(await account.record('POST', 'expenseReport', { entity: employee }))).toMatchObject({
    path: 'expense',
  });
});
