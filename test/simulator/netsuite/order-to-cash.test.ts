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

describe('sales order', () => {
  test('is priced, taxed and summed by the ERP', async () => {
    const items = [
      { item: { id: '101' }, quantity: 3, rate: 33.335, taxCode: { id: '5' } },
      { item: { id: '111' }, quantity: 2, rate: 10, amount: 25, taxCode: { id: '6' } },
    ];
    const id = await account.create('salesOrder', orderBody({ item: { items } }));
    expect(await account.read('salesOrder', id)).toMatchObject({
      tranId: expect.stringMatching(/^SO\d+$/),
      currency: { id: '4' },
      subsidiary: { id: '2' },
      terms: { id: '2' },
      exchangeRate: 1,
      orderStatus: { id: 'F', refName: 'Pending Billing' },
      item: {
        items: [
          { line: 1, amount: 100.01, tax1Amt: 19, grossAmt: 119.01 },
          { line: 2, amount: 25, tax1Amt: 1.75 },
        ],
      },
      subTotal: 125.01,
      taxTotal: 20.75,
      total: 145.76,
    });
  });

  test('waits for approval unless it was approved; a person approves it', async () => {
    const id = await account.create('salesOrder', orderBody({ orderStatus: undefined }));
    expect((await account.read('salesOrder', id)).orderStatus.id).toBe('A');
    const early = await account.record('POST', `salesOrder/${id}/!transform/invoice`, {});
    expect(refusal(early)).toMatchObject({ status: 400, code: 'INVALID_INITIALIZE_REF' });
    await account.person('PATCH', `salesOrder/${id}`, { orderStatus: { id: 'B' } });
    expect((await account.read('salesOrder', id)).status).toEqual({ id: 'F', refName: 'Pending Billing' });
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['no lines', { item: undefined }, 'USER_ERROR', 'item'],
    ['a line without item', { item: { items: [{ amount: 1 }] } }, 'USER_ERROR', 'item.items[0].item'],
    [
      'an unknown item',
      { item: { items: [{ item: { id: '9999' }, amount: 1 }] } },
      'USER_ERROR',
      'item.items[0].item',
    ],
    [
      'neither rate nor amount',
      { item: { items: [{ item: { id: '101' } }] } },
      'USER_ERROR',
      'item.items[0].amount',
    ],
    ['an unknown entity', { entity: { id: '42' } }, 'USER_ERROR', 'entity'],
    ['another subsidiary', { subsidiary: { id: '3' } }, 'INVALID_KEY_OR_REF', 'entity'],
    ['a currency the customer does not have', { currency: { id: '1' } }, 'INVALID_KEY_OR_REF', 'currency'],
    ['a status that follows from billing', { orderStatus: { id: 'G' } }, 'USER_ERROR', 'orderStatus'],
    ['an order number of 46 characters', { otherRefNum: 'x'.repeat(46) }, 'USER_ERROR', 'otherRefNum'],
  ])('is refused with %s', async (_, override, code, path) => {
    expect(refusal(await account.record('POST', 'salesOrder', orderBody(override)))).toMatchObject({
      status: 400,
      code,
      path,
    });
  });

  test('takes a further currency of the customer at its rate', async () => {
    await account.record('PATCH', `customer/${customer}`, {
      currencyList: { items: [{ currency: { id: '2' } }] },
    });
    const id = await account.create('salesOrder', orderBody({ currency: { id: '2' } }));
    expect((await account.read('salesOrder', id)).exchangeRate).toBeCloseTo(1.27 / 1.08, 6);
  });

  test('lines name projects of the customer only', async () => {
    const mine = await account.create('job', projectBody(customer));
    const stranger = await account.create('customer', customerBody());
    const theirs = await account.create('job', projectBody(stranger));
    const withJob = (job: string): unknown =>
      orderBody({ item: { items: [{ item: '101', amount: 5, job: { id: job } }] } });
    await account.create('salesOrder', withJob(mine));
    expect(refusal(await account.record('POST', 'salesOrder', withJob(theirs)))).toMatchObject({
      path: 'item.items[0].job',
    });
  });

  test('reprices a changed line, keeps the others', async () => {
    const id = await account.create('salesOrder', orderBody());
    await account.record('PATCH', `salesOrder/${id}`, {
      item: {
        items: [
          { line: 1, quantity: 2 },
          { item: { id: '111' }, amount: 5 },
        ],
      },
    });
    const order = await account.read('salesOrder', id);
    expect(order.item.items).toMatchObject([
      { line: 1, quantity: 2, amount: 2000 },
      { line: 2, amount: 5, rate: 5 },
    ]);
    expect(order.subTotal).toBe(2005);
  });
});

describe('invoice', () => {
  test('of an order: its lines, its due date, its balance; the order is billed', async () => {
    const order = await account.create('salesOrder', orderBody({ otherRefNum: 'PO-9' }));
    const reply = await account.record('POST', `salesOrder/${order}/!transform/invoice`, {
      tranDate: '2026-01-31',
      memo: 'January',
    });
    expect(reply.status).toBe(204);
    expect(reply.headers.get('location')).toContain('/record/v1/invoice/');
    expect(await account.read('invoice', idIn(reply))).toMatchObject({
      createdFrom: { id: order },
      tranDate: '2026-01-31',
      dueDate: '2026-03-02',
      otherRefNum: 'PO-9',
      memo: 'January',
      total: 1190,
      amountPaid: 0,
      amountRemaining: 1190,
      status: { id: 'A', refName: 'Open' },
      item: { items: [{ orderLine: 1, quantity: 1, amount: 1000 }] },
    });
    expect(await account.read('salesOrder', order)).toMatchObject({
      orderStatus: { id: 'G' },
      item: { items: [{ quantityBilled: 1 }] },
    });
    expect((await account.record('POST', `salesOrder/${order}/!transform/invoice`, {})).status).toBe(400);
  });

  test('deleting it opens the order again', async () => {
    const order = await account.create('salesOrder', orderBody());
    const invoice = await bill(order);
    expect((await account.record('DELETE', `salesOrder/${order}`)).status).toBe(400);
    expect((await account.record('DELETE', `invoice/${invoice}`)).status).toBe(204);
    expect((await account.read('salesOrder', order)).orderStatus.id).toBe('F');
    expect((await account.record('DELETE', `salesOrder/${order}`)).status).toBe(204);
  });

  test('a billed line can be neither removed nor reduced', async () => {
    const order = await account.create('salesOrder', orderBody());
    await bill(order);
    const replace = await account.record('PATCH', `salesOrder/${order}?replace=item`, {
      item: { items: [{ item: '101', amount: 1 }] },
    });
    expect(refusal(replace)).toMatchObject({ status: 400, path: 'item' });
    const reduce = await account.record('PATCH', `salesOrder/${order}`, {
      item: { items: [{ line: 1, amount: 10 }] },
    });
    expect(refusal(reduce)).toMatchObject({ status: 400, path: 'item' });
  });

  test('terms at the end of the month count from there', async () => {
    const id = await account.create('invoice', {
      entity: customer,
      tranDate: '2026-01-15',
      terms: { id: '10' },
      item: { items: [{ item: '101', amount: 5 }] },
    });
    expect((await account.read('invoice', id)).dueDate).toBe('2026-03-02');
  });

  test('is refused in a closed period', async () => {
    await account.person('PATCH', 'account/1', { closedThrough: '2026-01-31' });
    const body = { entity: customer, tranDate: '2026-01-31', item: { items: [{ item: '101', amount: 5 }] } };
    expect(refusal(await account.record('POST', 'invoice', body))).toMatchObject({
      code: 'USER_ERROR',
      path: 'tranDate',
    });
    await account.create('invoice', { ...body, tranDate: '2026-02-01' });
  });

  test('other transforms are not offered', async () => {
    const order = await account.create('salesOrder', orderBody());
    const reply = await account.record('POST', `salesOrder/${order}/%21transform/customerPayment`, {});
    expect(refusal(reply)).toMatchObject({ status: 400, code: 'INVALID_RCRD_TRANSFORM' });
  });
});

describe('payment', () => {
  let invoice: string;
  beforeEach(async () => {
    invoice = await bill(await account.create('salesOrder', orderBody()));
  });
  const pay = (
    payment: number,
    amount?: number,
    apply = true,
  ): Promise<Awaited<ReturnType<TestAccount['record']>>> =>
    account.record('POST', 'customerPayment', {
      customer: { id: customer },
      payment,
      apply: { items: [{ doc: { id: invoice }, amount, apply }] },
    });

  test('of a part leaves the invoice open, of the rest settles it', async () => {
    const first = idIn(await pay(500, 500));
    expect(await account.read('invoice', invoice)).toMatchObject({
      amountPaid: 500,
      amountRemaining: 690,
      status: { id: 'A' },
    });
    const rest = idIn(await account.record('POST', `invoice/${invoice}/!transform/customerPayment`));
    expect(await account.read('customerPayment', rest)).toMatchObject({
      payment: 690,
      applied: 690,
      unapplied: 0,
    });
    expect(await account.read('invoice', invoice)).toMatchObject({
      amountRemaining: 0,
      status: { id: 'B', refName: 'Paid In Full' },
    });
    expect((await account.record('DELETE', `invoice/${invoice}`)).status).toBe(400);
    await account.record('DELETE', `customerPayment/${first}`);
    expect(await account.read('invoice', invoice)).toMatchObject({
      amountRemaining: 500,
      status: { id: 'A' },
    });
  });

  test('what is not applied stays on account', async () => {
    const id = idIn(await pay(2000));
    expect(await account.read('customerPayment', id)).toMatchObject({
      applied: 1190,
      unapplied: 810,
      apply: { items: [{ doc: { id: invoice }, amount: 1190, total: 1190 }] },
    });
    const unapplied = await account.read('customerPayment', idIn(await pay(10, undefined, false)));
    expect(unapplied).toMatchObject({ applied: 0, unapplied: 10 });
  });

  test('cannot apply more than is due, or more than it has', async () => {
    expect(refusal(await pay(5000, 1190.01))).toMatchObject({ status: 400, path: 'apply.items[0].amount' });
    expect(refusal(await pay(100, 500))).toMatchObject({ status: 400, path: 'apply' });
  });

  test('moving it to another invoice opens the first again', async () => {
    const id = idIn(await pay(500, 500));
    const second = await bill(await account.create('salesOrder', orderBody()));
    await account.record('PATCH', `customerPayment/${id}?replace=apply`, {
      apply: { items: [{ doc: { id: second }, amount: 500 }] },
    });
    expect((await account.read('invoice', invoice)).amountRemaining).toBe(1190);
    expect((await account.read('invoice', second)).amountRemaining).toBe(690);
  });

  test('of another customer is refused', async () => {
    const other = await account.create('customer', customerBody());
    const body = {
      customer: { id: other },
      payment: 5,
      apply: { items: [{ doc: { id: invoice }, amount: 5 }] },
    };
    expect(refusal(await account.record('POST', 'customerPayment', body))).toMatchObject({
      code: 'INVALID_KEY_OR_REF',
      path: 'apply.items[0].doc',
    });
  });

  test('a credit memo settles what is left', async () => {
    await pay(1000, 1000);
    const id = idIn(await account.record('POST', `invoice/${invoice}/!transform/creditMemo`));
    expect(await account.read('creditMemo', id)).toMatchObject({
      createdFrom: { id: invoice },
      total: 1190,
      applied: 190,
      unapplied: 1000,
    });
    expect(await account.read('invoice', invoice)).toMatchObject({ amountRemaining: 0, status: { id: 'B' } });
    expect((await account.record('POST', `invoice/${invoice}/!transform/creditMemo`)).status).toBe(400);
  });
});
