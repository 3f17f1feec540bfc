import type { SimRecord } from '../../../simulator/kit/types';
import { generateWorld, newAccount } from '../../../simulator/seed/generate';
import { TestOrg } from './org';

let org: TestOrg;
beforeEach(async () => {
  org = await TestOrg.start();
});
afterEach(() => org.close());

interface Deal {
  key: string;
  opportunityId: string;
  name: string;
  contractId?: string;
}

const close = async (body: object) => (await org.control<Deal[]>('deals/close', 'POST', body)).body;
const world = generateWorld(1);

const accountsOf = (deals: Deal[]) =>
  org.rows<{ Account: { Name: string; Q2C_Tax_Registration__c: string } }>(
    `SELECT Account.Name, Account.Q2C_Tax_Registration__c FROM Opportunity WHERE Id IN ('${deals.map((deal) => deal.opportunityId).join("','")}')`,
  );

describe('the seeded org', () => {
  it('holds the world: accounts, people, deals with lines, schedules and contracts', async () => {
    const amount = `SELECT Name, Amount, CurrencyIsoCode, Q2C_Service_Line__c, Q2C_Region__c, CloseDate, IsClosed, Contract.StartDate,
      Contract.EndDate, Contract.Q2C_Total_Value__c, Account.Name, Account.Q2C_Tax_Registration__c, ContactId,
      (SELECT TotalPrice, Quantity, UnitPrice, Q2C_Commercial_Model__c, ProductCode, Description, HasRevenueSchedule FROM OpportunityLineItems ORDER BY CreatedDate)
      FROM Opportunity ORDER BY CreatedDate`;
    const opportunities = await org.rows(amount);
    expect(opportunities).toHaveLength(world.deals.length);
    for (const [i, deal] of world.deals.entries()) {
      const account = world.accounts.find(({ key }) => key === deal.accountKey);
      expect(opportunities[i]).toMatchObject({
        Name: deal.name,
        Amount: Number(deal.amount),
        CurrencyIsoCode: deal.currency,
        Q2C_Service_Line__c: deal.serviceLine,
        Q2C_Region__c: deal.region,
        CloseDate: deal.closeDate,
        IsClosed: false,
        Contract: {
          StartDate: deal.startDate,
          EndDate: deal.endDate,
          Q2C_Total_Value__c: Number(deal.amount),
        },
        Account: { Name: account?.name, Q2C_Tax_Registration__c: account?.taxNumber },
        ContactId: expect.stringMatching(/^003/),
        OpportunityLineItems: {
          records: deal.lines.map((line) => ({
            TotalPrice: Number(line.amount),
            Quantity: Number(line.quantity),
            UnitPrice: Number(line.unitPrice),
            Q2C_Commercial_Model__c: line.commercialModel,
            ProductCode: line.serviceCode,
            Description: line.description,
            HasRevenueSchedule: line.schedule !== undefined,
          })),
        },
      });
    }
  });

  it('is the same for the same seed', async () => {
    const soql = 'SELECT Id, Name, Amount FROM Opportunity ORDER BY Id';
    const before = await org.rows(soql);
    await org.control('reset', 'POST');
    await org.login();
    expect(await org.rows(soql)).toEqual(before);
  });
});

describe('closing deals', () => {
  it('wins the next open ones, with an active contract', async () => {
    const [first] = await close({});
    expect(first).toEqual({
      key: 'deal-0001',
      opportunityId: expect.stringMatching(/^006/),
      name: world.deals[0]?.name,
    });
    const opportunity = await org.read<Record<string, string>>('Opportunity', first?.opportunityId ?? '');
    expect(opportunity).toMatchObject({
      StageName: 'Closed Won',
      IsWon: true,
      Amount: Number(world.deals[0]?.amount),
    });
    expect(await org.read('Contract', opportunity.ContractId ?? '')).toMatchObject({
      Status: 'Activated',
      CustomerSignedDate: world.deals[0]?.closeDate,
    });
    const [sales] = await org.rows<{ Id: string }>("SELECT Id FROM User WHERE Username LIKE 'sales@%'");
    expect(opportunity.LastModifiedById).toBe(sales?.Id);
    expect((await close({ count: 3 })).map((deal) => deal.key)).toEqual([
      'deal-0002',
      'deal-0003',
      'deal-0004',
    ]);
  });

  it('goes on with new deals of the seed when they run out', async () => {
    const won = await close({ count: world.deals.length + 5 });
    expect(new Set(won.map((deal) => deal.opportunityId)).size).toBe(world.deals.length + 5);
    expect(won.at(-1)?.key).toBe('deal-0071');
    expect((await org.query('SELECT COUNT() FROM Opportunity WHERE IsWon = true')).body.totalSize).toBe(
      won.length,
    );
  });

  it('wins one by its key or those of an account', async () => {
    expect((await close({ key: 'deal-0009' })).map((deal) => deal.key)).toEqual(['deal-0009']);
    const ofAccount = await close({ accountKey: 'acc-001', count: 6 });
    const accounts = await org.rows<{ AccountId: string }>(
      `SELECT AccountId FROM Opportunity WHERE Id IN ('${ofAccount.map((deal) => deal.opportunityId).join("','")}')`,
    );
    expect(accounts).toHaveLength(6);
    expect(new Set(accounts.map((row) => row.AccountId)).size).toBe(1);
  });

  it('wins deals of accounts that have bought nothing before', async () => {
    const won = await close({ newAccounts: true, count: 50 });
    const accounts = await accountsOf(won);
    const names = new Set(accounts.map(({ Account }) => Account.Name));
    expect(names.size).toBe(50);
    for (const { name } of world.accounts) expect(names).not.toContain(name);
  });

  it('wins none of two new accounts with the same tax number', async () => {
    // The last of so many new accounts of this seed has the tax number of one before it.
    const [seed, colliding] = [203_654, 30];
    const numbers = Array.from({ length: colliding }, (_, i) => newAccount(seed, i + 1).taxNumber);
    expect(new Set(numbers).size).toBe(colliding - 1);
    await org.close();
    org = await TestOrg.start({ seed });
    const entered = (await accountsOf(await close({ newAccounts: true, count: colliding }))).map(
      ({ Account }) => Account.Q2C_Tax_Registration__c,
    );
    expect(new Set(entered)).toEqual(new Set([...numbers, newAccount(seed, colliding + 1).taxNumber]));
    expect(entered).toHaveLength(colliding);
  });

  it.each([
    [{ key: 'deal-9999' }, 404, 'NOT_FOUND'],
    [{ newAccounts: true, accountKey: 'acc-001' }, 400, 'INVALID_PARAMETER'],
    [{ newAccounts: 1 }, 400, 'INVALID_PARAMETER'],
    [{ accountKey: 'acc-999' }, 404, 'NOT_FOUND'],
    [{ count: 0 }, 400, 'INVALID_PARAMETER'],
    [{ count: '3' }, 400, 'INVALID_PARAMETER'],
  ])('refuses %j', async (body, status, code) => {
    expect(await org.control('deals/close', 'POST', body)).toMatchObject({ status, body: { code } });
  });

  it('refuses to close twice', async () => {
    await close({ key: 'deal-0001' });
    expect(await org.control('deals/close', 'POST', { key: 'deal-0001' })).toMatchObject({
      status: 400,
      body: { code: 'DEAL_NOT_OPEN' },
    });
  });
});

describe('creating a deal', () => {
  const create = (body: object) =>
    org.control<Deal & { code: string; message: string }>('deals', 'POST', body);

  it('fills in what is left out', async () => {
    const { status, body } = await create({ name: 'Only a name' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      key: 'deal-0067',
      name: 'Only a name',
      contractId: expect.stringMatching(/^800/),
    });
    expect((await close({ key: body.key }))[0]?.opportunityId).toBe(body.opportunityId);
  });

  it('enters all of a deal', async () => {
    const { body } = await create({
      key: 'mine',
      accountKey: 'acc-002',
      currency: 'USD',
      region: 'AMER',
      serviceLine: 'training',
      startDate: '2026-02-01',
      endDate: '2026-07-31',
      poNumber: 'PO-7',
      lines: [
        {
          serviceCode: 'TRN-RT',
          commercialModel: 'retainer',
          quantity: '6',
          unitPrice: '2500.00',
          retainer: { includedHours: '16', overageRate: '165.00' },
        },
        {
          serviceCode: 'TRN-MS',
          commercialModel: 'milestone',
          unitPrice: '1000.00',
          schedule: [
            { description: 'Half', date: '2026-03-01', amount: '500.00' },
            { description: 'Rest', date: '2026-04-01', amount: '500.00' },
          ],
        },
      ],
    });
    const [row] =
      await org.rows(`SELECT Amount, Contract.ContractTerm, Contract.Q2C_PO_Number__c, Contract.Q2C_Total_Value__c,
      (SELECT Q2C_Included_Quantity__c, Q2C_Overage_Rate__c FROM OpportunityLineItems) FROM Opportunity WHERE Id = '${body.opportunityId}'`);
    expect(row).toMatchObject({
      Amount: 16_000,
      Contract: { ContractTerm: 6, Q2C_PO_Number__c: 'PO-7', Q2C_Total_Value__c: 16_000 },
      OpportunityLineItems: {
        totalSize: 2,
        records: [{ Q2C_Included_Quantity__c: 16, Q2C_Overage_Rate__c: 165 }, {}],
      },
    });
    expect(await create({ key: 'mine' })).toMatchObject({ status: 400, body: { code: 'DUPLICATE_VALUE' } });
  });

  it('enters bad data that people enter', async () => {
    const { body } = await create({
      amount: '1.00',
      currency: 'XXX',
      opportunity: { AccountId: null, Q2C_Region__c: 'APAC' },
      contract: { CurrencyIsoCode: 'JPY' },
    });
    const [row] = await org.rows(
      `SELECT Amount, AccountId, CurrencyIsoCode, Q2C_Region__c, Contract.CurrencyIsoCode FROM Opportunity WHERE Id = '${body.opportunityId}'`,
    );
    expect(row).toMatchObject({
      Amount: 1,
      AccountId: null,
      CurrencyIsoCode: 'XXX',
      Q2C_Region__c: 'APAC',
      Contract: { CurrencyIsoCode: 'JPY' },
    });
    expect((await close({ key: body.key }))[0]?.opportunityId).toBe(body.opportunityId);
  });

  it.each([
    [{ lines: 5 }, 'lines'],
    [{ lines: [{ serviceCode: 'IMP-FF', commercialModel: 'gift', unitPrice: '1' }] }, 'commercialModel'],
    [{ lines: [{ serviceCode: 'IMP-FF', commercialModel: 'fixed_fee', unitPrice: 1 }] }, 'unitPrice'],
    [{ nme: 'x' }, 'nme'],
    [{ opportunity: [] }, 'opportunity'],
  ])('refuses %j', async (body, named) => {
    const reply = await create(body);
    expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_DEAL' } });
    expect(reply.body.message).toContain(named);
  });
});

it('shows records to the control API as they are stored', async () => {
  const { body } = await org.control<{ total: number; records: SimRecord[] }>(
    'salesforce/records/Account?BillingCountry=FR',
  );
  expect(body.total).toBe(world.accounts.filter((account) => account.address.country === 'FR').length);
  expect(body.records[0]).toMatchObject({ type: 'Account', data: { BillingCountry: 'FR' }, deleted: false });
});
