import { type ErrorBody, TestOrg } from './org';

let org: TestOrg;
beforeAll(async () => {
  org = await TestOrg.start();
  const make = (Name: string, fields: object) => org.create('Account', { Name, Site: 'soql', ...fields });
  const alpha = await make('Alpha', {
    NumberOfEmployees: 10,
    Q2C_Tax_Status__c: 'exempt',
    Q2C_External_Id__c: 'cus_A',
  });
  await make('alpha beta', { NumberOfEmployees: 20, AnnualRevenue: 5.5, ParentId: alpha });
  await make("O'Neil 100%_\\", { NumberOfEmployees: null });
  await org.create('Contact', { LastName: 'Zeta', AccountId: alpha, Birthdate: '1980-02-29' });
  await org.create('Contact', {
    LastName: 'Eta',
    FirstName: 'Anna',
    AccountId: alpha,
    Birthdate: '1990-01-01',
  });
});
afterAll(() => org.close());

/** Names of the three accounts above that a condition finds, in order of creation. */
async function named(condition: string): Promise<unknown[]> {
  const rows = await org.rows(`SELECT Name FROM Account WHERE Site = 'soql' AND (${condition})`);
  return rows.map((row) => row.Name);
}

const A = 'Alpha';
const B = 'alpha beta';
const O = "O'Neil 100%_\\";

describe('WHERE', () => {
  it.each([
    ["Name = 'ALPHA'", [A]],
    ["Name != 'alpha'", [B, O]],
    ["Name <> 'alpha'", [B, O]],
    ["Name LIKE 'alpha%'", [A, B]],
    ["Name LIKE '%L_H%'", [A, B]],
    ["Name LIKE '%100\\%\\_%'", [O]],
    ["Name = 'O\\'Neil 100%_\\\\'", [O]],
    ["Name IN ('alpha', 'nobody')", [A]],
    ["Name NOT IN ('alpha', 'nobody')", [B, O]],
    ['NumberOfEmployees > 10', [B]],
    ['NumberOfEmployees >= 10', [A, B]],
    ['NumberOfEmployees < 20', [A]],
    ['NumberOfEmployees <= 20', [A, B]],
    ['NumberOfEmployees = null', [O]],
    ['NumberOfEmployees != null', [A, B]],
    ['NumberOfEmployees != 10', [B, O]],
    ['AnnualRevenue = 5.5', [B]],
    ["Q2C_Tax_Status__c = 'exempt'", [A]],
    ["Q2C_External_Id__c = 'cus_A'", [A]],
    ["Q2C_External_Id__c = 'CUS_A'", []],
    ["Parent.Name = 'alpha'", [B]],
    ["Parent.Q2C_External_Id__c = 'cus_A'", [B]],
    ["Parent.Q2C_External_Id__c IN ('nobody', 'cus_A')", [B]],
    ["Parent.Parent.Q2C_External_Id__c = 'cus_A'", []],
    ["Parent.Parent.Name = 'alpha'", []],
    ["Account.Name = 'alpha'", [A]],
    ['IsDeleted = false', [A, B, O]],
    ["NOT Name LIKE 'alpha%'", [O]],
    ["NOT (Name = 'alpha' OR NumberOfEmployees = null)", [B]],
    ["(Name = 'alpha' OR NumberOfEmployees = 20) AND AnnualRevenue = null", [A]],
    ['CreatedDate = TODAY', [A, B, O]],
    ['CreatedDate > YESTERDAY', [A, B, O]],
    ['CreatedDate < LAST_N_DAYS:3', []],
    ['SystemModstamp >= 2020-01-01T00:00:00Z', [A, B, O]],
    ['SystemModstamp >= 2020-01-01T00:00:00.000+01:00', [A, B, O]],
    ['SystemModstamp < 2020-01-01T00:00:00Z', []],
    ["Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Eta')", [A]],
    ["Id NOT IN (SELECT AccountId FROM Contact WHERE LastName = 'Eta')", [B, O]],
  ])('%s', async (condition, expected) => {
    expect(await named(condition)).toEqual(expected);
  });

  it('compares dates', async () => {
    const names = async (condition: string) =>
      (await org.rows(`SELECT LastName FROM Contact WHERE ${condition}`)).map((row) => row.LastName);
    expect(await names('Birthdate = 1980-02-29')).toEqual(['Zeta']);
    expect(await names('Birthdate > 1980-02-29')).toEqual(['Eta']);
  });

  it('finds by id in both lengths', async () => {
    const [row] = await org.rows<{ Id: string }>("SELECT Id FROM Account WHERE Q2C_External_Id__c = 'cus_A'");
    const id = row?.Id ?? '';
    for (const written of [id, id.slice(0, 15)]) expect(await named(`Id = '${written}'`)).toEqual([A]);
  });
});

describe('SELECT', () => {
  it('nests parents and children in the order asked', async () => {
    const { body } = await org.query(
      "select name, (select LastName, Account.Owner.Name from contacts order by LastName), parent.name, Owner.Id from account where site = 'soql' and Name like 'alpha%' order by Name desc",
    );
    const attributes = { type: 'Account', url: expect.stringContaining('/sobjects/Account/001') };
    const owner = {
      attributes: { type: 'User', url: expect.stringContaining('/User/') },
      Id: expect.stringMatching(/^005/),
    };
    expect(body).toEqual({
      totalSize: 2,
      done: true,
      records: [
        { attributes, Name: B, Contacts: null, Parent: { attributes, Name: A }, Owner: owner },
        {
          attributes,
          Name: A,
          Contacts: {
            totalSize: 2,
            done: true,
            records: [
              expect.objectContaining({ LastName: 'Eta' }),
              expect.objectContaining({ LastName: 'Zeta' }),
            ],
          },
          Parent: null,
          Owner: owner,
        },
      ],
    });
    expect(JSON.stringify(body)).toContain('"Account":{"attributes"');
  });

  it('counts', async () => {
    expect((await org.query("SELECT COUNT() FROM Account WHERE Site = 'soql'")).body).toEqual({
      totalSize: 3,
      done: true,
      records: [],
    });
  });

  it('sorts by several fields, nulls first unless told otherwise', async () => {
    const sorted = async (order: string) =>
      (await org.rows(`SELECT Name FROM Account WHERE Site = 'soql' ORDER BY ${order}`)).map(
        (row) => row.Name,
      );
    expect(await sorted('NumberOfEmployees')).toEqual([O, A, B]);
    expect(await sorted('NumberOfEmployees DESC NULLS LAST')).toEqual([B, A, O]);
    expect(await sorted('Site, NumberOfEmployees ASC NULLS LAST')).toEqual([A, B, O]);
    expect(await sorted('Parent.Name NULLS LAST, Name DESC')).toEqual([B, O, A]);
    expect(await sorted('Name LIMIT 1 OFFSET 1')).toEqual([B]);
  });

  it('shows deleted records to queryAll only', async () => {
    const id = await org.create('Account', { Name: 'Gone', Site: 'bin' });
    await org.call('DELETE', `/sobjects/Account/${id}`);
    expect(await org.rows("SELECT Id FROM Account WHERE Site = 'bin'")).toEqual([]);
    const { body } = await org.get<{ records: unknown[] }>(
      `/queryAll?q=${encodeURIComponent("SELECT Id, IsDeleted FROM Account WHERE Site = 'bin'")}`,
    );
    expect(body.records).toEqual([expect.objectContaining({ Id: id, IsDeleted: true })]);
  });
});

describe('errors', () => {
  it.each([
    ['', 'MALFORMED_QUERY'],
    ['SELECT', 'MALFORMED_QUERY'],
    ['SELECT Name', 'MALFORMED_QUERY'],
    ['SELECT Name FROM Account WHERE', 'MALFORMED_QUERY'],
    ["SELECT Name FROM Account WHERE Name = 'open", 'MALFORMED_QUERY'],
    ["SELECT Name FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", 'MALFORMED_QUERY'],
    ['SELECT Name FROM Account LIMIT x', 'MALFORMED_QUERY'],
    ['SELECT Name FROM Account OFFSET 2001', 'MALFORMED_QUERY'],
    ['SELECT Name, Name FROM Account', 'MALFORMED_QUERY'],
    ['SELECT Name FROM Account; DROP', 'MALFORMED_QUERY'],
    ['SELECT Name FROM Account WHERE CreatedDate > 2026-02-30', 'MALFORMED_QUERY'],
    ['SELECT SUM(AnnualRevenue) FROM Account', 'MALFORMED_QUERY'],
    ["SELECT Name FROM Account WHERE Name = 'a\\q'", 'MALFORMED_QUERY'],
    ['SELECT Nope__c FROM Account', 'INVALID_FIELD'],
    ["SELECT Name FROM Account WHERE Nope = 'x'", 'INVALID_FIELD'],
    ['SELECT Name FROM Account ORDER BY Nope', 'INVALID_FIELD'],
    ['SELECT Nobody.Name FROM Account', 'INVALID_FIELD'],
    ['SELECT Name FROM Account WHERE Name = 5', 'INVALID_FIELD'],
    ["SELECT Name FROM Account WHERE NumberOfEmployees = '5'", 'INVALID_FIELD'],
    ['SELECT Name FROM Account WHERE CreatedDate > 2026-01-01', 'INVALID_FIELD'],
    ["SELECT Name FROM Account WHERE Description = 'x'", 'INVALID_FIELD'],
    ["SELECT Name FROM Account WHERE Id LIKE '001%'", 'INVALID_QUERY_FILTER_OPERATOR'],
    ["SELECT Name FROM Account WHERE Id = 'acme'", 'INVALID_QUERY_FILTER_OPERATOR'],
    ['SELECT Name FROM Nothing__c', 'INVALID_TYPE'],
    ['SELECT Name, (SELECT Id FROM Nothings) FROM Account', 'INVALID_TYPE'],
    ['SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)', 'MALFORMED_QUERY'],
  ])('%s', async (soql, errorCode) => {
    const { status, body } = await org.get<ErrorBody[]>(`/query?q=${encodeURIComponent(soql)}`);
    expect({ status, body }).toEqual({ status: 400, body: [{ errorCode, message: expect.any(String) }] });
  });
});

describe('paging', () => {
  const COUNT = 450;
  beforeAll(async () => {
    for (let i = 0; i < COUNT; i += 150) {
      const records = Array.from({ length: 150 }, (_, n) => ({
        attributes: { type: 'Account' },
        Name: `Page ${i + n}`,
        Site: 'page',
      }));
      await org.call('POST', '/composite/sobjects', { records });
    }
  });
  const soql = "SELECT Name FROM Account WHERE Site = 'page' ORDER BY CreatedDate";
  const small = { 'sforce-query-options': 'batchSize=200' };

  async function follow(url: string | undefined, seen: unknown[] = []): Promise<unknown[]> {
    if (url === undefined) return seen;
    const { body } = await org.get<{ records: { Name: string }[]; nextRecordsUrl?: string }>(url);
    return follow(body.nextRecordsUrl, [...seen, ...body.records.map((row) => row.Name)]);
  }

  it('gives pages of the hinted size until all are seen, once each', async () => {
    const first = (await org.query<{ Name: string }>(soql, small)).body;
    expect(first).toMatchObject({ totalSize: COUNT, done: false });
    expect(first.records).toHaveLength(200);
    const names = await follow(
      first.nextRecordsUrl,
      first.records.map((row) => row.Name),
    );
    expect(names).toEqual(Array.from({ length: COUNT }, (_, i) => `Page ${i}`));
  });

  it('gives half of what there is when a page is to be partial', async () => {
    await org.control('salesforce/faults', 'POST', {
      kind: 'partial-page',
      times: 1,
      match: { path: '/query' },
    });
    const first = (await org.query<{ Name: string }>(soql)).body;
    expect(first).toMatchObject({ totalSize: COUNT, done: false });
    expect(first.records).toHaveLength(COUNT / 2);
    expect(await follow(first.nextRecordsUrl)).toHaveLength(COUNT / 2);
    expect((await org.query(soql)).body.done).toBe(true);
  });

  it('shows a record as it is when its page is read', async () => {
    const first = (await org.query<{ Name: string }>(soql, small)).body;
    const [last] = await org.rows<{ Id: string }>("SELECT Id FROM Account WHERE Name = 'Page 449'");
    await org.call('PATCH', `/sobjects/Account/${last?.Id}`, { Name: 'Page last' });
    expect((await follow(first.nextRecordsUrl)).at(-1)).toBe('Page last');
  });

  it('answers INVALID_QUERY_LOCATOR for cursors that are closed or made up', async () => {
    const { nextRecordsUrl = '' } = (await org.query(soql, small)).body;
    expect((await org.control('salesforce/cursors/close', 'POST')).status).toBe(200);
    for (const url of [nextRecordsUrl, '/query/01gQ20000000999-200', '/query/nonsense']) {
      expect(await org.get(url)).toMatchObject({
        status: 400,
        body: [{ errorCode: 'INVALID_QUERY_LOCATOR' }],
      });
    }
  });

  it('keeps ten cursors', async () => {
    const urls: string[] = [];
    for (let i = 0; i < 11; i++) urls.push((await org.query(soql, small)).body.nextRecordsUrl ?? '');
    const statuses = [];
    for (const url of urls) statuses.push((await org.get(url)).status);
    expect(statuses).toEqual([400, ...Array(10).fill(200)]);
  });
});
