import { generateWorld } from '../../../simulator/seed/generate';
import { NETSUITE_LISTS } from '../../../simulator/seed/world';
import { customerBody, refusal, TestAccount } from './support';

let account: TestAccount;
beforeEach(async () => {
  account = await TestAccount.start();
});
afterEach(() => account.close());

describe('credentials', () => {
  test('one set per authentication scheme of the connector', () => {
    expect(Object.keys(account.certificate).sort()).toEqual([
      'accountId',
      'certificateId',
      'clientId',
      'privateKey',
    ]);
    expect(Object.keys(account.tba).sort()).toEqual([
      'accountId',
      'consumerKey',
      'consumerSecret',
      'tokenId',
      'tokenSecret',
    ]);
    expect(account.certificate.accountId).toBe('1234567_SB1');
    expect(account.certificate.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });
});

describe('seed', () => {
  test('lists have the internal ids of the world', async () => {
    const idsOf = async (type: string): Promise<string[]> =>
      (await account.record('GET', type)).body.items.map(({ id }) => id).sort();
    const lists = {
      currency: 'currency',
      term: 'terms',
      department: 'department',
      serviceSaleItem: 'item',
      salesTaxItem: 'taxCode',
      jobStatus: 'jobStatus',
    } as const;
    for (const [type, list] of Object.entries(lists)) {
      expect(await idsOf(type)).toEqual(Object.values(NETSUITE_LISTS[list]).sort());
    }
    expect(await idsOf('subsidiary')).toEqual(['2', '3']);
    expect(await account.read('subsidiary', '2')).toMatchObject({
      country: { id: 'DE' },
      currency: { id: '4' },
    });
  });

  test('knows three customers without external id, by their tax number', async () => {
    const { accounts } = generateWorld(1);
    const { body } = await account.query(
      'SELECT companyname, vatregnumber, externalid FROM customer ORDER BY id',
    );
    expect(body.items).toEqual(
      accounts
        .slice(0, 3)
        .map(({ name, taxNumber }) => ({ links: [], companyname: name, vatregnumber: taxNumber })),
    );
  });

  test('the same world gives the same records', async () => {
    const other = await TestAccount.start();
    const all = async (from: TestAccount): Promise<unknown> => {
      const { types } = (await from.control('GET', 'records')).body;
      const lists = await Promise.all(
        Object.keys(types).map((type) => from.control('GET', `records/${type}`)),
      );
      return lists.map(({ body }) => body.records.map(({ id, type, data }) => ({ id, type, data })));
    };
    try {
      expect(await all(other)).toEqual(await all(account));
    } finally {
      await other.close();
    }
  });
});

describe('concurrency', () => {
  const burst = async (calls: number): Promise<number[]> => {
    await account.control('POST', 'faults', {
      kind: 'latency',
      ms: 200,
      times: calls,
      match: { path: 'customer' },
    });
    const replies = await Promise.all(
      Array.from({ length: calls }, () => account.record('GET', 'customer?limit=1')),
    );
    return replies.map(({ status }) => status);
  };

  test('five calls at once are served', async () => {
    expect(new Set(await burst(5))).toEqual(new Set([200]));
  });

  test('what is above the limit is refused with 429 and no Retry-After', async () => {
    const statuses = await burst(12);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(5);
  });

  test('the limit is a setting and can be read', async () => {
    await account.person('PATCH', 'account/1', { concurrencyLimit: 15 });
    expect((await account.call('GET', '/system/v1/governanceLimits')).body).toEqual({
      accountConcurrencyLimit: 15,
      accountUnallocatedConcurrencyLimit: 15,
      integrationLimitType: 'accountLimit',
    });
    expect(new Set(await burst(12))).toEqual(new Set([200]));
  });

  test('the rate-limit fault answers the same', async () => {
    await account.control('POST', 'faults', { kind: 'rate-limit', times: 1 });
    const reply = await account.record('GET', 'customer');
    expect(refusal(reply)).toMatchObject({ status: 429, code: 'CONCURRENCY_LIMIT_EXCEEDED' });
    expect(reply.headers.get('retry-after')).toBeNull();
  });
});

describe('faults', () => {
  test.each([
    [500, 'UNEXPECTED_ERROR'],
    [503, 'UNEXPECTED_ERROR'],
    [403, 'INSUFFICIENT_PERMISSION'],
    [409, 'RCRD_HAS_BEEN_CHANGED'],
    [401, 'INVALID_LOGIN'],
  ])('status %i has the body of the vendor', async (status, code) => {
    await account.control('POST', 'faults', { kind: 'status', status, times: 1 });
    expect(refusal(await account.record('GET', 'customer'))).toMatchObject({ status, code });
  });

  test('a commit whose reply is lost is there', async () => {
    await account.control('POST', 'faults', { kind: 'commit-then-drop', times: 1 });
    await expect(account.record('PUT', 'customer/eid:lost', customerBody())).rejects.toThrow();
    expect((await account.record('GET', 'customer/eid:lost')).status).toBe(200);
  });
});

describe('what a person does', () => {
  test('is checked like the forms', async () => {
    const reply = await account.control('POST', 'records/customer', customerBody({ terms: { id: '99' } }));
    expect(reply).toMatchObject({
      status: 400,
      body: { code: 'USER_ERROR', message: expect.stringContaining('terms') },
    });
    expect(
      (await account.control('POST', 'records/customer', customerBody({ colour: 'red' }))).body.code,
    ).toBe('INVALID_CONTENT');
  });

  test('changes terms, and the change stamp moves', async () => {
    const created = await account.person('POST', 'customer', customerBody());
    const changed = await account.person('PATCH', `customer/${created.id}`, { terms: { id: '3' } });
    expect(changed.data.terms).toBe('3');
    expect(changed.modified).toBeGreaterThan(created.modified);
    expect((await account.control('PATCH', 'records/customer/77777', {})).status).toBe(404);
  });

  test('bills an order and takes the payment', async () => {
    const customer = await account.person('POST', 'customer', customerBody());
    const items = [{ item: { id: '101' }, amount: 100 }];
    const order = await account.person('POST', 'salesOrder', {
      entity: customer.id,
      orderStatus: 'B',
      item: { items },
    });
    const invoice = await account.person('POST', 'invoice', { createdFrom: order.id });
    const payment = await account.person('POST', 'customerPayment', {
      createdFrom: invoice.id,
      memo: 'Wire',
    });
    expect(payment.data).toMatchObject({ payment: 100, memo: 'Wire' });
    expect((await account.read('invoice', invoice.id)).status).toMatchObject({ refName: 'Paid In Full' });
  });

  test('a user event script refuses with its own words until it is switched off', async () => {
    const message = 'Credit check: please attach the form K-7.';
    const script = await account.person('POST', 'userEventScript', { recordType: 'customer', message });
    const reply = await account.record('POST', 'customer', customerBody());
    expect(refusal(reply)).toMatchObject({
      status: 400,
      code: 'USER_ERROR',
      detail: expect.stringContaining(message),
    });
    await account.person('PATCH', `userEventScript/${script.id}`, { isInactive: true });
    expect((await account.record('POST', 'customer', customerBody())).status).toBe(204);
  });

  test.each([
    ['account/1', { colour: 'red' }],
    ['account/1', { concurrencyLimit: 'many' }],
    ['customField', { scriptId: 'wrong', kind: 'text' }],
    ['customField', { scriptId: 'custbody_x', kind: 'magic' }],
    ['oauthCertificate', { publicKey: 'none' }],
    ['userEventScript', { recordType: 'unicorn', message: 'x' }],
  ])('refuses nonsense for %s', async (path, body) => {
    const reply = await account.control(path.includes('/') ? 'PATCH' : 'POST', `records/${path}`, body);
    expect(reply.status).toBe(400);
  });
});

describe('metadata catalogue', () => {
  test('lists the types', async () => {
    const { body } = await account.record('GET', 'metadata-catalog');
    const names = body.items.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['customer', 'job', 'projectTask', 'billingSchedule', 'salesOrder']),
    );
    expect(names).not.toContain('ledgerAccount');
  });

  test('describes a type as JSON Schema and as OpenAPI', async () => {
    const schema = await account.record('GET', 'metadata-catalog/customer', undefined, {
      accept: 'application/schema+json',
    });
    expect(schema.body.properties.companyName).toMatchObject({
      type: 'string',
      maxLength: 83,
      'x-ns-filterable': true,
    });
    const openApi = await account.record('GET', 'metadata-catalog?select=customer,job', undefined, {
      accept: 'application/swagger+json',
    });
    expect(Object.keys(openApi.body.components.schemas)).toEqual(['customer', 'job']);
    expect((await account.record('GET', 'metadata-catalog?select=unicorn')).status).toBe(404);
  });
});

test('paths that do not exist are not found', async () => {
  for (const path of ['/record/v2/customer', '/soap/v1', '/query/v1/other', '/system/v1/other']) {
    expect((await account.call('GET', path)).status).toBe(404);
  }
  expect((await fetch(`${account.url}/elsewhere`)).status).toBe(401);
  expect((await account.call('GET', '/system/v1/serverTime')).body.serverTime).toMatch(/Z$/);
});
