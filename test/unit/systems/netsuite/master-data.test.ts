import type { Draft, Task } from '../../../../lib/model';
import { MappingError } from '../../../../lib/systems/kit';
import { billingTypeOf } from '../../../../lib/systems/netsuite/billing-type';
import { upsertContact } from '../../../../lib/systems/netsuite/operations/upsert-contact';
import { upsertCustomer } from '../../../../lib/systems/netsuite/operations/upsert-customer';
import { upsertProject } from '../../../../lib/systems/netsuite/operations/upsert-project';
import { upsertTask } from '../../../../lib/systems/netsuite/operations/upsert-task';
import { contextOf, fixedBid, INSTANCE, id, provisioned, workedExample } from './support';

function errorOf(work: () => unknown): MappingError {
  try {
    work();
  } catch (error) {
    if (error instanceof MappingError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

describe('customer', () => {
  const deal = workedExample();

  test('is written with address, terms, currency and tax number', () => {
    expect(upsertCustomer.toSystem(deal.customer, contextOf(deal))).toEqual({
      keys: {
        externalId: `q2c:${id('customer')}`,
        name: 'Nordwind Maschinenbau GmbH',
        country: 'DE',
        postalCode: '53111',
        taxNumber: 'DE136695976',
        taxField: 'vatRegNumber',
      },
      body: {
        companyName: 'Nordwind Maschinenbau GmbH',
        isPerson: false,
        subsidiary: { id: '2' },
        currency: { id: '4' },
        terms: { id: '2' },
        vatRegNumber: 'DE136695976',
        url: 'https://nordwind.example',
        addressBook: {
          items: [
            {
              defaultBilling: true,
              defaultShipping: true,
              addressBookAddress: {
                addr1: 'Hafenstr. 12',
                addr2: 'Haus B',
                city: 'Bonn',
                state: 'NW',
                zip: '53111',
                country: { id: 'DE' },
              },
            },
          ],
        },
      },
    });
  });

  test('also gets the currency of the contract', () => {
    const inPounds = { ...deal, contract: { ...deal.contract, currency: 'GBP' } };
    expect(upsertCustomer.toSystem(deal.customer, contextOf(inPounds)).body.currencyList).toEqual({
      items: [{ currency: { id: '4' } }, { currency: { id: '2' } }],
    });
  });

  test('takes the tax field and the prefix of the connection', () => {
    const context = contextOf(deal, { customerTaxField: 'custentity_tax', externalIdPrefix: 'mx:' });
    const { keys, body } = upsertCustomer.toSystem(deal.customer, context);
    expect(keys.externalId).toBe(`mx:${id('customer')}`);
    expect(body).toMatchObject({ custentity_tax: 'DE136695976' });
    expect(body.vatRegNumber).toBeUndefined();
  });

  test.each<[string, Partial<typeof deal.customer>, string]>([
    ['name', { legalName: undefined }, 'Legal name of the customer'],
    ['country', { country: undefined, billingAddress: undefined }, 'Country of the customer'],
    ['address', { billingAddress: undefined }, 'Billing address of the customer'],
    ['terms in the tables', { paymentTerms: 'net_7' }, 'terms'],
    ['currency in the tables', { defaultCurrency: 'JPY' }, 'currency'],
  ])('without %s is a case that names it', (_name, change, field) => {
    const error = errorOf(() => upsertCustomer.toSystem({ ...deal.customer, ...change }, contextOf(deal)));
    expect(error.code).toBe('MANDATORY_FIELD_MISSING');
    expect(error.params.field).toBe(field);
  });

  test('a name of any length and script is passed on whole: NetSuite decides', () => {
    const legalName = `${'Ä'.repeat(250)} 🚀 "عميل"`;
    const wire = upsertCustomer.toSystem({ ...deal.customer, legalName }, contextOf(deal));
    expect(wire.body.companyName).toBe(legalName);
  });

  test('comes back with its number and cross-reference', () => {
    expect(
      upsertCustomer.fromSystem({ id: '107', number: 'CUST107' }, deal.customer, contextOf(deal)),
    ).toEqual({
      refs: [
        {
          id: id('customer'),
          entity: 'customer',
          ref: { system: 'netsuite', instance: INSTANCE, type: 'customer', id: '107', role: 'copy' },
        },
      ],
      merge: { customer: { id: id('customer'), externalRefs: [], number: 'CUST107' } },
      evidence: { id: '107', number: 'CUST107' },
    });
  });
});

describe('contact', () => {
  const deal = provisioned(workedExample());
  const [contact] = deal.contacts;
  if (!contact) throw new Error('the example has a contact');

  test('belongs to the customer and is found by e-mail', () => {
    expect(upsertContact.toSystem(contact, contextOf(deal))).toEqual({
      externalId: `q2c:${id('contact')}`,
      companyId: '107',
      email: 'Ada@nordwind.example',
      body: {
        firstName: 'Ada',
        lastName: 'Lindqvist',
        email: 'Ada@nordwind.example',
        title: 'CFO',
        company: { id: '107' },
        subsidiary: { id: '2' },
      },
    });
  });

  test('with one name only uses it as the name of the record', () => {
    const { body, email } = upsertContact.toSystem(
      { ...contact, firstName: undefined, name: 'Madonna', email: undefined },
      contextOf(deal),
    );
    expect(body).toMatchObject({ entityId: 'Madonna' });
    expect(body.lastName).toBeUndefined();
    expect(email).toBeNull();
  });

  test('waits for the customer', () => {
    expect(errorOf(() => upsertContact.toSystem(contact, contextOf(workedExample()))).code).toBe(
      'MANDATORY_FIELD_MISSING',
    );
  });
});

describe('project', () => {
  const deal = provisioned(workedExample());

  test('is a job below the customer, with the price of what is agreed', () => {
    expect(upsertProject.toSystem(deal.project, contextOf(deal))).toEqual({
      externalId: `q2c:${id('project')}`,
      body: {
        entityId: 'P-C-2026-0001',
        companyName: 'Nordwind ERP rollout',
        parent: { id: '107' },
        subsidiary: { id: '2' },
        currency: { id: '4' },
        jobBillingType: { id: 'CB' },
        projectExpenseType: { id: '-2' },
        entityStatus: { id: '1' },
        startDate: '2026-01-05',
        projectedEndDate: '2026-12-31',
        jobPrice: 180000,
      },
    });
  });

  test.each([
    [['milestone'], 'fixed_bid_milestone'],
    [['fixed_fee', 'retainer'], 'fixed_bid_milestone'],
    [['time_and_materials'], 'time_and_materials'],
    [['time_and_materials', 'cost_plus'], 'time_and_materials'],
    [['usage'], 'charge_based'],
    [['milestone', 'time_and_materials'], 'charge_based'],
    [['time_and_materials', 'usage'], 'charge_based'],
    [[], 'time_and_materials'],
  ] as const)('%j is billed as %s', (models, expected) => {
    const contractLines = models.map((commercialModel, index) => ({
      id: id('contractLine', index + 1),
      externalRefs: [],
      commercialModel,
    }));
    expect(billingTypeOf({ contractLines })).toBe(expected);
  });

  test('lines that a change has cancelled do not count', () => {
    const contractLines = workedExample().contractLines.map((line) =>
      line.commercialModel === 'time_and_materials' ? { ...line, status: 'cancelled' as const } : line,
    );
    expect(billingTypeOf({ contractLines })).toBe('fixed_bid_milestone');
  });

  test('an amount that a JSON number would change is not sent', () => {
    const contractLines = fixedBid().contractLines.map((line) => ({
      ...line,
      amount: { amount: '999999999999999.99', currency: 'EUR' },
    }));
    const error = errorOf(() => upsertProject.toSystem(deal.project, contextOf({ ...deal, contractLines })));
    expect(error.code).toBe('TARGET_REJECTED');
    expect(error.message).toContain('Price of the project');
  });
});

describe('task', () => {
  const deal = provisioned(workedExample());
  const [task] = deal.tasks;
  if (!task) throw new Error('the example has a task');

  test('carries hours and billability', () => {
    expect(upsertTask.toSystem(task, contextOf(deal))).toEqual({
      externalId: `q2c:${id('task')}`,
      parentKey: null,
      body: {
        title: 'Rollout',
        project: { id: '328' },
        nonBillableTask: false,
        estimatedWork: 120.5,
        constraintType: { id: 'ASAP' },
        status: { id: 'NOTSTART' },
      },
    });
  });

  test('begins where its period begins', () => {
    const dated = { ...task, billable: false, period: { from: '2026-02-01', to: '2026-03-01' } };
    expect(upsertTask.toSystem(dated, contextOf(deal)).body).toMatchObject({
      nonBillableTask: true,
      constraintType: { id: 'FIXEDSTART' },
      startDate: '2026-02-01',
    });
  });

  test('parents come first, cancelled tasks not at all, circles do no harm', () => {
    const make = (n: number, fields: Partial<Draft<Task>>): Draft<Task> => ({
      ...task,
      id: id('task', n),
      ...fields,
    });
    const tasks = [
      make(1, { parentId: id('task', 2) }),
      make(2, { parentId: id('task', 3) }),
      make(3, {}),
      make(4, { status: 'cancelled' }),
      make(5, { parentId: id('task', 6) }),
      make(6, { parentId: id('task', 5) }),
    ];
    const order = upsertTask.select({ tasks }, {}).map((each) => each.id);
    expect(order.filter((each) => [1, 2, 3].map((n) => id('task', n)).includes(each))).toEqual(
      [3, 2, 1].map((n) => id('task', n)),
    );
    expect(order).not.toContain(id('task', 4));
    expect(order).toHaveLength(5);
    const [child] = tasks;
    expect(child && upsertTask.toSystem(child, contextOf(deal)).parentKey).toBe(`q2c:${id('task', 2)}`);
  });
});
