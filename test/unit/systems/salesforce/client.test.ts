import { SystemError } from '../../../../lib/systems/kit';
import { type FakeOrg, fakeOrg, page, ROOT, refusal } from './fake-org';

let org: FakeOrg;
beforeEach(async () => {
  org = await fakeOrg();
});
afterEach(() => org.close());

describe('queries', () => {
  test('every page is read, links are followed as given', async () => {
    const next = `${ROOT}/query/01gxx-2`;
    org.answer = (_request, url) =>
      url.pathname.endsWith('01gxx-2')
        ? [200, page([{ Id: '3' }], { totalSize: 3 })]
        : [200, page([{ Id: '1' }, { Id: '2' }], { totalSize: 3, next })];
    expect(await org.client.query("SELECT Id FROM Account WHERE Name = 'a+b'")).toEqual([
      { Id: '1' },
      { Id: '2' },
      { Id: '3' },
    ]);
    expect(org.calls().map(({ path, soql }) => [path, soql])).toEqual([
      [`${ROOT}/query`, "SELECT Id FROM Account WHERE Name = 'a+b'"],
      [next, undefined],
    ]);
  });

  test('child lists longer than their page are completed', async () => {
    const next = `${ROOT}/query/01gchild-1`;
    org.answer = (_request, url) =>
      url.pathname === next
        ? [200, page([{ Id: 'c2' }], { totalSize: 2 })]
        : [200, page([{ Id: '1', Contacts: page([{ Id: 'c1' }], { totalSize: 2, next }), Orders: null }])];
    expect(await org.client.query('SELECT Id, (SELECT Id FROM Contacts) FROM Account')).toEqual([
      { Id: '1', Contacts: [{ Id: 'c1' }, { Id: 'c2' }], Orders: null },
    ]);
  });

  test('COUNT() gives its number instead of a suspicion of missing rows', async () => {
    org.answer = () => [200, page([], { totalSize: 42 })];
    expect(await org.client.query('SELECT COUNT() FROM Account')).toEqual([{ count: 42 }]);
  });

  test.each([
    [
      'rows that were announced and not delivered',
      page([{ Id: '1' }], { totalSize: 2 }),
      { kind: 'transient' },
    ],
    [
      'an end without a link',
      { totalSize: 2, done: false, records: [{ Id: '1' }] },
      { code: 'SCHEMA_CHANGED' },
    ],
    [
      'a link to itself',
      page([{ Id: '1' }], { totalSize: 2, next: `${ROOT}/query/01gloop` }),
      { code: 'SCHEMA_CHANGED' },
    ],
    ['no records', { totalSize: 0, done: true }, { code: 'SCHEMA_CHANGED' }],
    [
      'a link to another host',
      page([{ Id: '1' }], { totalSize: 2, next: 'https://evil.example/q' }),
      { code: 'SCHEMA_CHANGED' },
    ],
  ])('%s: refused', async (_name, body, expected) => {
    org.answer = () => [200, body];
    await expect(org.client.query('SELECT Id FROM Account')).rejects.toMatchObject(expected);
  });

  test('an expired cursor means: from the start', async () => {
    org.answer = (_request, url) =>
      url.pathname.endsWith('/query')
        ? [200, page([], { totalSize: 1, next: `${ROOT}/query/old` })]
        : [400, refusal('INVALID_QUERY_LOCATOR')];
    await expect(org.client.query('SELECT Id FROM Account')).rejects.toMatchObject({ kind: 'transient' });
  });
});

describe('upsert', () => {
  const upsert = () => org.client.upsert('Account', 'cus_1/2', { Name: 'Müller' });

  test('created and updated', async () => {
    org.answer = () => [201, { id: '001000000000001AAA', success: true, errors: [], created: true }];
    expect(await upsert()).toEqual({ id: '001000000000001AAA', created: true });
    expect(org.calls()).toEqual([
      {
        method: 'PATCH',
        path: `${ROOT}/sobjects/Account/Q2C_External_Id__c/cus_1%2F2`,
        body: { Name: 'Müller' },
      },
    ]);
    org.answer = () => [200, { id: '001000000000001AAA', success: true, errors: [], created: false }];
    expect(await upsert()).toEqual({ id: '001000000000001AAA', created: false });
  });

  test('204 of old API versions: the id is read', async () => {
    org.answer = ({ method }) => (method === 'PATCH' ? [204] : [200, { Id: '001000000000001AAA' }]);
    expect(await upsert()).toEqual({ id: '001000000000001AAA', created: false });
  });

  test('an empty page of success names no record: what became of it is open', async () => {
    org.answer = () => [200];
    const error = await upsert().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
    const update = await org.client.update('Account', '001A', {}).catch((reason: unknown) => reason);
    expect(update).toMatchObject({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
  });

  test('300: nothing was written, somebody must merge', async () => {
    org.answer = () => [300, [`${ROOT}/sobjects/Account/001A`, `${ROOT}/sobjects/Account/001B`]];
    const error = await upsert().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'rejected', code: 'DUPLICATE_SUSPECTED', status: 300 });
    expect(String(error)).toContain('001A');
  });

  test('the loser of two first writes sends again once', async () => {
    let first = true;
    org.answer = () => {
      if (!first) return [200, { id: '001000000000001AAA', success: true, errors: [], created: false }];
      first = false;
      return [400, refusal('DUPLICATE_VALUE', 'duplicate value found: Q2C_External_Id__c')];
    };
    expect(await upsert()).toMatchObject({ created: false });
    org.answer = () => [400, refusal('DUPLICATE_VALUE')];
    await expect(upsert()).rejects.toMatchObject({ kind: 'rejected', code: 'DUPLICATE_SUSPECTED' });
    expect(org.calls()).toHaveLength(4);
  });

  test.each([
    ['without id', { success: true, errors: [], created: true }],
    ['empty object', {}],
    ['not successful', { id: '001000000000001AAA', success: false, errors: [], created: false }],
  ])('a reply %s leaves the outcome open', async (_name, body) => {
    org.answer = () => [201, body];
    await expect(upsert()).rejects.toMatchObject({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
  });
});

describe('finding what an upsert wrote', () => {
  test.each([
    ['never changed since', { Id: '1', CreatedDate: 'a', LastModifiedDate: 'a' }, { id: '1', created: true }],
    ['changed since', { Id: '1', CreatedDate: 'a', LastModifiedDate: 'b' }, { id: '1', created: false }],
  ])('%s', async (_name, row, expected) => {
    org.answer = () => [200, page([row])];
    expect(await org.client.findByExternalId('Account', "cus_'1")).toEqual(expected);
    expect(org.calls()[0]?.soql).toContain("WHERE Q2C_External_Id__c = 'cus_\\'1'");
  });

  test('none, and more than one', async () => {
    org.answer = () => [200, page([])];
    expect(await org.client.findByExternalId('Account', 'x')).toBeNull();
    org.answer = () => [200, page([{ Id: '1' }, { Id: '2' }])];
    await expect(org.client.findByExternalId('Account', 'x')).rejects.toMatchObject({ kind: 'unknown' });
  });
});

describe('composite', () => {
  const parts = [
    { method: 'PATCH' as const, path: '/sobjects/Account/1', body: { Name: 'a' } },
    { method: 'PATCH' as const, path: '/sobjects/Contact/2', body: { LastName: 'b' } },
  ];
  const composite = (answers: [number, unknown][]) =>
    [
      200,
      {
        compositeResponse: answers.map(([httpStatusCode, body], index) => ({
          body,
          httpHeaders: {},
          httpStatusCode,
          referenceId: `part${index}`,
        })),
      },
    ] as [number, unknown];

  test('all or nothing, in order', async () => {
    org.answer = () =>
      composite([
        [204, null],
        [200, { Id: '2' }],
      ]);
    expect(await org.client.composite(parts, { safe: false })).toEqual([null, { Id: '2' }]);
    expect(org.calls()[0]?.body).toEqual({
      allOrNone: true,
      compositeRequest: [
        { method: 'PATCH', url: `${ROOT}/sobjects/Account/1`, referenceId: 'part0', body: { Name: 'a' } },
        { method: 'PATCH', url: `${ROOT}/sobjects/Contact/2`, referenceId: 'part1', body: { LastName: 'b' } },
      ],
    });
  });

  test('a failure inside a 200 is found, and the guilty part is the one reported', async () => {
    org.answer = () =>
      composite([
        [400, refusal('PROCESSING_HALTED')],
        [400, refusal('STRING_TOO_LONG', 'Last Name: data value too large')],
      ]);
    await expect(org.client.composite(parts, { safe: false })).rejects.toMatchObject({
      kind: 'rejected',
      vendorCode: 'STRING_TOO_LONG',
      reason: 'Last Name: data value too large',
    });
  });

  test('a lock inside a 200 is retried', async () => {
    org.answer = () =>
      composite([
        [400, refusal('UNABLE_TO_LOCK_ROW')],
        [400, refusal('PROCESSING_HALTED')],
      ]);
    await expect(org.client.composite(parts, { safe: false })).rejects.toMatchObject({ kind: 'transient' });
  });

  test('fewer answers than requests leave the outcome open', async () => {
    org.answer = () => composite([[204, null]]);
    await expect(org.client.composite(parts, { safe: false })).rejects.toMatchObject({ kind: 'unknown' });
    await expect(org.client.composite(parts, { safe: true })).rejects.toMatchObject({ kind: 'transient' });
  });
});

describe('errors', () => {
  const cases: [number, string, string, string][] = [
    [401, 'INVALID_SESSION_ID', 'auth', 'AUTH_EXPIRED'],
    [403, 'REQUEST_LIMIT_EXCEEDED', 'rate_limited', 'RATE_LIMITED'],
    [403, 'API_DISABLED_FOR_ORG', 'rejected', 'TARGET_REJECTED'],
    [403, 'INSUFFICIENT_ACCESS_OR_READONLY', 'rejected', 'TARGET_REJECTED'],
    [400, 'UNABLE_TO_LOCK_ROW', 'transient', 'TARGET_UNAVAILABLE'],
    [400, 'QUERY_TIMEOUT', 'transient', 'TARGET_UNAVAILABLE'],
    [400, 'REQUIRED_FIELD_MISSING', 'rejected', 'MANDATORY_FIELD_MISSING'],
    [400, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', 'rejected', 'TARGET_REJECTED'],
    [400, 'INVALID_FIELD', 'rejected', 'SCHEMA_CHANGED'],
    [400, 'INVALID_FIELD_FOR_INSERT_UPDATE', 'rejected', 'SCHEMA_CHANGED'],
    [400, 'STRING_TOO_LONG', 'rejected', 'TARGET_REJECTED'],
    [400, 'DUPLICATES_DETECTED', 'rejected', 'DUPLICATE_SUSPECTED'],
    [404, 'NOT_FOUND', 'not_found', 'TARGET_REJECTED'],
    [404, 'ENTITY_IS_DELETED', 'not_found', 'TARGET_REJECTED'],
    [409, 'CONFLICT', 'conflict', 'TARGET_REJECTED'],
    [412, 'PRECONDITION_FAILED', 'conflict', 'TARGET_REJECTED'],
    [415, 'UNSUPPORTED_MEDIA_TYPE', 'rejected', 'TARGET_REJECTED'],
    [420, 'EDGE', 'transient', 'TARGET_UNAVAILABLE'],
    [428, 'MISSING', 'rejected', 'TARGET_REJECTED'],
    [500, 'UNKNOWN_EXCEPTION', 'unknown', 'OUTCOME_UNKNOWN'],
    [503, 'SERVER_UNAVAILABLE', 'unknown', 'OUTCOME_UNKNOWN'],
  ];

  test.each(cases)('%i %s on a write is %s', async (status, errorCode, kind, code) => {
    org.answer = () => [status, refusal(errorCode, `what ${errorCode} means`)];
    const error = await org.client.update('Account', '1', {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SystemError);
    expect(error).toMatchObject({
      kind,
      code,
      status,
      vendorCode: errorCode,
      reason: `what ${errorCode} means`,
    });
  });

  test('on a read an open outcome is only a pause', async () => {
    org.answer = () => [503, refusal('SERVER_UNAVAILABLE')];
    await expect(org.client.query('SELECT Id FROM Account')).rejects.toMatchObject({ kind: 'transient' });
  });

  test('deleting what is gone is no error', async () => {
    org.answer = () => [404, refusal('NOT_FOUND')];
    await expect(org.client.remove('Account', '1')).resolves.toBeUndefined();
    // The page of something in between.
    org.answer = () => [404];
    await expect(org.client.remove('Account', '1')).rejects.toMatchObject({ kind: 'not_found' });
  });
});

test('the daily limit is watched from 80 % on, once per percent', async () => {
  const used = (calls: number) => {
    org.answer = () => [200, page([]), { 'sforce-limit-info': `api-usage=${calls}/1000; api-bursts=1/750` }];
    return org.client.query('SELECT Id FROM Account');
  };
  for (const calls of [500, 799, 801, 809, 810]) await used(calls);
  expect(org.logs.map(({ message }) => message.match(/(\d+) %/)?.[1])).toEqual(['80', '81']);
});
