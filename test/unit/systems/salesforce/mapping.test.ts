import { type Customer, customerSchema, type Draft, newId } from '../../../../lib/model';
import { contactFieldsOf, contactOf } from '../../../../lib/systems/salesforce/mapping/contact';
import { contractOf } from '../../../../lib/systems/salesforce/mapping/contract';
import { accountFieldsOf, customerOf } from '../../../../lib/systems/salesforce/mapping/customer';
import { opportunityOf } from '../../../../lib/systems/salesforce/mapping/opportunity';
import { quoteOf } from '../../../../lib/systems/salesforce/mapping/quote';
import type {
  AccountRow,
  ContractRow,
  LineRow,
  OpportunityRow,
  ScheduleRow,
} from '../../../../lib/systems/salesforce/records';

const home = { instance: 'acme.my.salesforce.com', webUrl: 'https://acme.my.salesforce.com' };
const customerId = newId('customer');

describe('account', () => {
  const row: AccountRow = {
    Id: '001A',
    CreatedDate: '2026-01-02T10:00:00.000+0000',
    LastModifiedDate: '2026-01-03T10:00:00.000+0000',
    SystemModstamp: '2026-01-03T10:00:00.000+0000',
    Name: 'Müller & Söhne "GmbH" 🚀',
    BillingStreet: 'Hauptstr. 1\r\nHinterhaus\n',
    BillingCity: 'Bonn',
    BillingState: null,
    BillingPostalCode: '53111',
    BillingCountry: 'Germany',
    Website: null,
    CurrencyIsoCode: 'EUR',
    Q2C_Tax_Registration__c: 'DE136695976',
    Q2C_Tax_Status__c: 'registered',
    Q2C_Payment_Terms__c: 'net_30',
    Q2C_Customer_Number__c: null,
  };

  test('a full account', () => {
    expect(customerOf(row, customerId, home)).toEqual({
      id: customerId,
      externalRefs: [
        {
          system: 'salesforce',
          instance: 'acme.my.salesforce.com',
          type: 'Account',
          id: '001A',
          role: 'master',
          version: '2026-01-03T10:00:00.000Z',
          url: 'https://acme.my.salesforce.com/001A',
        },
      ],
      createdAt: '2026-01-02T10:00:00.000Z',
      updatedAt: '2026-01-03T10:00:00.000Z',
      sourceSystem: 'salesforce',
      legalName: 'Müller & Söhne "GmbH" 🚀',
      billingAddress: {
        lines: ['Hauptstr. 1', 'Hinterhaus'],
        city: 'Bonn',
        postalCode: '53111',
        country: 'DE',
      },
      country: 'DE',
      taxProfile: { registrationNumber: 'DE136695976', status: 'registered' },
      defaultCurrency: 'EUR',
      paymentTerms: 'net_30',
    });
  });

  test('what Salesforce does not say stays absent', () => {
    const bare = customerOf({ Id: '001A' }, customerId, { ...home, webUrl: null });
    expect(bare).toEqual({
      id: customerId,
      externalRefs: [
        { system: 'salesforce', instance: home.instance, type: 'Account', id: '001A', role: 'master' },
      ],
      sourceSystem: 'salesforce',
      taxProfile: { status: 'unknown' },
    });
  });

  test.each([
    ['Deutschland', 'DE'],
    ['US', 'US'],
    ['Atlantis', 'Atlantis'],
    [' ', undefined],
  ])('country %p', (BillingCountry, country) => {
    expect(customerOf({ ...row, BillingCountry }, customerId, home).country).toBe(country);
  });

  test('written back, it gives the same fields', () => {
    const fields = accountFieldsOf(customerOf(row, customerId, home), { countryFormat: 'name' });
    expect(fields).toEqual({
      Name: row.Name,
      BillingStreet: 'Hauptstr. 1\nHinterhaus',
      BillingCity: 'Bonn',
      BillingPostalCode: '53111',
      BillingCountry: 'Germany',
      CurrencyIsoCode: 'EUR',
      Q2C_Tax_Registration__c: 'DE136695976',
      Q2C_Tax_Status__c: 'registered',
      Q2C_Payment_Terms__c: 'net_30',
    });
    expect(accountFieldsOf(customerOf(row, customerId, home), { countryFormat: 'code' }).BillingCountry).toBe(
      'DE',
    );
  });

  test('an unknown tax status is not written: it would erase one that is known', () => {
    const customer: Draft<Customer> = { id: customerId, externalRefs: [], taxProfile: { status: 'unknown' } };
    expect(accountFieldsOf(customer, {})).toEqual({});
  });

  test('a complete account passes the canonical schema once the firm has added its own', () => {
    const customer = {
      ...customerOf(row, customerId, home),
      legalEntityId: newId('legalEntity'),
      version: 1,
      extensions: {},
      creditStatus: 'ok',
      status: 'pending_validation',
    };
    expect(customerSchema.safeParse(customer).error?.issues ?? []).toEqual([]);
  });
});

describe('contact', () => {
  const id = newId('contact');

  test('role and name', () => {
    const row = {
      Id: '003A',
      Name: "Zoë O'Neill",
      FirstName: 'Zoë',
      LastName: "O'Neill",
      Email: 'z@x.example',
      Q2C_Role__c: 'Billing',
    };
    expect(contactOf(row, id, customerId, home)).toMatchObject({
      customerId,
      name: "Zoë O'Neill",
      lastName: "O'Neill",
      email: 'z@x.example',
      roles: ['billing'],
    });
  });

  test('an empty role is buyer, a name is made of its parts, a partner has no customer', () => {
    const contact = contactOf({ Id: '003A', FirstName: 'A', LastName: 'B' }, id, undefined, home);
    expect(contact).toMatchObject({ name: 'A B', roles: ['buyer'] });
    expect(contact).not.toHaveProperty('customerId');
  });

  test.each([
    [
      { name: 'Zoë Smith', firstName: 'Zoë', lastName: 'Smith' },
      { FirstName: 'Zoë', LastName: 'Smith' },
    ],
    [{ name: 'Prince' }, { LastName: 'Prince' }],
    [{ name: 'Zoë Smith', firstName: 'Zoë' }, { LastName: 'Zoë Smith' }],
  ])('LastName is always sent: %j', (names, fields) => {
    expect(contactFieldsOf({ id, externalRefs: [], ...names }, '001A')).toEqual({
      AccountId: '001A',
      ...fields,
    });
  });
});

describe('opportunity', () => {
  const id = newId('opportunity');
  const row: OpportunityRow = {
    Id: '006A',
    Name: 'Deal',
    IsWon: true,
    IsClosed: true,
    Amount: 240000,
    CurrencyIsoCode: 'EUR',
  };

  test.each([
    [{ IsWon: true, IsClosed: true }, 'won'],
    [{ IsWon: false, IsClosed: true }, 'lost'],
    [{ IsWon: false, IsClosed: false }, 'open'],
  ])('stage by flags %j', (flags, stage) => {
    expect(opportunityOf({ ...row, ...flags }, id, {}, home).stage).toBe(stage);
  });

  test.each([
    [240000.5, 'EUR', { amount: '240000.5', currency: 'EUR' }],
    ['1234567890123456.78', 'EUR', { amount: '1234567890123456.78', currency: 'EUR' }],
    [-1, 'EUR', { amount: '-1', currency: 'EUR' }],
    [10.999, 'JPY', { amount: '10.999', currency: 'JPY' }],
    [10, null, { amount: '10' }],
    [null, 'EUR', undefined],
  ])('amount %p %p is passed on as it is', (Amount, CurrencyIsoCode, money) => {
    expect(opportunityOf({ ...row, Amount, CurrencyIsoCode }, id, {}, home).amount).toEqual(money);
  });

  test('links are there only when the record is', () => {
    expect(opportunityOf(row, id, { customerId }, home).customerId).toBe(customerId);
    expect(opportunityOf(row, id, { customerId: undefined }, home)).not.toHaveProperty('customerId');
  });
});

describe('line items', () => {
  const deal: OpportunityRow = {
    Id: '006A',
    IsWon: true,
    IsClosed: true,
    Amount: 100,
    CurrencyIsoCode: 'EUR',
  };
  const ids = { quote: newId('quote'), opportunity: newId('opportunity') };
  const linesOf = (rows: LineRow[], schedules: ScheduleRow[] = []) =>
    quoteOf(deal, rows, schedules, ids, home).lines ?? [];
  const line = (more: Partial<LineRow>): LineRow => ({
    Id: '00kA',
    ProductCode: 'IMPL',
    Product2: { Name: 'Implementation' },
    Quantity: 2,
    UnitPrice: 50.25,
    TotalPrice: 100.5,
    ...more,
  });

  test.each([
    ['fixed_fee', 'fixed_fee', 'each'],
    ['Milestone', 'milestone', 'each'],
    ['Time and Materials', 'time_and_materials', 'hour'],
    ['retainer', 'retainer', 'month'],
    ['usage', 'usage', 'usage:IMPL'],
    ['cost_plus', 'cost_plus', 'each'],
    ['Barter', 'Barter', 'each'],
    [null, undefined, 'each'],
  ])('model %p', (written, commercialModel, unit) => {
    const [mapped] = linesOf([line({ Q2C_Commercial_Model__c: written })]);
    expect(mapped?.commercialModel).toBe(commercialModel);
    expect(mapped?.quantity).toEqual({ value: '2', unit });
    expect(mapped).toMatchObject({
      lineNo: 1,
      serviceCode: 'IMPL',
      unitPrice: '50.25',
      amount: '100.5',
      taxCategory: 'standard',
    });
  });

  test('a retainer has its monthly fee, included hours and overage', () => {
    const [mapped] = linesOf([
      line({
        Q2C_Commercial_Model__c: 'retainer',
        UnitPrice: 2500,
        Q2C_Included_Quantity__c: 16,
        Q2C_Overage_Rate__c: 165,
      }),
    ]);
    expect(mapped?.retainer).toEqual({
      period: 'month',
      fee: '2500',
      includedQuantity: { value: '16', unit: 'hour' },
      overageRate: '165',
    });
  });

  test('caps, markups and tax categories', () => {
    const [capped, cost] = linesOf([
      line({
        Q2C_Commercial_Model__c: 'time_and_materials',
        Q2C_Cap_Amount__c: 60000,
        Q2C_Tax_Category__c: 'Reverse Charge',
      }),
      line({ Q2C_Commercial_Model__c: 'cost_plus', Q2C_Markup__c: 12.5, Q2C_Tax_Category__c: 'odd' }),
    ]);
    expect(capped).toMatchObject({ capAmount: '60000', taxCategory: 'reverse_charge' });
    expect(capped).not.toHaveProperty('retainer');
    expect(cost).toMatchObject({ lineNo: 2, markup: '12.5', taxCategory: 'odd' });
  });

  test('schedules belong to their line, in order; a quantity schedule is none', () => {
    const schedule = (more: Partial<ScheduleRow>): ScheduleRow => ({
      OpportunityLineItemId: '00kA',
      ScheduleDate: '2026-03-31',
      Revenue: 60,
      Description: 'M1',
      ...more,
    });
    const [mapped, other] = linesOf(
      [line({}), line({ Id: '00kB' })],
      [
        schedule({}),
        schedule({ Revenue: 40.5, Description: null, ScheduleDate: '2026-06-30' }),
        schedule({ Revenue: null }),
        schedule({ OpportunityLineItemId: '00kC' }),
      ],
    );
    expect(mapped?.schedule).toEqual([
      { description: 'M1', date: '2026-03-31', amount: '60' },
      { description: '2', date: '2026-06-30', amount: '40.5' },
    ]);
    expect(other).not.toHaveProperty('schedule');
  });
});

describe('contract', () => {
  const id = newId('contract');
  const row: ContractRow = {
    Id: '800A',
    ContractNumber: '00000100',
    Status: 'Activated',
    StartDate: '2026-03-01',
    ContractTerm: 12,
    CurrencyIsoCode: 'EUR',
    Q2C_Total_Value__c: 240000,
    Q2C_PO_Number__c: 'PO-9',
    Q2C_Payment_Terms__c: 'eom_30',
  };

  test('a full contract', () => {
    expect(contractOf(row, id, { customerId, quoteId: undefined }, home)).toMatchObject({
      customerId,
      number: '00000100',
      effective: { from: '2026-03-01', to: '2027-02-28' },
      currency: 'EUR',
      totalValue: { amount: '240000', currency: 'EUR' },
      paymentTerms: 'eom_30',
      poNumber: 'PO-9',
      status: 'active',
    });
  });

  test.each([
    ['2026-01-31', 1, { from: '2026-01-31', to: '2026-02-27' }],
    ['2024-02-29', 12, { from: '2024-02-29', to: '2025-02-27' }],
    ['2026-03-01', null, { from: '2026-03-01' }],
    ['2026-03-01', 0, { from: '2026-03-01' }],
    ['2026-02-30', 12, undefined],
    [null, 12, undefined],
  ])('from %p for %p months', (StartDate, ContractTerm, effective) => {
    expect(contractOf({ ...row, StartDate, ContractTerm }, id, {}, home).effective).toEqual(effective);
  });

  test.each([
    ['Draft', 'draft'],
    ['In Approval Process', 'in_approval'],
    ["The firm's own", undefined],
    [null, undefined],
  ])('status %p', (Status, status) => {
    expect(contractOf({ ...row, Status }, id, {}, home).status).toBe(status);
  });
});
