import { SystemError } from '../../../../lib/systems/kit';
import type { NetSuiteClient } from '../../../../lib/systems/netsuite/client';
import { type CustomerKeys, findCustomer } from '../../../../lib/systems/netsuite/find-customer';
import { RecordService } from '../../../../lib/systems/netsuite/record-service';
import type { Row } from '../../../../lib/systems/netsuite/suiteql';
import { id, json, scriptedHttp } from './support';

const { signal } = new AbortController();
const OURS = `q2c:${id('customer')}`;
const OTHER_OF_OURS = `q2c:${id('customer', 2)}`;

const keys: CustomerKeys = {
  externalId: OURS,
  name: 'Nordwind Maschinenbau GmbH',
  country: 'DE',
  postalCode: '53111',
  taxNumber: 'DE 136695976',
  taxField: 'vatRegNumber',
};

const row = (fields: Row): Row => ({ id: '107', entityid: 'CUST107', isinactive: 'F', ...fields });
const sameTax = (fields: Row = {}) =>
  row({ companyname: 'Nordwind', vatregnumber: 'DE136695976', ...fields });
const sameName = (fields: Row = {}) => row({ companyname: 'NORDWIND Maschinenbau, GmbH', ...fields });

const recordAt = (zip: string, country: string) =>
  json({ id: '107', addressBook: { items: [{ addressBookAddress: { zip, country: { id: country } } }] } });

function find(rows: Row[], records: ReturnType<typeof json>[] = [], wanted = keys) {
  const queries: string[] = [];
  const client: Pick<NetSuiteClient, 'system' | 'records' | 'query' | 'canonicalIdIn'> = {
    system: 'netsuite',
    records: new RecordService(scriptedHttp(records), 'netsuite'),
    query: async (sql) => {
      queries.push(sql);
      return rows;
    },
    canonicalIdIn: (externalId) => (externalId?.startsWith('q2c:') ? externalId.slice(4) : null),
  };
  return { queries, result: findCustomer(client, wanted, signal) };
}

async function failureOf(work: Promise<unknown>): Promise<SystemError> {
  const error = await work.catch((reason: unknown) => reason);
  if (error instanceof SystemError) return error;
  throw new Error(`expected a SystemError, got ${JSON.stringify(error)}`);
}

describe('finding a customer', () => {
  test('one query asks for our key, the name and every spelling of the tax number', async () => {
    const { queries, result } = find([]);
    expect(await result).toBeNull();
    expect(queries).toHaveLength(1);
    expect(queries[0]).toBe(
      `SELECT id, entityid, externalid, companyname, isinactive, vatregnumber FROM customer WHERE externalid = '${OURS}' OR UPPER(companyname) = 'NORDWIND MASCHINENBAU GMBH' OR vatregnumber IN ('DE 136695976', 'DE136695976', '136695976') ORDER BY id`,
    );
  });

  test('quotes in names and odd field names cannot change the query', async () => {
    const { queries } = find([], [], { ...keys, name: "O'Neil", taxField: 'custentity_tax; --' });
    expect(queries[0]).toContain("UPPER(companyname) = 'O''NEIL'");
    expect(queries[0]).toContain('custentity_tax FROM customer');
  });

  test('our key wins over everything else', async () => {
    const { result } = find([sameTax({ id: '5' }), row({ id: '9', entityid: 'CUST9', externalid: OURS })]);
    expect(await result).toEqual({ id: '9', number: 'CUST9', externalId: OURS });
  });

  test('the same tax registration in another spelling is the same customer', async () => {
    expect(await find([sameTax()]).result).toEqual({ id: '107', number: 'CUST107', externalId: null });
  });

  test('a key of another integration is reported, to be kept', async () => {
    expect(await find([sameTax({ externalid: 'boomi-88' })]).result).toMatchObject({
      externalId: 'boomi-88',
    });
  });

  test('same name, country and postal code is the same customer when no tax number contradicts', async () => {
    expect(await find([sameName()], [recordAt('53111', 'DE')]).result).toMatchObject({ id: '107' });
    const { taxNumber: _none, ...rest } = keys;
    const untaxed = { ...rest, taxNumber: null };
    expect(
      await find([sameName({ vatregnumber: 'DE1' })], [recordAt('53 111', 'DE')], untaxed).result,
    ).toMatchObject({
      id: '107',
    });
  });

  test.each<[string, Row[], ReturnType<typeof json>[]]>([
    ['at another postal code', [sameName()], [recordAt('10115', 'DE')]],
    ['in another country', [sameName()], [recordAt('53111', 'AT')]],
    ['without address', [sameName()], [json({ id: '107' })]],
    ['with another tax number', [sameName({ vatregnumber: 'DE999999999' })], []],
    ['that is inactive', [sameTax({ isinactive: 'T' })], []],
  ])('a customer of the same name %s is another customer', async (_name, rows, records) => {
    expect(await find(rows, records).result).toBeNull();
  });

  test.each<[string, Row[]]>([
    ['two customers have the tax number', [sameTax({ id: '1' }), sameTax({ id: '2' })]],
    ['the customer is linked to another of ours', [sameTax({ externalid: OTHER_OF_OURS })]],
  ])('%s: a person decides', async (_name, rows) => {
    expect(await failureOf(find(rows).result)).toMatchObject({
      kind: 'rejected',
      code: 'DUPLICATE_SUSPECTED',
    });
  });

  test('a customer that finance has made inactive stays so', async () => {
    const error = await failureOf(find([row({ externalid: OURS, isinactive: 'T' })]).result);
    expect(error).toMatchObject({ kind: 'rejected', code: 'TARGET_REJECTED' });
    expect(error.reason).toContain('CUST107 is inactive');
  });

  test('a row without id is a changed interface, not a customer with an empty id', async () => {
    const { id: _, ...withoutId } = sameTax();
    const error = await failureOf(find([withoutId]).result);
    expect(error).toMatchObject({ kind: 'rejected', code: 'SCHEMA_CHANGED' });
  });
});
