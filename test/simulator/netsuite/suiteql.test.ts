import { TransactionalStore } from '../../../simulator/kit/store';
import { customerBody, idIn, projectBody, refusal, TestAccount } from './support';

let account: TestAccount;
let acme: string;
let obrien: string;
let project: string;
let order: string;
let invoice: string;
beforeAll(async () => {
  account = await TestAccount.start();
  acme = await account.create(
    'customer',
    customerBody({ externalId: 'q-acme', vatRegNumber: 'DE1', email: 'ap@acme.example' }),
  );
  obrien = await account.create(
    'customer',
    customerBody({ externalId: 'q-ob', companyName: "O'Brien & Söhne", isInactive: true }),
  );
  project = await account.create('job', projectBody(acme, { externalId: 'q-prj' }));
  const items = [{ item: { id: '101' }, quantity: 4, rate: 25, job: { id: project } }];
  order = await account.create('salesOrder', {
    entity: { id: acme },
    externalId: 'q-so',
    tranDate: '2026-01-05',
    orderStatus: 'B',
    item: { items },
  });
  invoice = idIn(
    await account.record('POST', `salesOrder/${order}/!transform/invoice`, { tranDate: '2026-02-01' }),
  );
  await account.create('customerPayment', {
    customer: acme,
    payment: 30,
    apply: { items: [{ doc: invoice, amount: 30 }] },
  });
});
afterAll(() => account.close());

const rows = async (q: string): Promise<Record<string, unknown>[]> => {
  const reply = await account.query(q);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body.items.map(({ links: _links, ...row }: Record<string, unknown>) => row);
};

test('answers texts under lower-case names and leaves null out', async () => {
  const { body } = await account.query(
    `SELECT id, companyName, IsInactive, parent, externalid FROM customer WHERE id = ${acme}`,
  );
  expect(body).toEqual({
    links: expect.any(Array),
    count: 1,
    hasMore: false,
    items: [{ links: [], id: acme, companyname: 'ACME GmbH', isinactive: 'F', externalid: 'q-acme' }],
    offset: 0,
    totalResults: 1,
  });
});

test.each<[string, string, string[]]>([
  ['equality on an index', "externalid = 'q-acme'", ['q-acme']],
  ['a doubled quote', "companyname = 'O''Brien & Söhne'", ['q-ob']],
  [
    'OR of an index and a function',
    "externalid = 'q-ob' OR UPPER(companyname) = 'ACME GMBH'",
    ['q-acme', 'q-ob'],
  ],
  ['OR of two indexes', "externalid = 'q-ob' OR vatregnumber = 'DE1'", ['q-acme', 'q-ob']],
  ['AND with NVL', "externalid IN ('q-acme','q-ob') AND NVL(isinactive,'F') = 'F'", ['q-acme']],
  ['IN and NOT', "externalid IN ('q-acme', 'q-ob') AND NOT companyname LIKE 'ACME%'", ['q-ob']],
  ['LIKE with placeholders', "companyname LIKE '_''Brien%'", ['q-ob']],
  ['NOT LIKE and IS NOT NULL', "companyname NOT LIKE 'O%' AND externalid IS NOT NULL", ['q-acme']],
  ['IS NULL', "email IS NULL AND externalid LIKE 'q-%'", ['q-ob']],
  ['comparison with null is unknown', "email <> 'x' AND externalid LIKE 'q-%'", ['q-acme']],
  ['parentheses', "(companyname = 'nobody' OR externalid = 'q-acme') AND (isinactive = 'F')", ['q-acme']],
  ['UPPER of an index', "UPPER(companyname) = 'O''BRIEN & SÖHNE'", ['q-ob']],
  ['UPPER of an index, small letters', "UPPER(companyname) = 'acme gmbh'", []],
  ['LOWER of an index', "LOWER(companyname) IN ('acme gmbh', 'nobody')", ['q-acme']],
  ['LOWER', "LOWER(email) = 'ap@acme.example'", ['q-acme']],
  ['nothing', "externalid = 'q-none'", []],
])('WHERE with %s', async (_, where, expected) => {
  const found = await rows(`SELECT externalid FROM customer WHERE ${where} ORDER BY externalid`);
  expect(found.map(({ externalid }) => externalid)).toEqual(expected);
});

test('what an index can tell goes through no other customer, in whichever case', async () => {
  const list = jest.spyOn(TransactionalStore.prototype, 'list');
  try {
    const where = "externalid = 'q-ob' OR UPPER(companyname) = 'ACME GMBH' OR vatregnumber IN ('DE1', '1')";
    expect(await rows(`SELECT id FROM customer WHERE ${where} ORDER BY id`)).toHaveLength(2);
    expect(list).not.toHaveBeenCalledWith('customer');
    await rows("SELECT id FROM customer WHERE isperson = 'T'");
    expect(list).toHaveBeenCalledWith('customer');
  } finally {
    list.mockRestore();
  }
});

test('numbers order as numbers, and keyset paging works on id', async () => {
  const ids = (await rows('SELECT id FROM customer ORDER BY id DESC')).map(({ id }) => Number(id));
  expect(ids).toEqual([...ids].sort((a, b) => b - a));
  const later = await rows(`SELECT id FROM customer WHERE id > ${acme} ORDER BY id`);
  expect(later).toEqual([{ id: obrien }]);
});

test("dates are in the user's format, TO_CHAR gives any", async () => {
  const [row] = await rows(
    `SELECT trandate, TO_CHAR(trandate, 'YYYY-MM-DD') AS day, TO_CHAR(SYS_EXTRACT_UTC(lastmodifieddate),'YYYY-MM-DD"T"HH24:MI:SS') AS stamp FROM transaction WHERE id = ${order}`,
  );
  expect(row).toEqual({
    trandate: '1/5/2026',
    day: '2026-01-05',
    stamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
  });
  const since = "lastmodifieddate >= TO_TIMESTAMP('2020-01-01 00:00:00','YYYY-MM-DD HH24:MI:SS')";
  expect(
    await rows(
      `SELECT id FROM transaction WHERE id = ${order} AND ${since} AND trandate BETWEEN '1/1/2026' AND TO_DATE('2026-01-31','YYYY-MM-DD')`,
    ),
  ).toHaveLength(1);
  expect(await rows(`SELECT id FROM transaction WHERE id = ${order} AND trandate > '1/5/2026'`)).toHaveLength(
    0,
  );
});

test('BUILTIN.DF shows names', async () => {
  const [row] = await rows(
    `SELECT BUILTIN.DF(subsidiary) AS subsidiary, BUILTIN.DF(currency) currency FROM customer WHERE id = ${acme}`,
  );
  expect(row).toEqual({ subsidiary: 'Meridian Consulting GmbH', currency: 'Euro' });
});

test('transactions of all kinds are one table', async () => {
  expect(
    await rows(
      `SELECT type, status, foreigntotal, foreignamountunpaid, BUILTIN.DF(status) AS name FROM transaction WHERE id = ${invoice}`,
    ),
  ).toEqual([
    { type: 'CustInvc', status: 'CustInvc:A', foreigntotal: '100', foreignamountunpaid: '70', name: 'Open' },
  ]);
  expect(await rows("SELECT id FROM transaction WHERE type = 'SalesOrd' AND externalid = 'q-so'")).toEqual([
    { id: order },
  ]);
  expect(await rows(`SELECT COUNT(*) AS n FROM transaction WHERE entity = '${acme}'`)).toEqual([{ n: '3' }]);
});

test('lines carry the project, and sales amounts are negative', async () => {
  expect(
    await rows(
      `SELECT id, mainline, entity, item, quantity, foreignamount FROM transactionline WHERE transaction = ${invoice} ORDER BY id`,
    ),
  ).toEqual([
    { id: '0', mainline: 'T', entity: acme, foreignamount: '100' },
    { id: '1', mainline: 'F', entity: project, item: '101', quantity: '-4', foreignamount: '-100' },
  ]);
  expect(
    await rows(
      `SELECT DISTINCT transaction FROM transactionline WHERE createdfrom = '${order}' OR entity = '${project}' ORDER BY transaction`,
    ),
  ).toEqual([{ transaction: order }, { transaction: invoice }]);
});

test('links lead from order to invoice to payment', async () => {
  expect(
    await rows(
      `SELECT nextdoc FROM nexttransactionlink WHERE linktype = 'OrdBill' AND previousdoc = ${order}`,
    ),
  ).toEqual([{ nextdoc: invoice }]);
  const [payment] = await rows(
    `SELECT nextdoc, nexttype FROM nexttransactionlink WHERE linktype = 'Payment' AND previousdoc IN (${invoice})`,
  );
  expect(payment?.nexttype).toBe('CustPymt');
});

test('joins customer and project, transaction and line, customer and address', async () => {
  expect(
    await rows(
      "SELECT j.id, c.companyname AS customer FROM job j JOIN customer c ON c.id = j.parent WHERE j.externalid = 'q-prj'",
    ),
  ).toEqual([{ id: project, customer: 'ACME GmbH' }]);
  expect(
    await rows(
      `SELECT t.id, l.item FROM transaction t INNER JOIN transactionline l ON l.transaction = t.id WHERE t.externalid = 'q-so' AND l.mainline = 'F'`,
    ),
  ).toEqual([{ id: order, item: '101' }]);
  expect(
    await rows(
      "SELECT c.externalid, a.zip, a.country FROM customer c JOIN customeraddressbook b ON b.entity = c.id JOIN customeraddressbookentityaddress a ON a.nkey = b.addressbookaddress WHERE c.externalid = 'q-acme'",
    ),
  ).toEqual([{ externalid: 'q-acme', zip: '53111', country: 'DE' }]);
  const outer = await rows(
    "SELECT c.externalid, j.id AS project FROM customer c LEFT JOIN job j ON j.parent = c.id WHERE c.externalid LIKE 'q-%' ORDER BY c.externalid",
  );
  expect(outer).toEqual([{ externalid: 'q-acme', project }, { externalid: 'q-ob' }]);
});

test('TOP, FETCH FIRST, aliases and positions in ORDER BY', async () => {
  expect(await rows('SELECT TOP 2 id AS key, name FROM subsidiary ORDER BY key DESC')).toMatchObject([
    { key: '3' },
    { key: '2' },
  ]);
  expect(await rows('SELECT symbol FROM currency ORDER BY 1 FETCH FIRST 1 ROWS ONLY')).toEqual([
    { symbol: 'CHF' },
  ]);
});

test('deleted records can be found', async () => {
  const id = await account.create('department', { name: 'Gone' });
  await account.record('DELETE', `department/${id}`);
  expect(await rows(`SELECT type, name FROM deletedrecord WHERE recordid = ${id}`)).toEqual([
    { type: 'department', name: 'Gone' },
  ]);
});

test('pages with limit and offset', async () => {
  const first = (await account.query('SELECT id FROM item ORDER BY id', '?limit=3')).body;
  expect(first).toMatchObject({ count: 3, hasMore: true, totalResults: 8 });
  const last = (await account.query('SELECT id FROM item ORDER BY id', '?limit=3&offset=6')).body;
  expect(last).toMatchObject({ count: 2, hasMore: false, items: [{ id: '131' }, { id: '132' }] });
  expect(refusal(await account.query('SELECT id FROM item', '?limit=1001'))).toMatchObject({
    code: 'INVALID_PARAMETER',
  });
});

test('a partial page says that there is more', async () => {
  await account.control('POST', 'faults', { kind: 'partial-page', times: 1, match: { path: 'suiteql' } });
  expect((await account.query('SELECT id FROM item ORDER BY id')).body).toMatchObject({
    count: 4,
    hasMore: true,
    totalResults: 8,
  });
});

test('needs the header Prefer: transient and a query', async () => {
  const body = { q: 'SELECT id FROM item' };
  const reply = await account.call('POST', '/query/v1/suiteql', { body });
  expect(refusal(reply)).toMatchObject({ status: 400, code: 'INVALID_HEADER' });
  const empty = await account.call('POST', '/query/v1/suiteql', {
    body: {},
    headers: { prefer: 'transient' },
  });
  expect(refusal(empty)).toMatchObject({ status: 400, code: 'INVALID_CONTENT' });
  expect((await account.call('GET', '/query/v1/suiteql', { headers: { prefer: 'transient' } })).status).toBe(
    405,
  );
});

test.each([
  ['SELECT id FROM unicorn', "Record 'unicorn' was not found"],
  ['SELECT horn FROM customer', "Unknown identifier 'horn'"],
  ['SELECT balance FROM customer', "Unknown identifier 'balance'"],
  ['SELECT total FROM transaction', "Unknown identifier 'total'"],
  ["SELECT id FROM customer WHERE horn = 'x'", "Unknown identifier 'horn'"],
  ['SELECT id FROM customer ORDER BY horn', "Unknown identifier 'horn'"],
  ['SELECT c.id FROM customer c JOIN job j ON j.parent = c.id WHERE id = 1', "Ambiguous identifier 'id'"],
  ['SELECT id FROM customer WHERE', 'Invalid or unsupported search'],
  ['SELECT id customer', 'Invalid or unsupported search'],
  ["SELECT id FROM customer WHERE companyname = 'open", 'Invalid or unsupported search'],
  ['SELECT id FROM customer GROUP BY id', 'Invalid or unsupported search'],
  ['DELETE FROM customer', 'Invalid or unsupported search'],
  ['SELECT FOO(id) FROM customer', "Invalid or unsupported function 'foo'"],
  ["SELECT id FROM customer WHERE datecreated > TO_DATE('x','YYYY-MM-DD')", 'does not match the format'],
])('%s is refused', async (q, text) => {
  const { status, code, detail } = refusal(await account.query(q));
  expect({ status, code }).toEqual({ status: 400, code: 'INVALID_PARAMETER' });
  expect(detail).toContain(text);
});
