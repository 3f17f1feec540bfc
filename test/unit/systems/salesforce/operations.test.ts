import { type CanonicalId, type DealDocument, deriveId, type EntityName, newId } from '../../../../lib/model';
import type { MappingContext, ReadContext } from '../../../../lib/systems/kit';
import { MappingError } from '../../../../lib/systems/kit';
import { queryRecords } from '../../../../lib/systems/salesforce/operations/query-records';
import { readDeal } from '../../../../lib/systems/salesforce/operations/read-deal';
import { updateOpportunity } from '../../../../lib/systems/salesforce/operations/update-opportunity';
import { upsertContact } from '../../../../lib/systems/salesforce/operations/upsert-contact';
import { upsertCustomer } from '../../../../lib/systems/salesforce/operations/upsert-customer';
import { callContext, type FakeOrg, fakeOrg, page, ROOT, refusal } from './fake-org';

let org: FakeOrg;
beforeEach(async () => {
  org = await fakeOrg();
});
afterEach(() => org.close());

const ref = (type: string, id: string) => ({
  system: 'salesforce',
  instance: '127.0.0.1',
  type,
  id,
  role: 'master' as const,
});
const opportunityId = newId('opportunity');
const customerId = newId('customer');

function contextOf(deal: DealDocument, parameters: Record<string, string> = {}): MappingContext {
  return {
    deal,
    system: 'salesforce',
    instance: org.client.instance,
    settings: org.client.settings,
    parameters,
    lookup: () => {
      throw new Error('no lookups here');
    },
    lookupOptional: () => undefined,
    refId: (entity, type, what) => {
      const found = entity?.externalRefs?.find((each) => each.system === 'salesforce' && each.type === type);
      if (!found) throw new MappingError('MANDATORY_FIELD_MISSING', `${what} is not in Salesforce yet`);
      return found.id;
    },
  };
}

function readContextOf(deal: DealDocument, ids: Map<string, CanonicalId>): ReadContext {
  return {
    ...contextOf(deal),
    idOf: (_entity: EntityName, type: string, id: string) => {
      const known = ids.get(`${type} ${id}`);
      if (!known) throw new Error(`${type} ${id} was not announced by references`);
      return known;
    },
  };
}

describe('reading a deal', () => {
  const deal: DealDocument = {
    opportunity: { id: opportunityId, externalRefs: [ref('Opportunity', '006A')] },
  };
  const account = { Id: '001A', Name: 'Acme', BillingCountry: 'DE', Q2C_External_Id__c: customerId };
  const opportunity = {
    Id: '006A',
    Name: 'Deal',
    IsWon: true,
    IsClosed: true,
    Amount: 100,
    CurrencyIsoCode: 'EUR',
    Account: account,
    Contract: { Id: '800A', ContractNumber: '1' },
  };
  const role = (id: string, accountId = '001A') => ({
    ContactId: id,
    Contact: { Id: id, AccountId: accountId, LastName: id },
  });
  const line = { Id: '00kA', ProductCode: 'P', TotalPrice: 100, Product2: null };

  function answerWith(pages: object[]) {
    org.answer = () => [
      200,
      {
        compositeResponse: pages.map((body, index) => ({
          body,
          httpHeaders: {},
          httpStatusCode: 200,
          referenceId: `part${index}`,
        })),
      },
    ];
  }

  async function read() {
    const [item] = readDeal.select(deal, {});
    if (!item) throw new Error('nothing selected');
    const wire = readDeal.toSystem(item, contextOf(deal));
    const reply = await readDeal.call(org.client, wire, callContext());
    const references = readDeal.references?.(reply) ?? [];
    const ids = new Map(
      references.map(({ entity, type, id, claims }) => [`${type} ${id}`, claims ?? newId(entity)]),
    );
    ids.set('Opportunity 006A', opportunityId);
    // A reply is journaled and answered again on replay: it must survive JSON.
    const result = readDeal.fromSystem(JSON.parse(JSON.stringify(reply)), item, readContextOf(deal, ids));
    return { references, result };
  }

  test('one composite call gives the whole deal', async () => {
    answerWith([
      page([opportunity]),
      page([role('003A'), role('003B', '001X'), role('003A')]),
      page([line]),
      page([]),
    ]);
    const { references, result } = await read();
    expect(org.calls()).toHaveLength(1);
    expect(references).toEqual([
      { entity: 'opportunity', type: 'Opportunity', id: '006A', claims: null },
      { entity: 'customer', type: 'Account', id: '001A', claims: customerId },
      { entity: 'contract', type: 'Contract', id: '800A', claims: null },
      { entity: 'contact', type: 'Contact', id: '003A', claims: null },
      { entity: 'contact', type: 'Contact', id: '003B', claims: null },
    ]);
    const { merge } = result;
    expect(merge?.opportunity).toMatchObject({
      id: opportunityId,
      customerId,
      contractId: merge?.contract?.id,
      stage: 'won',
    });
    expect(merge?.customer).toMatchObject({ id: customerId, legalName: 'Acme', country: 'DE' });
    expect(merge?.contacts).toMatchObject([{ customerId }, { lastName: '003B' }]);
    expect(merge?.contacts?.[1]).not.toHaveProperty('customerId');
    expect(merge?.quote).toMatchObject({
      id: deriveId('quote', opportunityId, 'opportunity line items'),
      opportunityId,
      lines: [{ lineNo: 1, serviceCode: 'P', amount: '100' }],
    });
    expect(merge?.contract).toMatchObject({ customerId, quoteId: merge?.quote?.id, number: '1' });
    expect(result.refs.map(({ entity, ref: { type, id } }) => `${entity} ${type} ${id}`)).toEqual([
      'opportunity Opportunity 006A',
      'customer Account 001A',
      'contract Contract 800A',
      'contact Contact 003A',
      'contact Contact 003B',
    ]);
  });

  test('lists that exceed their page are completed', async () => {
    const next = `${ROOT}/query/01g-1`;
    const lines = Array.from({ length: 3 }, (_, index) => ({ ...line, Id: `00k${index}` }));
    answerWith([page([opportunity]), page([]), page(lines.slice(0, 2), { totalSize: 3, next }), page([])]);
    const composite = org.answer;
    org.answer = (request, url) =>
      url.pathname === next ? [200, page(lines.slice(2), { totalSize: 3 })] : composite(request, url);
    const { result } = await read();
    expect(result.merge?.quote?.lines).toHaveLength(3);
  });

  test('without account, contract and contacts those stay absent', async () => {
    answerWith([page([{ ...opportunity, Account: null, Contract: null }]), page([]), page([]), page([])]);
    const { merge } = (await read()).result;
    expect(merge?.customer).toBeUndefined();
    expect(merge?.contract).toBeUndefined();
    expect(merge?.contacts).toEqual([]);
    expect(merge?.opportunity).not.toHaveProperty('customerId');
  });

  test('an opportunity that is gone or hidden is not found', async () => {
    answerWith([page([]), page([]), page([]), page([])]);
    await expect(read()).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('a row of another shape is named', async () => {
    answerWith([page([{ ...opportunity, IsWon: 'yes' }]), page([]), page([]), page([])]);
    await expect(read()).rejects.toThrow(/Opportunity.*0\.IsWon/);
  });

  test('no opportunity, nothing to do', () => {
    expect(readDeal.select({}, {})).toEqual([]);
  });
});

describe('customer upsert', () => {
  const created = { id: '001A', success: true, errors: [], created: true };

  test('an unknown customer is upserted by our id', async () => {
    const customer = { id: customerId, externalRefs: [], legalName: 'Acme' };
    const wire = upsertCustomer.toSystem(customer, contextOf({ customer }));
    expect(wire).toEqual({ externalId: customerId, recordId: null, fields: { Name: 'Acme' } });
    org.answer = () => [201, { ...created, id: '001000000000001' }];
    const reply = await upsertCustomer.call(org.client, wire, callContext());
    expect(org.calls()[0]?.path).toBe(`${ROOT}/sobjects/Account/Q2C_External_Id__c/${customerId}`);
    expect(upsertCustomer.fromSystem(reply, customer, readContextOf({}, new Map()))).toMatchObject({
      refs: [
        {
          id: customerId,
          entity: 'customer',
          ref: { system: 'salesforce', type: 'Account', id: '001000000000001' },
        },
      ],
      evidence: { id: '001000000000001', created: true },
    });
  });

  test('an account that is known is written by its id and gets our id, instead of a second account', async () => {
    const customer = { id: customerId, externalRefs: [ref('Account', '001A')], legalName: 'Acme' };
    const wire = upsertCustomer.toSystem(customer, contextOf({ customer }));
    org.answer = () => [204];
    expect(await upsertCustomer.call(org.client, wire, callContext())).toMatchObject({
      id: '001A',
      created: false,
    });
    expect(org.calls()).toEqual([
      {
        method: 'PATCH',
        path: `${ROOT}/sobjects/Account/001A`,
        body: { Name: 'Acme', Q2C_External_Id__c: customerId },
      },
    ]);
  });

  test('probe finds what a lost call wrote; compensation deletes only what it created', async () => {
    const customer = { id: customerId, externalRefs: [], legalName: 'Acme' };
    const wire = upsertCustomer.toSystem(customer, contextOf({ customer }));
    org.answer = () => [200, page([{ Id: '001A', CreatedDate: 'a', LastModifiedDate: 'a' }])];
    const reply = await upsertCustomer.probe?.(org.client, wire, callContext());
    if (!reply) throw new Error('not found');
    expect(reply).toMatchObject({ id: '001A', created: true });
    org.answer = () => [204];
    await upsertCustomer.compensate?.(org.client, wire, { ...reply, created: false }, callContext());
    expect(org.calls()).toHaveLength(1);
    await upsertCustomer.compensate?.(org.client, wire, reply, callContext());
    expect(org.calls()[1]).toMatchObject({ method: 'DELETE', path: `${ROOT}/sobjects/Account/001A` });
    org.answer = () => [200, page([])];
    expect(await upsertCustomer.probe?.(org.client, wire, callContext())).toBeNull();
  });
});

describe('contact upsert', () => {
  test('every contact of the deal, under its account', () => {
    const contacts = [
      { id: newId('contact'), externalRefs: [], name: 'A' },
      { id: newId('contact'), externalRefs: [], name: 'B' },
    ];
    const deal = { contacts, customer: { id: customerId, externalRefs: [ref('Account', '001A')] } };
    const wires = upsertContact.select(deal, {}).map((item) => upsertContact.toSystem(item, contextOf(deal)));
    expect(wires.map(({ fields }) => fields)).toEqual([
      { AccountId: '001A', LastName: 'A' },
      { AccountId: '001A', LastName: 'B' },
    ]);
    expect(() =>
      upsertContact.toSystem(contacts[0] ?? { id: '', externalRefs: [] }, contextOf({ contacts })),
    ).toThrow(MappingError);
  });
});

describe('opportunity update', () => {
  const opportunity = { id: opportunityId, externalRefs: [ref('Opportunity', '006A')] };
  const customer = { id: customerId, externalRefs: [ref('Account', '001A')], number: 'C-100' };
  const project = { id: newId('project'), externalRefs: [], code: 'PRJ-7', name: 'Roll-out' };
  const deal: DealDocument = { opportunity, customer, project };
  const status = { status: 'Provisioned: project {projectNumber} for {customerNumber}' };
  const composite = (answers: [number, unknown][]) =>
    [
      200,
      {
        compositeResponse: answers.map(([httpStatusCode, body], index) => ({
          body,
          httpStatusCode,
          referenceId: `part${index}`,
        })),
      },
    ] as [number, unknown];

  test('opportunity and account change in one call', async () => {
    const wire = updateOpportunity.toSystem(opportunity, contextOf(deal, status));
    org.answer = () =>
      composite([
        [204, null],
        [204, null],
      ]);
    const reply = await updateOpportunity.call(org.client, wire, callContext());
    expect(org.calls().map(({ body }) => body.compositeRequest)).toEqual([
      [
        {
          method: 'PATCH',
          url: `${ROOT}/sobjects/Opportunity/006A`,
          referenceId: 'part0',
          body: {
            Q2C_Status__c: 'Provisioned: project PRJ-7 for C-100',
            Q2C_Project_Number__c: 'PRJ-7',
            Q2C_External_Id__c: opportunityId,
          },
        },
        {
          method: 'PATCH',
          url: `${ROOT}/sobjects/Account/001A`,
          referenceId: 'part1',
          body: { Q2C_Customer_Number__c: 'C-100', Q2C_External_Id__c: customerId },
        },
      ],
    ]);
    expect(updateOpportunity.fromSystem(reply, opportunity, readContextOf(deal, new Map()))).toEqual({
      refs: [],
      evidence: { updated: ['Opportunity 006A', 'Account 001A'] },
    });
  });

  test('a placeholder without a value is named, an empty status is not written, a long one fits the field', () => {
    const toSystem = (text: string, of: DealDocument = deal) =>
      updateOpportunity.toSystem(opportunity, contextOf(of, { status: text }));
    expect(() => toSystem('{projectNumber}', { opportunity })).toThrow(/A value for \{projectNumber\}/);
    expect(() => toSystem('{typo}')).toThrow(MappingError);
    expect(toSystem(' ').updates[0]?.fields).toEqual({ Q2C_Project_Number__c: 'PRJ-7' });
    expect(String(toSystem('x'.repeat(300)).updates[0]?.fields.Q2C_Status__c)).toHaveLength(255);
  });

  test.each([
    [{ waitingFor: 'finance' }, 'In provisioning: waiting for finance'],
    [{}, 'In provisioning: waiting for a repair'],
  ])('a deal that waits says for whom: %j', (known, said) => {
    const parameters = { status: 'In provisioning: waiting for {waitingFor}', ...known };
    const { updates } = updateOpportunity.toSystem(opportunity, contextOf({ opportunity }, parameters));
    expect(updates[0]?.fields).toEqual({ Q2C_Status__c: said });
  });

  test('probe compares what is there with what was to be written', async () => {
    const wire = updateOpportunity.toSystem(opportunity, contextOf(deal, status));
    const written = {
      Q2C_Status__c: 'Provisioned: project PRJ-7 for C-100',
      Q2C_Project_Number__c: 'PRJ-7',
      Q2C_External_Id__c: opportunityId,
    };
    const account = { Q2C_Customer_Number__c: 'C-100', Q2C_External_Id__c: customerId };
    org.answer = () =>
      composite([
        [200, written],
        [200, account],
      ]);
    expect(await updateOpportunity.probe?.(org.client, wire, callContext())).toEqual({
      updated: [
        { type: 'Opportunity', id: '006A' },
        { type: 'Account', id: '001A' },
      ],
    });
    org.answer = () =>
      composite([
        [200, { ...written, Q2C_Project_Number__c: null }],
        [200, account],
      ]);
    expect(await updateOpportunity.probe?.(org.client, wire, callContext())).toBeNull();
  });
});

describe('SOQL query', () => {
  test('rows without the platform attributes', async () => {
    const wire = queryRecords.toSystem({ id: 'query' }, contextOf({}, { soql: ' SELECT Id FROM Account ' }));
    org.answer = () => [
      200,
      page([
        { attributes: { type: 'Account' }, Id: '1', Owner: { attributes: {}, Name: 'x' }, Parent: null },
      ]),
    ];
    const rows = await queryRecords.call(org.client, wire, callContext());
    expect(queryRecords.fromSystem(rows, { id: 'query' }, readContextOf({}, new Map()))).toEqual({
      refs: [],
      rows: [{ Id: '1', Owner: { Name: 'x' }, Parent: null }],
      evidence: { rows: 1 },
    });
  });

  test('no text, no call; a wrong text is the reader’s to fix', async () => {
    expect(() => queryRecords.toSystem({ id: 'query' }, contextOf({}, { soql: ' ' }))).toThrow(MappingError);
    org.answer = () => [400, refusal('MALFORMED_QUERY', "unexpected token: 'FORM'")];
    await expect(
      queryRecords.call(org.client, { soql: 'SELECT Id FORM Account' }, callContext()),
    ).rejects.toMatchObject({
      kind: 'rejected',
      reason: "unexpected token: 'FORM'",
    });
  });
});
