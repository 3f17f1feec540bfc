import { type ErrorBody, type Saved, TestOrg } from './org';

let org: TestOrg;
beforeAll(async () => {
  org = await TestOrg.start();
});
afterAll(() => org.close());

const KEY = 'Q2C_External_Id__c';

describe('a record', () => {
  it('is created, read, updated and deleted', async () => {
    const created = await org.call<Saved>('POST', '/sobjects/Account', {
      Name: 'Ö & "Söhne" 🚀',
      BillingCity: 'Wien',
    });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({ id: expect.stringMatching(/^001\w{15}$/), success: true, errors: [] });
    const { id } = created.body;
    expect(created.headers.get('location')).toBe(`/services/data/v66.0/sobjects/Account/${id}`);

    const { body } = await org.get(`/sobjects/Account/${id}?fields=Id,Name,BillingAddress,IsDeleted,Phone`);
    expect(body).toEqual({
      attributes: { type: 'Account', url: `/services/data/v66.0/sobjects/Account/${id}` },
      Id: id,
      Name: 'Ö & "Söhne" 🚀',
      BillingAddress: expect.objectContaining({ city: 'Wien', street: null }),
      IsDeleted: false,
      Phone: null,
    });

    const updated = await org.call('PATCH', `/sobjects/Account/${id}`, {
      Phone: '+43 1 234',
      BillingCity: null,
    });
    expect([updated.status, updated.body]).toEqual([204, null]);
    expect(await org.read('Account', id.slice(0, 15))).toMatchObject({
      Phone: '+43 1 234',
      BillingCity: null,
      BillingAddress: null,
    });

    expect((await org.call('DELETE', `/sobjects/Account/${id}`)).status).toBe(204);
    expect(await org.get(`/sobjects/Account/${id}`)).toMatchObject({
      status: 404,
      body: [{ errorCode: 'ENTITY_IS_DELETED' }],
    });
  });

  it('carries who wrote it and when', async () => {
    const [user] = await org.rows<{ Id: string }>(`SELECT Id FROM User WHERE Username LIKE 'integration@%'`);
    const id = await org.create('Account', { Name: 'Stamps' });
    const before = await org.read<Record<string, string>>('Account', id);
    expect(before).toMatchObject({
      CreatedById: user?.Id,
      LastModifiedById: user?.Id,
      OwnerId: user?.Id,
      CurrencyIsoCode: 'EUR',
    });
    expect(before.SystemModstamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    await org.person('PATCH', `Account/${id}`, { Phone: '1' });
    const after = await org.read<Record<string, string>>('Account', id);
    expect(Date.parse(after.SystemModstamp ?? '')).toBeGreaterThan(Date.parse(before.SystemModstamp ?? ''));
    expect(after.CreatedDate).toBe(before.CreatedDate);
    expect(after.LastModifiedById).not.toBe(user?.Id);
  });

  it('takes parents by id or by their external id', async () => {
    const account = await org.create('Account', { Name: 'Parent', [KEY]: 'cus_parent' });
    const byId = await org.create('Contact', { LastName: 'A', AccountId: account.slice(0, 15) });
    const byKey = await org.create('Contact', { LastName: 'B', Account: { [KEY]: 'cus_parent' } });
    for (const id of [byId, byKey])
      expect(await org.read('Contact', id)).toMatchObject({ AccountId: account });
    expect(
      await org.call('POST', '/sobjects/Contact', { LastName: 'C', Account: { [KEY]: 'none' } }),
    ).toMatchObject({
      status: 400,
      body: [
        { errorCode: 'INVALID_FIELD', message: expect.stringContaining('Foreign key external ID: none') },
      ],
    });
  });

  it('takes its children along when it is deleted, and empties other look-ups', async () => {
    const account = await org.create('Account', { Name: 'Cascade' });
    const contact = await org.create('Contact', { LastName: 'Child', AccountId: account });
    const branch = await org.create('Account', { Name: 'Branch', ParentId: account });
    await org.call('DELETE', `/sobjects/Account/${account}`);
    expect((await org.get(`/sobjects/Contact/${contact}`)).status).toBe(404);
    expect(await org.read('Account', branch)).toMatchObject({ ParentId: null });
  });

  it('keeps more decimals than the field shows, as the platform does', async () => {
    const id = await org.create('Opportunity', {
      Name: 'x',
      StageName: 'Prospecting',
      CloseDate: '2026-01-01',
      Amount: 100.125,
    });
    expect(await org.read('Opportunity', id)).toMatchObject({ Amount: 100.125 });
  });
});

describe('a save is refused', () => {
  const long = 'x'.repeat(256);
  const opportunity = { Name: 'x', StageName: 'Prospecting', CloseDate: '2026-01-01' };

  it.each<[string, string, Record<string, unknown>, string, string[] | undefined]>([
    ['an unknown field', 'Account', { Name: 'x', Nope__c: 1 }, 'INVALID_FIELD', undefined],
    [
      'a read-only field',
      'Opportunity',
      { ...opportunity, IsWon: true },
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      ['IsWon'],
    ],
    ['an id', 'Account', { Name: 'x', Id: '001000000000001AAA' }, 'INVALID_FIELD', undefined],
    [
      'required fields left out',
      'Opportunity',
      { Name: 'x' },
      'REQUIRED_FIELD_MISSING',
      ['StageName', 'CloseDate'],
    ],
    ['a required field emptied', 'Account', { Name: '  ' }, 'REQUIRED_FIELD_MISSING', ['Name']],
    ['a text that is too long', 'Account', { Name: long }, 'STRING_TOO_LONG', ['Name']],
    ['a number in a text field', 'Account', { Name: 5 }, 'JSON_PARSER_ERROR', undefined],
    [
      'a text in a number field',
      'Opportunity',
      { ...opportunity, Amount: 'much' },
      'JSON_PARSER_ERROR',
      undefined,
    ],
    [
      'a day that does not exist',
      'Opportunity',
      { ...opportunity, CloseDate: '2026-02-30' },
      'JSON_PARSER_ERROR',
      undefined,
    ],
    [
      'a number with too many digits',
      'Opportunity',
      { ...opportunity, Amount: 1e16 },
      'NUMBER_OUTSIDE_VALID_RANGE',
      ['Amount'],
    ],
    [
      'no truth value',
      'Opportunity',
      { ...opportunity, IsPrivate: null },
      'INVALID_TYPE_ON_FIELD_IN_RECORD',
      ['IsPrivate'],
    ],
    [
      'a value outside the list',
      'Account',
      { Name: 'x', Q2C_Tax_Status__c: 'maybe' },
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
      ['Q2C_Tax_Status__c'],
    ],
    [
      'a currency that is not active',
      'Account',
      { Name: 'x', CurrencyIsoCode: 'SEK' },
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
      ['CurrencyIsoCode'],
    ],
    [
      'an e-mail that is none',
      'Contact',
      { LastName: 'x', Email: 'nobody' },
      'INVALID_EMAIL_ADDRESS',
      ['Email'],
    ],
    ['no id', 'Contact', { LastName: 'x', AccountId: 'acme' }, 'MALFORMED_ID', ['AccountId']],
    [
      'an id of another object',
      'Contact',
      { LastName: 'x', AccountId: '003Q20000000001AAA' },
      'FIELD_INTEGRITY_EXCEPTION',
      ['AccountId'],
    ],
    [
      'an id of nothing',
      'Contact',
      { LastName: 'x', AccountId: '001Q2zzzzzzzzzzAAA' },
      'INVALID_CROSS_REFERENCE_KEY',
      undefined,
    ],
  ])('for %s', async (_what, type, body, errorCode, fields) => {
    const reply = await org.call('POST', `/sobjects/${type}`, body);
    expect(reply).toMatchObject({ status: 400, body: [{ errorCode, message: expect.any(String) }] });
    if (fields) expect(reply.body[0]?.fields).toEqual(fields);
  });

  it('for set-up objects, in words of the platform', async () => {
    expect(await org.call('POST', '/sobjects/User', { LastName: 'x' })).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALID_TYPE_FOR_OPERATION' }],
    });
  });

  it.each([
    ['{"Name":', 'application/json', 400, 'JSON_PARSER_ERROR'],
    ['[]', 'application/json', 400, 'JSON_PARSER_ERROR'],
    ['', 'application/json', 400, 'JSON_PARSER_ERROR'],
    ['Name=x', 'application/x-www-form-urlencoded', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('for the body %j as %s', async (body, type, status, errorCode) => {
    expect(await org.call('POST', '/sobjects/Account', body, { 'content-type': type })).toMatchObject({
      status,
      body: [{ errorCode }],
    });
  });

  it('and leaves no trace', async () => {
    const { body } = await org.query("SELECT COUNT() FROM Account WHERE Name = 'Half'");
    await org.call('POST', '/sobjects/Account', { Name: 'Half', Q2C_Tax_Status__c: 'maybe' });
    expect((await org.query("SELECT COUNT() FROM Account WHERE Name = 'Half'")).body.totalSize).toBe(
      body.totalSize,
    );
  });
});

describe('external ids', () => {
  const upsert = (key: string, body: object, query = '') =>
    org.call<Saved>('PATCH', `/sobjects/Account/${KEY}/${encodeURIComponent(key)}${query}`, body);

  it('create with 201 and update with 200', async () => {
    const created = await upsert('cus_01', { Name: 'Upserted' });
    expect([created.status, created.body]).toEqual([
      201,
      { id: expect.any(String), success: true, errors: [], created: true },
    ]);
    const updated = await upsert('cus_01', { Name: 'Upserted again' });
    expect([updated.status, updated.body]).toEqual([
      200,
      { id: created.body.id, success: true, errors: [], created: false },
    ]);
    expect(await org.get(`/sobjects/Account/${KEY}/cus_01`)).toMatchObject({
      status: 200,
      body: { Id: created.body.id, Name: 'Upserted again', [KEY]: 'cus_01' },
    });
  });

  it('answer 204 to an update below version 46', async () => {
    await upsert('cus_old', { Name: 'Old' });
    const reply = await org.call('PATCH', `/services/data/v45.0/sobjects/Account/${KEY}/cus_old`, {
      Name: 'Older',
    });
    expect([reply.status, reply.body]).toEqual([204, null]);
  });

  it('take keys with any character', async () => {
    const key = 'a/b c%ü';
    await upsert(key, { Name: 'Odd key' });
    expect(
      (await org.get<{ Name: string }>(`/sobjects/Account/${KEY}/${encodeURIComponent(key)}`)).body.Name,
    ).toBe('Odd key');
  });

  it('never create with updateOnly', async () => {
    expect(await upsert('cus_none', { Name: 'x' }, '?updateOnly=true')).toMatchObject({
      status: 404,
      body: [{ errorCode: 'NOT_FOUND' }],
    });
  });

  it('answer 300 with addresses when several match, and write nothing', async () => {
    const email = 'shared@twice.example';
    const ids = [
      await org.create('Contact', { LastName: 'One', Email: email }),
      await org.create('Contact', { LastName: 'Two', Email: email }),
    ];
    const reply = await org.call('PATCH', `/sobjects/Contact/Email/${email}`, { Title: 'written' });
    expect(reply.status).toBe(300);
    expect(reply.body).toEqual(ids.map((id) => `/services/data/v66.0/sobjects/Contact/${id}`));
    expect(await org.read('Contact', ids[0] ?? '')).toMatchObject({ Title: null });
    expect((await org.get(`/sobjects/Contact/Email/${email}`)).status).toBe(300);
  });

  it.each(['Nope__c', 'Phone'])('answer 404 for %s, which is none', async (field) => {
    expect(await org.call<ErrorBody[]>('PATCH', `/sobjects/Account/${field}/1`, { Name: 'x' })).toMatchObject(
      {
        status: 404,
        body: [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
      },
    );
  });

  it('must not stand in the body as well', async () => {
    expect(await upsert('cus_02', { Name: 'x', [KEY]: 'cus_02' })).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALID_FIELD' }],
    });
  });

  it('are unique', async () => {
    const id = await org.create('Account', { Name: 'First', [KEY]: 'cus_unique' });
    expect(
      await org.call('POST', '/sobjects/Account', { Name: 'Second', [KEY]: 'cus_unique' }),
    ).toMatchObject({
      status: 400,
      body: [{ errorCode: 'DUPLICATE_VALUE', message: expect.stringContaining(id) }],
    });
    expect((await org.call('PATCH', `/sobjects/Account/${id}`, { [KEY]: 'cus_unique' })).status).toBe(204);
  });
});

describe('conditional requests', () => {
  it('update only what was not changed since, to the second', async () => {
    const id = await org.create('Contact', { LastName: 'Conditional' });
    const path = `/sobjects/Contact/${id}`;
    const header = (await org.get(path)).headers.get('last-modified') ?? '';
    const past = new Date(Date.parse(header) - 60_000).toUTCString();
    expect(await org.call('PATCH', path, { Title: 'a' }, { 'if-unmodified-since': past })).toMatchObject({
      status: 412,
    });
    expect(
      (await org.call('PATCH', path, { Title: 'a' }, { 'if-unmodified-since': 'yesterday' })).status,
    ).toBe(400);
    const future = new Date(Date.now() + 60_000).toUTCString();
    expect((await org.call('PATCH', path, { Title: 'a' }, { 'if-unmodified-since': future })).status).toBe(
      204,
    );
    expect((await org.get(path, { 'if-modified-since': future })).status).toBe(304);
  });

  it('know entity tags of accounts', async () => {
    const id = await org.create('Account', { Name: 'Tagged' });
    const path = `/sobjects/Account/${id}`;
    const tag = (await org.get(path)).headers.get('etag') ?? '';
    expect((await org.get(path, { 'if-none-match': tag })).status).toBe(304);
    expect((await org.call('PATCH', path, { Phone: '1' }, { 'if-match': tag })).status).toBe(204);
    expect((await org.call('PATCH', path, { Phone: '2' }, { 'if-match': tag })).status).toBe(412);
  });
});
