import { until } from '../support/engine';
import { judge, readRecords } from '../support/judge';
import type { VendorControl } from '../support/vendors';
import { World } from '../support/world';
import {
  accountName,
  contactsOf,
  type Deal,
  enterDeal,
  onlyCase,
  provisioned,
  removeInSalesforce,
  runOf,
  runsAbout,
  VALUE,
} from './deals';

jest.setTimeout(60_000);

let world: World;
let simulator: VendorControl;
/** Opportunities of all deals so far: in the end every one of them is provisioned. */
const won: string[] = [];

beforeAll(async () => {
  world = await World.start();
  ({ simulator } = world);
}, 120_000);

afterAll(() => world?.stop());

interface BadInput {
  what: string;
  /** Of the deal, in the words of the control API. */
  enter?: Record<string, unknown>;
  /** What else is wrong before the deal is won. */
  spoil?(deal: Deal): Promise<unknown>;
  code: string;
  ownerRole: string;
  message(deal: Deal): string | Promise<string>;
  repair(deal: Deal): Promise<unknown>;
  /** The repair is news about the opportunity: it starts a run by itself. */
  startsRun?: true;
}

const changeDeal = ({ opportunityId }: Deal, data: Record<string, unknown>) =>
  simulator.patch('salesforce', 'Opportunity', opportunityId, data);
const changeContract = ({ contractId }: Deal, data: Record<string, unknown>) =>
  simulator.patch('salesforce', 'Contract', contractId, data);
const changeAccount = ({ accountId }: Deal, data: Record<string, unknown>) =>
  simulator.patch('salesforce', 'Account', accountId, data);
const contractNumber = async ({ contractId }: Deal) =>
  (await simulator.record('salesforce', 'Contract', contractId)).data.ContractNumber;

let taxNumber: unknown;
async function takeTaxNumberOf(deal: Deal, other: string): Promise<void> {
  const own = await simulator.record('salesforce', 'Account', deal.accountId);
  const taken = await simulator.record('salesforce', 'Account', other);
  taxNumber = own.data.Q2C_Tax_Registration__c;
  await changeAccount(deal, { Q2C_Tax_Registration__c: taken.data.Q2C_Tax_Registration__c });
}
/** The account whose tax registration another one takes. */
let taxHolder: Deal;

const badInputs: BadInput[] = [
  {
    what: 'opportunity without account',
    enter: { opportunity: { AccountId: null } },
    code: 'MANDATORY_FIELD_MISSING',
    ownerRole: 'sales_ops',
    message: ({ name }) => `The account of ${name} is required before the project can start.`,
    repair: (deal) => changeDeal(deal, { AccountId: deal.accountId }),
    startsRun: true,
  },
  {
    what: 'account without country',
    spoil: (deal) => changeAccount(deal, { BillingCountry: null }),
    code: 'MANDATORY_FIELD_MISSING',
    ownerRole: 'finance_ops',
    message: async (deal) =>
      `The country of ${await accountName(simulator, deal)} is required before the project can start.`,
    repair: (deal) => changeAccount(deal, { BillingCountry: 'Germany' }),
  },
  {
    what: 'account without tax registration',
    spoil: async (deal) => {
      const account = await simulator.record('salesforce', 'Account', deal.accountId);
      taxNumber = account.data.Q2C_Tax_Registration__c;
      await changeAccount(deal, { Q2C_Tax_Registration__c: null, Q2C_Tax_Status__c: null });
    },
    code: 'TAX_REGISTRATION_MISSING',
    ownerRole: 'finance_ops',
    message: async (deal) =>
      `Project for ${await accountName(simulator, deal)} cannot start: the tax registration for DE is missing.`,
    repair: (deal) =>
      changeAccount(deal, { Q2C_Tax_Registration__c: taxNumber, Q2C_Tax_Status__c: 'registered' }),
  },
  {
    what: 'two accounts with the same tax registration',
    spoil: async (deal) => {
      taxHolder = await enterDeal(simulator, 1);
      won.push(taxHolder.opportunityId);
      expect(await runOf(world, taxHolder)).toMatchObject({ state: 'completed' });
      await takeTaxNumberOf(deal, taxHolder.accountId);
    },
    code: 'DUPLICATE_SUSPECTED',
    ownerRole: 'data_steward',
    message: async (deal) => {
      const names = [await accountName(simulator, deal), await accountName(simulator, taxHolder)];
      return `${names.join(' looks like existing ')} (same tax registration, or same name and postal code).`;
    },
    repair: (deal) => changeAccount(deal, { Q2C_Tax_Registration__c: taxNumber }),
  },
  {
    what: 'one e-mail address for two contacts',
    spoil: async (deal) => {
      const [first, second] = await contactsOf(simulator, deal);
      await simulator.patch('salesforce', 'Contact', second.id, { Email: first.data.Email });
    },
    code: 'DUPLICATE_SUSPECTED',
    ownerRole: 'data_steward',
    // Names of people are for those who ask to see them.
    message: () => '••• looks like existing ••• (same e-mail address).',
    repair: async (deal) => {
      const [, second] = await contactsOf(simulator, deal);
      await simulator.patch('salesforce', 'Contact', second.id, { Email: 'someone.else@other.example' });
    },
  },
  {
    what: 'contract in a currency that does not exist',
    enter: { contract: { CurrencyIsoCode: 'ZZZ' } },
    code: 'CURRENCY_INVALID',
    ownerRole: 'sales_ops',
    message: async (deal) => `ZZZ in contract ${await contractNumber(deal)} is not a currency of ISO 4217.`,
    repair: (deal) => changeContract(deal, { CurrencyIsoCode: deal.currency }),
  },
  {
    what: 'contract in another currency',
    enter: { contract: { CurrencyIsoCode: 'USD' } },
    code: 'CURRENCY_MISMATCH',
    ownerRole: 'sales_ops',
    message: async (deal) => `${deal.name} is in EUR, but contract ${await contractNumber(deal)} is in USD.`,
    repair: (deal) => changeContract(deal, { CurrencyIsoCode: 'EUR' }),
  },
  {
    what: 'lines that do not sum to the amount',
    enter: { opportunity: { Amount: 99_999 } },
    code: 'SUM_MISMATCH',
    ownerRole: 'sales_ops',
    message: ({ name }) => `The lines of ${name} add up to 10000 EUR, not to 99999 EUR.`,
    repair: (deal) => changeDeal(deal, { Amount: VALUE }),
    startsRun: true,
  },
  {
    what: 'negative amount',
    enter: { opportunity: { Amount: -100 } },
    code: 'AMOUNT_INVALID',
    ownerRole: 'sales_ops',
    message: ({ name }) => `The amount of ${name} is not a valid amount: it is negative.`,
    repair: (deal) => changeDeal(deal, { Amount: VALUE }),
    startsRun: true,
  },
  {
    what: 'amount of 16 digits',
    enter: { opportunity: { Amount: 1_234_567_890_123_456 } },
    code: 'AMOUNT_INVALID',
    ownerRole: 'sales_ops',
    message: ({ name }) => `The amount of ${name} is not a valid amount: it has more than 15 digits.`,
    repair: (deal) => changeDeal(deal, { Amount: VALUE }),
    startsRun: true,
  },
  {
    what: 'amount with too many decimals',
    enter: { opportunity: { Amount: 10_000.001 } },
    code: 'AMOUNT_INVALID',
    ownerRole: 'sales_ops',
    message: ({ name }) => `The amount of ${name} is not a valid amount: it has 3 decimals, EUR has 2.`,
    repair: (deal) => changeDeal(deal, { Amount: VALUE }),
    startsRun: true,
  },
  {
    what: 'unknown service line',
    enter: { opportunity: { Q2C_Service_Line__c: 'gardening' } },
    code: 'VALUE_INVALID',
    ownerRole: 'sales_ops',
    message: ({ name }) =>
      `Service line of ${name} is not valid: "gardening" is not one of the firm's service lines.`,
    repair: (deal) => changeDeal(deal, { Q2C_Service_Line__c: 'implementation' }),
    startsRun: true,
  },
  {
    what: 'region without legal entity',
    enter: { opportunity: { Q2C_Region__c: 'APAC' } },
    code: 'LEGAL_ENTITY_UNMAPPED',
    ownerRole: 'finance_ops',
    message: () => 'No selling entity is mapped for APAC/implementation.',
    repair: (deal) => changeDeal(deal, { Q2C_Region__c: 'EMEA' }),
    startsRun: true,
  },
];

/** The accounts of the seed begin with those in Germany; each of these deals has one of its own. */
const FIRST_ACCOUNT = 2;

test.each(badInputs.map((bad, index) => ({ bad, what: bad.what, account: FIRST_ACCOUNT + index })))(
  '$what: a case, nothing written, and through once it is repaired',
  async ({ bad, account }) => {
    const deal = await enterDeal(simulator, account, bad.enter);
    await bad.spoil?.(deal);
    const before = await provisioned(simulator);

    const run = await runOf(world, deal);
    expect(run).toMatchObject({ state: 'failed', attempt: 1, retryAt: null });
    expect(await onlyCase(world)).toMatchObject({
      code: bad.code,
      ownerRole: bad.ownerRole,
      message: await bad.message(deal),
      status: 'open',
      runId: run.id,
      amountAtRisk: { amount: String(VALUE) },
    });
    expect(await provisioned(simulator)).toEqual(before);

    await repaired(deal, bad, run.id);
  },
);

/** Repairs what is wrong as a person would, and expects the deal to come through exactly once. */
async function repaired(
  deal: Deal,
  { repair, startsRun }: Pick<BadInput, 'repair' | 'startsRun'>,
  runId: string,
) {
  const count = (await world.runs()).length;
  await repair(deal);
  if (!startsRun) await world.retry(runId);
  await world.settled(startsRun ? count + 1 : count);

  const { correlationId, cases } = await world.run(runId);
  const states = (await runsAbout(world, correlationId)).map(({ state }) => state);
  expect(states).toEqual(startsRun ? ['superseded', 'completed'] : ['completed']);
  expect(cases.map(({ state }) => state)).toEqual(['resolved']);
  expect(await world.openCases()).toEqual([]);
  won.push(deal.opportunityId);
  expect(judge(await readRecords(simulator), [deal.opportunityId], { alone: false })).toEqual([]);
}

const TIME_LINE = {
  serviceCode: 'IMP-TM',
  description: 'Consulting',
  commercialModel: 'time_and_materials',
  quantity: '10',
  unitPrice: '1000',
};

// ---------------------------------------------------------------- names

const ODD = 'Zoë "O\'Neil" <b>&amp; \u05E9\u05DC\u05D5\u05DD עולם 🚀';

test('names with emoji, quotes, markup and right-to-left text arrive unharmed', async () => {
  const deal = await enterDeal(simulator, 15, {
    name: `${ODD} Rollout`,
    lines: [
      {
        serviceCode: 'IMP-FF',
        description: `${ODD} Blueprint`,
        commercialModel: 'fixed_fee',
        quantity: '1',
        unitPrice: String(VALUE),
        schedule: [{ description: `${ODD} Start`, date: '2026-05-29', amount: String(VALUE) }],
      },
    ],
  });
  await changeAccount(deal, { Name: `${ODD} GmbH`, BillingStreet: `${ODD} Straße 1` });
  const [contact] = await contactsOf(simulator, deal);
  await simulator.patch('salesforce', 'Contact', contact.id, {
    FirstName: 'Zoë 🚀',
    LastName: `"עולם" O'Neil`,
  });

  expect(await runOf(world, deal)).toMatchObject({ state: 'completed', title: `${ODD} Rollout` });
  won.push(deal.opportunityId);
  const records = await readRecords(simulator);
  expect(judge(records, [deal.opportunityId], { alone: false })).toEqual([]);
  const values = (type: string, field: string) => (records[type] ?? []).map(({ data }) => data[field]);
  expect(values('netsuite.customer', 'companyName')).toContain(`${ODD} GmbH`);
  expect(JSON.stringify(values('netsuite.customer', 'addressBook'))).toContain(
    JSON.stringify(`${ODD} Straße 1`),
  );
  expect(values('netsuite.contact', 'firstName')).toContain('Zoë 🚀');
  expect(values('netsuite.contact', 'lastName')).toContain(`"עולם" O'Neil`);
  expect(values('netsuite.job', 'companyName')).toContain(`${ODD} Rollout`);
  expect(values('netsuite.projectTask', 'title')).toContain(`${ODD} Blueprint: Design`);
  expect(values('kantata.workspaces', 'title')).toContain(`${ODD} Rollout`);
  expect(values('kantata.billing_milestones', 'title')).toContain(`${ODD} Start`);
});

/** What of the ERP there is. The PSA's branch goes on when the ERP refuses something. */
async function inErp(): Promise<Record<string, number>> {
  const { workspaces: _1, stories: _2, billing_milestones: _3, ...erp } = await provisioned(simulator);
  return erp;
}

test('an account name of 255 characters waits for whom NetSuite refuses it, and nothing is written there', async () => {
  const deal = await enterDeal(simulator, 16);
  const name = await accountName(simulator, deal);
  const long = `${name} ${'x'.repeat(254 - name.length)}`;
  await changeAccount(deal, { Name: long });
  const before = await inErp();

  const run = await runOf(world, deal);
  expect(run).toMatchObject({ state: 'failed', retryAt: null });
  expect(await onlyCase(world)).toMatchObject({
    code: 'TARGET_REJECTED',
    ownerRole: 'finance_ops',
    message:
      `NetSuite refused customer ${long.slice(0, 59)}…: Error while accessing a resource. ` +
      'The field companyName contained more than the maximum number ( 83 ) of characters allowed. (companyName).',
    amountAtRisk: { amount: String(VALUE) },
  });
  expect(await inErp()).toEqual(before);
  await repaired(deal, { repair: () => changeAccount(deal, { Name: name }) }, run.id);
});

test('a deal name that is too long for a project stops half-way; the repair goes on from there', async () => {
  const deal = await enterDeal(simulator, 17, { name: `Roll-out ${'y'.repeat(111)}` });
  const before = await inErp();

  const run = await runOf(world, deal);
  expect(run).toMatchObject({ state: 'failed', retryAt: null });
  expect(await onlyCase(world)).toMatchObject({
    code: 'TARGET_REJECTED',
    ownerRole: 'finance_ops',
    message: expect.stringMatching(/^NetSuite refused project Roll-out y+…: .*maximum number \( 83 \)/),
  });
  const written = await inErp();
  expect(written).toEqual({ ...before, customer: expect.any(Number), contact: expect.any(Number) });

  await repaired(deal, { repair: () => changeDeal(deal, { Name: 'Roll-out' }), startsRun: true }, run.id);
  const { customer, contact } = await inErp();
  expect([customer, contact]).toEqual([written.customer, written.contact]);
});

test('a line description of 255 characters, the longest of the CRM, passes', async () => {
  const description = `Blueprint ${'z'.repeat(245)}`;
  const deal = await enterDeal(simulator, 18, { lines: [{ ...TIME_LINE, description }] });
  expect(await runOf(world, deal)).toMatchObject({ state: 'completed', cases: [] });
  won.push(deal.opportunityId);
  expect(judge(await readRecords(simulator), [deal.opportunityId], { alone: false })).toEqual([]);
});

// ---------------------------------------------------------------- repairs of more than one move

test('a deal in a currency that does not exist: sales enters its products again', async () => {
  const deal = await enterDeal(simulator, 19, { currency: 'ZZZ', lines: [TIME_LINE] });
  const before = await provisioned(simulator);

  const run = await runOf(world, deal);
  expect(run).toMatchObject({ state: 'failed', retryAt: null });
  expect(await onlyCase(world)).toMatchObject({
    code: 'CURRENCY_INVALID',
    ownerRole: 'sales_ops',
    message: `ZZZ in ${deal.name} is not a currency of ISO 4217.`,
    amountAtRisk: null,
  });
  expect(await provisioned(simulator)).toEqual(before);

  // Products fix the currency of an opportunity: they are removed and entered anew.
  const lines = await simulator.records('salesforce', 'OpportunityLineItem');
  const [line] = lines.filter(({ data }) => data.OpportunityId === deal.opportunityId);
  await removeInSalesforce(simulator, `OpportunityLineItem/${line?.id}`);
  await changeContract(deal, { CurrencyIsoCode: 'EUR' });
  await changeDeal(deal, { CurrencyIsoCode: 'EUR' });
  await simulator.create('salesforce', 'OpportunityLineItem', {
    OpportunityId: deal.opportunityId,
    Product2Id: line?.data.Product2Id,
    Quantity: 10,
    UnitPrice: 1000,
    Description: TIME_LINE.description,
    Q2C_Commercial_Model__c: TIME_LINE.commercialModel,
  });
  await until(
    'the last change to come through',
    async () => judge(await readRecords(simulator), [deal.opportunityId], { alone: false }).length === 0,
    30_000,
    100,
  );
  await world.settled(1);
  // Each move was news about the opportunity; whatever they were stuck on is over.
  const states = (await runsAbout(world, run.correlationId)).map(({ state }) => state);
  expect(states.slice(0, -1).every((state) => state === 'superseded')).toBe(true);
  expect(states.at(-1)).toBe('completed');
  expect(await world.openCases()).toEqual([]);
  won.push(deal.opportunityId);
});

test('two accounts with the same tax registration, of which the first one was wrong', async () => {
  const [first, second] = [await enterDeal(simulator, 20), await enterDeal(simulator, 21)];
  const { Q2C_Tax_Registration__c: own } = (await simulator.record('salesforce', 'Account', first.accountId))
    .data;
  await takeTaxNumberOf(first, second.accountId);
  expect(await runOf(world, first)).toMatchObject({ state: 'completed' });
  const run = await runOf(world, second);
  expect(run).toMatchObject({ state: 'failed' });
  expect(await onlyCase(world)).toMatchObject({ code: 'DUPLICATE_SUSPECTED', ownerRole: 'data_steward' });

  // Sales corrects the account, whose deal goes through once more; finance corrects the customer.
  await changeAccount(first, { Q2C_Tax_Registration__c: own });
  const customers = await simulator.records('netsuite', 'customer');
  const name = await accountName(simulator, first);
  const customer = customers.find(({ data }) => data.companyName === name);
  await simulator.patch('netsuite', 'customer', customer?.id ?? '', { vatRegNumber: own });
  const count = (await world.runs()).length;
  await changeDeal(first, { CloseDate: '2026-12-24' });
  await world.settled(count + 1);
  won.push(first.opportunityId);
  await repaired(second, { repair: async () => undefined }, run.id);
});

test('in the end every deal is provisioned, and nothing else', async () => {
  expect(judge(await readRecords(simulator), won)).toEqual([]);
});
