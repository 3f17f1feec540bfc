import { insertCorrection } from '../../lib/engine/correction-rows';
import { type Customer, type DealDocument, type Draft, newId } from '../../lib/model';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas } from './canvas';

const check = { id: 'check', type: 'q2c-check', name: 'Ready?', store: 'store', firm: 'firm' };
let canvas: Canvas;

beforeEach(async () => {
  canvas = await Canvas.load([check]);
});
afterEach(() => canvas.close());

/** A won deal in which fields of one record are different. */
function dealWith(part: 'opportunity' | 'customer' | 'contract', fields: object): DealDocument {
  const deal = wonDeal();
  Object.assign(deal[part] ?? {}, fields);
  return deal;
}

/** A won deal, one of whose lines has this amount. */
function dealWithLineOf(amount: string): DealDocument {
  const deal = wonDeal();
  Object.assign(deal.quote?.lines?.[4] ?? {}, { amount });
  return deal;
}

/** A won deal sold in another currency than that of its legal entity. */
function dealIn(currency: string): DealDocument {
  const deal = wonDeal();
  for (const money of [deal.opportunity?.amount, deal.quote?.total, deal.contract?.totalValue, deal.contract])
    Object.assign(money ?? {}, { currency });
  return deal;
}

/** A won deal with two contacts of one e-mail address. */
function dealWithSharedEmail(): DealDocument {
  const deal = wonDeal();
  const [mia] = deal.contacts ?? [];
  if (mia === undefined) throw new Error('the deal has no contact');
  return { ...deal, contacts: [mia, { ...mia, id: newId('contact'), name: 'Max Moll' }] };
}

test('a good deal goes on, completed, and its run comes to an end', async () => {
  const ready = await canvas.through(wonDeal());
  expect(ready).toMatchObject({
    customer: { status: 'pending_validation', defaultCurrency: 'EUR' },
    contract: { status: 'approved', title: 'ACME roll-out' },
    contacts: [{ version: 1 }],
  });
  expect(await canvas.cases()).toEqual([]);
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
  await until('the status', () => canvas.statuses.get('check') === '1 done');
});

test.each<[string, DealDocument, string, string, string]>([
  [
    'no account',
    { ...wonDeal(), customer: undefined },
    'MANDATORY_FIELD_MISSING',
    'The account of ACME roll-out is required before the project can start.',
    'sales_ops',
  ],
  [
    'no country',
    dealWith('customer', { country: undefined }),
    'MANDATORY_FIELD_MISSING',
    'The country of ACME GmbH is required before the project can start.',
    'finance_ops',
  ],
  [
    'unknown country',
    dealWith('customer', { country: 'XX' }),
    'VALUE_INVALID',
    'The country of ACME GmbH is not valid: "XX" is not a country.',
    'finance_ops',
  ],
  [
    'no tax registration',
    dealWith('customer', { taxProfile: { status: 'unknown' } }),
    'TAX_REGISTRATION_MISSING',
    'Project for ACME GmbH cannot start: the tax registration for DE is missing.',
    'finance_ops',
  ],
  [
    'unknown payment terms',
    dealWith('customer', { paymentTerms: 'soon' }),
    'VALUE_INVALID',
    'The choice of payment terms of ACME GmbH is not valid: "soon" are not payment terms.',
    'finance_ops',
  ],
  [
    'credit hold',
    dealWith('customer', { creditStatus: 'hold' }),
    'CREDIT_HOLD',
    'ACME GmbH is on credit hold; provisioning waits.',
    'finance_ops',
  ],
  [
    'unknown service line',
    dealWith('opportunity', { serviceLine: 'gardening' }),
    'VALUE_INVALID',
    'Service line of ACME roll-out is not valid: "gardening" is not one of the firm\'s service lines.',
    'sales_ops',
  ],
  [
    'a region that nobody sells in',
    dealWith('opportunity', { region: 'APAC' }),
    'LEGAL_ENTITY_UNMAPPED',
    'No selling entity is mapped for APAC/implementation.',
    'finance_ops',
  ],
  [
    'a currency that does not exist',
    dealIn('XXQ'),
    'CURRENCY_INVALID',
    'XXQ in ACME roll-out is not a currency of ISO 4217.',
    'sales_ops',
  ],
  [
    'a contract in another currency',
    dealWith('contract', { currency: 'USD' }),
    'CURRENCY_MISMATCH',
    'ACME roll-out is in EUR, but contract 00000101 is in USD.',
    'sales_ops',
  ],
  [
    'a currency that the legal entity does not sell in',
    dealIn('CHF'),
    'VALUE_INVALID',
    'Currency of ACME roll-out is not valid: Meridian Consulting GmbH does not sell in CHF, only in EUR, GBP.',
    'sales_ops',
  ],
  [
    'a contract that ends before it begins',
    dealWith('contract', { effective: { from: '2026-12-31', to: '2026-01-31' } }),
    'VALUE_INVALID',
    'The period of contract 00000101 is not valid: it ends before it begins.',
    'sales_ops',
  ],
  [
    'a negative amount',
    dealWithLineOf('-10000.00'),
    'AMOUNT_INVALID',
    'The amount of Line 5 (Tickets) of ACME roll-out is not a valid amount: it is negative.',
    'sales_ops',
  ],
  [
    'an amount of 16 digits',
    dealWithLineOf('1000000000000000'),
    'AMOUNT_INVALID',
    'The amount of Line 5 (Tickets) of ACME roll-out is not a valid amount: it has more than 15 digits.',
    'sales_ops',
  ],
  [
    'an amount with too many decimals',
    dealWithLineOf('9999.999'),
    'AMOUNT_INVALID',
    'The amount of Line 5 (Tickets) of ACME roll-out is not a valid amount: it has 3 decimals, EUR has 2.',
    'sales_ops',
  ],
  [
    'an amount that does not match the lines',
    dealWith('opportunity', { amount: { amount: '250000.00', currency: 'EUR' } }),
    'SUM_MISMATCH',
    'The lines of ACME roll-out add up to 240000.00 EUR, not to 250000.00 EUR.',
    'sales_ops',
  ],
  [
    'two contacts with one e-mail address',
    dealWithSharedEmail(),
    'DUPLICATE_SUSPECTED',
    'Max Moll looks like existing Mia Moll (same e-mail address).',
    'data_steward',
  ],
])('%s stops the deal with a case', async (_, deal, code, message, ownerRole) => {
  const { error, q2c } = await canvas.stopped({ payload: deal });
  expect(error).toMatchObject({ code, message, source: { id: 'check' } });
  expect(await canvas.cases()).toMatchObject([
    { code, message, ownerRole, node: 'Ready?', runId: q2c?.run, state: 'open' },
  ]);
  await until('the run to wait', async () => (await canvas.runs())[0]?.state === 'failed');
});

test('the cases of a deal say everything that is wrong, by record and code', async () => {
  const deal = dealWith('customer', { country: undefined, paymentTerms: undefined, creditStatus: 'hold' });
  const { error } = await canvas.stopped({ payload: deal });
  const cases = await canvas.cases();
  expect(cases.map(({ code, occurrences }) => [code, occurrences])).toEqual([
    ['MANDATORY_FIELD_MISSING', 1],
    ['CREDIT_HOLD', 1],
  ]);
  const said = cases.map(({ message }) => message).join(' ');
  expect(said).toContain('The country of ACME GmbH is required');
  expect(said).toContain('The payment terms of ACME GmbH is required');
  expect(error.message).toBe(said);
  const worth = { amount: '240000.00', currency: 'EUR' };
  expect(cases.map(({ amountAtRisk }) => amountAtRisk)).toEqual([worth, worth]);
});

test('what people have corrected is checked in place of what was read, and the case names the fields', async () => {
  const deal = dealWith('customer', { taxProfile: { status: 'unknown' } });
  const { error, q2c } = await canvas.stopped({ payload: deal });
  expect(error).toMatchObject({ code: 'TAX_REGISTRATION_MISSING' });
  const { store, repairs } = await canvas.engine();
  const [found] = await canvas.cases();
  const path = 'taxProfile.registrationNumber';
  expect(await repairs.records.input(found?.id ?? '')).toEqual({
    record: deal.customer?.id,
    entity: 'customer',
    fields: [path, 'taxProfile.status'],
    content: deal.customer,
  });

  const about = { caseId: found?.id ?? '', runId: q2c?.run ?? '', actor: 'kim', reason: 'as they told us' };
  const correct = (id: string, record: Draft<Customer> | undefined) =>
    store.write((tx) =>
      insertCorrection(tx, q2c?.correlationId ?? '', {
        id,
        record: record?.id ?? '',
        path,
        before: null,
        after: 'DE136695976',
        at: store.now(),
        ...about,
      }),
    );
  await correct('cor_1', deal.customer);
  const { customer } = await canvas.through(deal);
  expect(customer?.taxProfile).toEqual({ status: 'unknown', registrationNumber: 'DE136695976' });

  // Natural keys are those of the corrected record.
  const other = dealWith('customer', { taxProfile: { status: 'unknown' }, legalName: 'ACME Germany' });
  const again = { ...other, opportunity: deal.opportunity, contacts: [] } as DealDocument;
  await correct('cor_2', other.customer);
  expect((await canvas.stopped({ payload: again })).error).toMatchObject({
    code: 'DUPLICATE_SUSPECTED',
    message: expect.stringContaining('ACME Germany looks like existing ACME GmbH'),
  });
});

test('a second account with the same tax registration is a suspected duplicate', async () => {
  await canvas.through(wonDeal());
  const other = dealWith('customer', { legalName: 'ACME Germany' });
  const { error } = await canvas.stopped({ payload: { ...other, contacts: [] } });
  expect(error).toMatchObject({
    code: 'DUPLICATE_SUSPECTED',
    message:
      'ACME Germany looks like existing ACME GmbH (same tax registration, or same name and postal code).',
  });
});

test('a deal that is sent again keeps its case, which closes when the deal has been repaired', async () => {
  const deal = dealWith('customer', { country: undefined });
  const ended = (count: number) => async () =>
    (await canvas.runs()).filter(({ endedAt }) => endedAt !== null).length === count;
  await canvas.stopped({ payload: deal });
  await until('the first run to end', ended(1));
  await canvas.stopped({ payload: deal });
  expect(await canvas.cases()).toMatchObject([{ occurrences: 2 }]);
  await until('the second run to end', ended(2));
  Object.assign(deal.customer ?? {}, { country: 'DE' });
  await canvas.through(deal);
  await until('the case to close', async () => (await canvas.cases()).length === 0);
});

test('what waits is shown in words', async () => {
  await canvas.stopped({ payload: dealWith('customer', { taxProfile: { status: 'unknown' } }) });
  await until(
    'the status',
    () => canvas.statuses.get('check') === '0 done, 1 waiting: tax registration missing',
  );
});

test('a message without an opportunity says where to wire the node', async () => {
  const { error } = await canvas.stopped({ payload: {} });
  expect(error).toMatchObject({
    code: 'NODE_FAILED',
    message:
      'Ready? failed: The message carries no opportunity to check: wire the node behind one that reads a deal.',
  });
});
