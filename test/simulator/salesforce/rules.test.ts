import { anEntry, newOpportunity, TestOrg } from './org';

let org: TestOrg;
let entry: string;
beforeAll(async () => {
  org = await TestOrg.start();
  entry = await anEntry(org);
});
afterAll(() => org.close());

const line = (opportunity: string, fields: Record<string, unknown>) =>
  org.create('OpportunityLineItem', { OpportunityId: opportunity, PricebookEntryId: entry, ...fields });

describe('opportunity stage', () => {
  it('brings probability and forecast and, when it is won, is closed', async () => {
    const id = await newOpportunity(org, { Amount: 1000 });
    expect(await org.read('Opportunity', id)).toMatchObject({
      Probability: 10,
      ForecastCategoryName: 'Pipeline',
      ExpectedRevenue: 100,
      IsClosed: false,
      IsWon: false,
      LastStageChangeDate: null,
      FiscalQuarter: 2,
      Fiscal: '2026 2',
    });
    await org.call('PATCH', `/sobjects/Opportunity/${id}`, { StageName: 'Closed Won' });
    const won = await org.read<Record<string, string>>('Opportunity', id);
    expect(won).toMatchObject({ Probability: 100, ForecastCategory: 'Closed', IsClosed: true, IsWon: true });
    expect(won.LastStageChangeDate).toMatch(/\+0000$/);
    await org.call('PATCH', `/sobjects/Opportunity/${id}`, { NextStep: 'Send the invoice' });
    expect((await org.read<Record<string, string>>('Opportunity', id)).LastStageChangeDate).toBe(
      won.LastStageChangeDate,
    );
  });
});

describe('line items', () => {
  it('price themselves and roll up to the opportunity to the cent', async () => {
    const id = await newOpportunity(org);
    const first = await line(id, { Quantity: 3, UnitPrice: 0.1 });
    await line(id, { Quantity: 8, TotalPrice: 0.4 });
    expect(await org.read('OpportunityLineItem', first)).toMatchObject({
      TotalPrice: 0.3,
      CurrencyIsoCode: 'EUR',
      ProductCode: 'STR-FF',
      Name: expect.stringMatching(/^Test deal /),
      ListPrice: 50_000,
    });
    expect(await org.read('Opportunity', id)).toMatchObject({
      Amount: 0.7,
      TotalOpportunityQuantity: 11,
      HasOpportunityLineItem: true,
    });
    await org.call('PATCH', `/sobjects/OpportunityLineItem/${first}`, { Quantity: 10 });
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 1.4 });
    await org.call('DELETE', `/sobjects/OpportunityLineItem/${first}`);
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 0.4 });
  });

  it('find their price book entry by product', async () => {
    const [product] = await org.rows<{ Id: string }>("SELECT Id FROM Product2 WHERE ProductCode = 'IMP-TM'");
    const id = await newOpportunity(org, { CurrencyIsoCode: 'USD' });
    const item = await org.create('OpportunityLineItem', {
      OpportunityId: id,
      Product2Id: product?.Id,
      Quantity: 1,
      UnitPrice: 5,
    });
    expect(await org.read('OpportunityLineItem', item)).toMatchObject({
      ProductCode: 'IMP-TM',
      CurrencyIsoCode: 'USD',
    });
  });

  it('make the Amount theirs: the API ignores another, a person may overwrite it', async () => {
    const id = await newOpportunity(org);
    await line(id, { Quantity: 1, UnitPrice: 500 });
    expect((await org.call('PATCH', `/sobjects/Opportunity/${id}`, { Amount: 1 })).status).toBe(204);
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 500 });
    await org.person('PATCH', `Opportunity/${id}`, { Amount: 1 });
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 1 });
  });

  it.each([
    ['without a price', { Quantity: 1 }, 'REQUIRED_FIELD_MISSING'],
    ['with two prices', { Quantity: 1, UnitPrice: 1, TotalPrice: 1 }, 'FIELD_INTEGRITY_EXCEPTION'],
    ['without a quantity', { UnitPrice: 1 }, 'REQUIRED_FIELD_MISSING'],
    ['without an entry', { Quantity: 1, UnitPrice: 1, PricebookEntryId: null }, 'REQUIRED_FIELD_MISSING'],
  ])('are refused %s', async (_what, fields, errorCode) => {
    const body = { OpportunityId: await newOpportunity(org), PricebookEntryId: entry, ...fields };
    expect(await org.call('POST', '/sobjects/OpportunityLineItem', body)).toMatchObject({
      status: 400,
      body: [{ errorCode }],
    });
  });

  it('are refused in another currency or price book', async () => {
    const dollars = {
      OpportunityId: await newOpportunity(org, { CurrencyIsoCode: 'USD' }),
      PricebookEntryId: entry,
      Quantity: 1,
      UnitPrice: 1,
    };
    expect(await org.call('POST', '/sobjects/OpportunityLineItem', dollars)).toMatchObject({
      status: 400,
      body: [{ errorCode: 'FIELD_INTEGRITY_EXCEPTION', message: expect.stringContaining('currency') }],
    });
    const [standard] = await org.rows<{ Id: string }>('SELECT Id FROM Pricebook2 WHERE IsStandard = true');
    const other = { ...dollars, OpportunityId: await newOpportunity(org, { Pricebook2Id: standard?.Id }) };
    expect(await org.call('POST', '/sobjects/OpportunityLineItem', other)).toMatchObject({
      status: 400,
      body: [
        { errorCode: 'FIELD_INTEGRITY_EXCEPTION', message: expect.stringContaining('different pricebook') },
      ],
    });
  });

  it('are worth the sum of their revenue schedule', async () => {
    const id = await newOpportunity(org);
    const item = await line(id, { Quantity: 1, UnitPrice: 100 });
    const part = { OpportunityLineItemId: item, Type: 'Revenue', ScheduleDate: '2026-06-01' };
    await org.create('OpportunityLineItemSchedule', { ...part, Revenue: 33.34 });
    const last = await org.create('OpportunityLineItemSchedule', {
      ...part,
      Revenue: 66.67,
      Description: 'Rest',
    });
    expect(await org.read('OpportunityLineItem', item)).toMatchObject({
      TotalPrice: 100.01,
      UnitPrice: 100.01,
      HasRevenueSchedule: true,
    });
    await org.call('PATCH', `/sobjects/OpportunityLineItemSchedule/${last}`, { Revenue: 66.66 });
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 100 });
    expect(await org.call('POST', '/sobjects/OpportunityLineItemSchedule', part)).toMatchObject({
      status: 400,
      body: [{ errorCode: 'REQUIRED_FIELD_MISSING', fields: ['Revenue'] }],
    });
  });

  it('keep the currency of their opportunity', async () => {
    const id = await newOpportunity(org);
    await line(id, { Quantity: 1, UnitPrice: 1 });
    expect(await org.call('PATCH', `/sobjects/Opportunity/${id}`, { CurrencyIsoCode: 'USD' })).toMatchObject({
      status: 400,
      body: [{ errorCode: 'FIELD_INTEGRITY_EXCEPTION' }],
    });
  });
});

describe('price books', () => {
  it('need a standard price first, and one price per currency', async () => {
    const product = await org.create('Product2', { Name: 'New service', IsActive: true });
    const [standard] = await org.rows<{ Id: string }>('SELECT Id FROM Pricebook2 WHERE IsStandard = true');
    const [custom] = await org.rows<{ Id: string }>('SELECT Id FROM Pricebook2 WHERE IsStandard = false');
    const price = { Product2Id: product, UnitPrice: 10, IsActive: true };
    expect(
      await org.call('POST', '/sobjects/PricebookEntry', { ...price, Pricebook2Id: custom?.Id }),
    ).toMatchObject({
      status: 400,
      body: [{ errorCode: 'STANDARD_PRICE_NOT_DEFINED' }],
    });
    await org.create('PricebookEntry', { ...price, Pricebook2Id: standard?.Id });
    await org.create('PricebookEntry', { ...price, Pricebook2Id: custom?.Id });
    expect(
      await org.call('POST', '/sobjects/PricebookEntry', { ...price, Pricebook2Id: custom?.Id }),
    ).toMatchObject({
      status: 400,
      body: [{ errorCode: 'DUPLICATE_VALUE' }],
    });
  });
});

describe('contracts', () => {
  it('get a number, end with their term, and are activated by a later save', async () => {
    const account = await org.create('Account', { Name: 'Contracting' });
    const id = await org.create('Contract', {
      AccountId: account,
      StartDate: '2026-01-31',
      ContractTerm: 13,
    });
    const draft = await org.read<Record<string, string>>('Contract', id);
    expect(draft).toMatchObject({
      Status: 'Draft',
      StatusCode: 'Draft',
      EndDate: '2027-02-27',
      ActivatedDate: null,
    });
    expect(draft.ContractNumber).toMatch(/^\d{8}$/);
    await org.call('PATCH', `/sobjects/Contract/${id}`, { Status: 'Activated' });
    expect(await org.read('Contract', id)).toMatchObject({
      StatusCode: 'Activated',
      ActivatedDate: expect.stringMatching(/\+0000$/),
      ActivatedById: expect.stringMatching(/^005/),
    });
    expect(await org.call('PATCH', `/sobjects/Contract/${id}`, { Status: 'Draft' })).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALID_STATUS' }],
    });
    const born = { AccountId: account, Status: 'Activated' };
    expect(await org.call('POST', '/sobjects/Contract', born)).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALID_STATUS' }],
    });
  });
});

describe('contact roles', () => {
  it('have one primary contact, which the opportunity shows', async () => {
    const contacts = [
      await org.create('Contact', { LastName: 'First' }),
      await org.create('Contact', { LastName: 'Second' }),
    ];
    const id = await newOpportunity(org, { ContactId: contacts[0] });
    expect(await org.read('Opportunity', id)).toMatchObject({ ContactId: contacts[0] });
    await org.create('OpportunityContactRole', {
      OpportunityId: id,
      ContactId: contacts[1],
      IsPrimary: true,
    });
    expect(await org.read('Opportunity', id)).toMatchObject({ ContactId: contacts[1] });
    const roles = await org.rows(
      `SELECT IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '${id}'`,
    );
    expect(roles.map((role) => role.IsPrimary)).toEqual([false, true]);
  });
});

describe('quotes', () => {
  it('add up their lines with discounts, tax and shipping', async () => {
    const opportunity = await newOpportunity(org, {
      AccountId: await org.create('Account', { Name: 'Quoted' }),
    });
    const quote = await org.create('Quote', {
      Name: 'Offer',
      OpportunityId: opportunity,
      Tax: 19.5,
      ShippingHandling: 5,
    });
    await org.create('QuoteLineItem', {
      QuoteId: quote,
      PricebookEntryId: entry,
      Quantity: 3,
      UnitPrice: 100,
      Discount: 50,
    });
    await org.create('QuoteLineItem', {
      QuoteId: quote,
      PricebookEntryId: entry,
      Quantity: 1,
      UnitPrice: 300,
    });
    expect(await org.read('Quote', quote)).toMatchObject({
      QuoteNumber: expect.stringMatching(/^\d{8}$/),
      AccountId: expect.stringMatching(/^001/),
      Status: 'Draft',
      LineItemCount: 2,
      Subtotal: 600,
      TotalPrice: 450,
      Discount: 25,
      GrandTotal: 474.5,
      IsSyncing: false,
    });
  });
});

describe('a person', () => {
  it('is held to the same rules', async () => {
    const refused = await org.person('POST', 'Opportunity', { Name: 'x' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'REQUIRED_FIELD_MISSING' } });
    expect(await org.person('POST', 'User', { LastName: 'x' })).toMatchObject({ status: 404 });
  });

  it('may leave the lists, and an account out', async () => {
    const { status, body } = await org.person('POST', 'Opportunity', {
      Name: 'Imported long ago',
      StageName: 'Closed Won',
      CloseDate: '2026-02-02',
      CurrencyIsoCode: 'XXX',
      Q2C_Region__c: 'APAC',
      Amount: -5,
    });
    expect(status).toBe(201);
    expect(await org.read('Opportunity', body.id)).toMatchObject({
      AccountId: null,
      CurrencyIsoCode: 'XXX',
      Amount: -5,
      IsWon: true,
    });
  });
});
