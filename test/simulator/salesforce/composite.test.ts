import { type ErrorBody, type Saved, TestOrg } from './org';

let org: TestOrg;
beforeAll(async () => {
  org = await TestOrg.start();
});
afterAll(() => org.close());

const BASE = '/services/data/v66.0';
const count = async (site: string) =>
  (await org.query(`SELECT COUNT() FROM Account WHERE Site = '${site}'`)).body.totalSize;

describe('composite', () => {
  interface Sub {
    body: unknown;
    httpStatusCode: number;
    referenceId: string;
  }
  const composite = (compositeRequest: object[], allOrNone = false) =>
    org.call<{ compositeResponse: Sub[] }>('POST', '/composite', { allOrNone, compositeRequest });

  it('runs requests in order, later ones using answers of earlier ones', async () => {
    const { status, body } = await composite([
      {
        method: 'PATCH',
        url: `${BASE}/sobjects/Account/Q2C_External_Id__c/cus_c1`,
        referenceId: 'acc',
        body: { Name: 'Composite' },
      },
      {
        method: 'POST',
        url: `${BASE}/sobjects/Contact`,
        referenceId: 'con',
        body: { LastName: 'X', AccountId: '@{acc.id}' },
      },
      { method: 'GET', url: `${BASE}/sobjects/Contact/@{con.id}?fields=AccountId`, referenceId: 'read' },
      {
        method: 'GET',
        url: `${BASE}/query?q=SELECT+Id+FROM+Account+WHERE+Id='@{acc.id}'`,
        referenceId: 'rows',
      },
      {
        method: 'PATCH',
        url: `${BASE}/sobjects/Account/@{rows.records[0].Id}`,
        referenceId: 'patch',
        body: { Phone: '1' },
      },
    ]);
    expect(status).toBe(200);
    expect(body.compositeResponse.map((r) => [r.referenceId, r.httpStatusCode])).toEqual([
      ['acc', 201],
      ['con', 201],
      ['read', 200],
      ['rows', 200],
      ['patch', 204],
    ]);
    const account = body.compositeResponse[0]?.body as Saved;
    expect(body.compositeResponse[2]?.body).toMatchObject({ AccountId: account.id });
  });

  it('goes on after a failure; what refers to it fails as well', async () => {
    const { body } = await composite([
      { method: 'POST', url: `${BASE}/sobjects/Account`, referenceId: 'bad', body: {} },
      {
        method: 'POST',
        url: `${BASE}/sobjects/Contact`,
        referenceId: 'dep',
        body: { LastName: 'X', AccountId: '@{bad.id}' },
      },
      {
        method: 'POST',
        url: `${BASE}/sobjects/Account`,
        referenceId: 'ok',
        body: { Name: 'C', Site: 'kept' },
      },
    ]);
    expect(body.compositeResponse).toMatchObject([
      { httpStatusCode: 400, body: [{ errorCode: 'REQUIRED_FIELD_MISSING' }] },
      { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] },
      { httpStatusCode: 201 },
    ]);
    expect(await count('kept')).toBe(1);
  });

  it('undoes everything with allOrNone', async () => {
    const { status, body } = await composite(
      [
        {
          method: 'POST',
          url: `${BASE}/sobjects/Account`,
          referenceId: 'ok',
          body: { Name: 'C', Site: 'undone' },
        },
        { method: 'POST', url: `${BASE}/sobjects/Account`, referenceId: 'bad', body: {} },
      ],
      true,
    );
    expect(status).toBe(200);
    expect(body.compositeResponse).toMatchObject([
      { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }], referenceId: 'ok' },
      { httpStatusCode: 400, body: [{ errorCode: 'REQUIRED_FIELD_MISSING' }], referenceId: 'bad' },
    ]);
    expect(await count('undone')).toBe(0);
  });

  it.each([
    [
      '26 subrequests',
      Array.from({ length: 26 }, (_, i) => ({ method: 'GET', url: `${BASE}/limits`, referenceId: `r${i}` })),
    ],
    [
      '6 queries',
      Array.from({ length: 6 }, (_, i) => ({
        method: 'GET',
        url: `${BASE}/query?q=x`,
        referenceId: `r${i}`,
      })),
    ],
    ['a reference twice', [1, 2].map(() => ({ method: 'GET', url: `${BASE}/limits`, referenceId: 'same' }))],
    ['another host', [{ method: 'GET', url: 'https://example.org/', referenceId: 'r' }]],
    ['no reference', [{ method: 'GET', url: `${BASE}/limits` }]],
  ])('refuses %s', async (_what, requests) => {
    expect((await composite(requests)).status).toBe(400);
  });

  it('counts as one call, a batch as many', async () => {
    const used = async () =>
      Number(/api-usage=(\d+)/.exec((await org.get('/limits')).headers.get('sforce-limit-info') ?? '')?.[1]);
    const before = await used();
    await composite([1, 2, 3].map((n) => ({ method: 'GET', url: `${BASE}/limits`, referenceId: `r${n}` })));
    expect(await used()).toBe(before + 2);
    const { body } = await org.call<{ hasErrors: boolean; results: { statusCode: number }[] }>(
      'POST',
      '/composite/batch',
      {
        haltOnError: true,
        batchRequests: [
          { method: 'GET', url: 'v66.0/limits' },
          { method: 'GET', url: 'v66.0/sobjects/Nothing' },
          { method: 'GET', url: 'v66.0/limits' },
        ],
      },
    );
    expect(body.hasErrors).toBe(true);
    expect(body.results.map((r) => r.statusCode)).toEqual([200, 404, 412]);
    expect(await used()).toBe(before + 6);
  });
});

describe('collections', () => {
  interface Result {
    id?: string;
    success: boolean;
    created?: boolean;
    errors: { statusCode: string; message: string; fields: string[] }[];
  }
  const account = (fields: object) => ({ attributes: { type: 'Account' }, ...fields });
  const save = (method: string, path: string, records: object[], allOrNone = false) =>
    org.call<Result[]>(method, `/composite/sobjects${path}`, { allOrNone, records });

  it('save record by record and answer each in order', async () => {
    const { status, body } = await save('POST', '', [
      account({ Name: 'One', Site: 'many' }),
      account({}),
      account({ Name: 'Two', Site: 'many' }),
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject([
      { success: true, id: expect.any(String), errors: [] },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', fields: ['Name'] }] },
      { success: true },
    ]);
    expect(await count('many')).toBe(2);
    const updated = await save('PATCH', '', [
      account({ id: body[0]?.id, Phone: '1' }),
      account({ Id: body[2]?.id, Phone: '2' }),
      account({ Phone: '3' }),
    ]);
    expect(updated.body.map((r) => r.success)).toEqual([true, true, false]);
    const ids = `${body[0]?.id},${body[2]?.id}`;
    const read = await org.get<{ Phone: string }[]>(
      `/composite/sobjects/Account?ids=${ids},001Q2zzzzzzzzzzAAA&fields=Phone`,
    );
    expect(read.body.map((r) => r?.Phone ?? null)).toEqual(['1', '2', null]);
    const posted = await org.call<{ Phone: string }[]>('POST', '/composite/sobjects/Account', {
      ids: ids.split(','),
      fields: ['Phone'],
    });
    expect(posted.body.map((r) => r.Phone)).toEqual(['1', '2']);
    const deleted = await org.call<Result[]>('DELETE', `/composite/sobjects?ids=${ids}&allOrNone=true`);
    expect(deleted.body.map((r) => r.success)).toEqual([true, true]);
    expect(await count('many')).toBe(0);
  });

  it('save all or none', async () => {
    const { body } = await save('POST', '', [account({ Name: 'One', Site: 'none' }), account({})], true);
    expect(body.map((r) => r.errors[0]?.statusCode)).toEqual([
      'ALL_OR_NONE_OPERATION_ROLLED_BACK',
      'REQUIRED_FIELD_MISSING',
    ]);
    expect(await count('none')).toBe(0);
  });

  it('upsert by the external id in the record', async () => {
    const key = 'Q2C_External_Id__c';
    const path = `/Account/${key}`;
    const first = await save('PATCH', path, [
      account({ [key]: 'cus_u1', Name: 'U1' }),
      account({ [key]: 'cus_u2', Name: 'U2' }),
    ]);
    expect(first.body).toMatchObject([
      { success: true, created: true },
      { success: true, created: true },
    ]);
    const second = await save('PATCH', path, [
      account({ [key]: 'cus_u1', Name: 'U1b' }),
      account({ Name: 'keyless' }),
    ]);
    expect(second.body).toMatchObject([
      { success: true, created: false, id: first.body[0]?.id },
      { success: false, errors: [{ statusCode: 'MISSING_ARGUMENT' }] },
    ]);
  });

  it('take 200 records, no more, and only known types', async () => {
    const tooMany = await save(
      'POST',
      '',
      Array.from({ length: 201 }, () => account({ Name: 'x' })),
    );
    expect(tooMany).toMatchObject({ status: 400, body: [{ errorCode: 'EXCEEDED_ID_LIMIT' }] });
    const { body } = await save('POST', '', [{ Name: 'typeless' }]);
    expect(body).toMatchObject([{ success: false, errors: [{ statusCode: 'INVALID_TYPE' }] }]);
    expect((await org.call<ErrorBody[]>('POST', '/composite/sobjects', { records: 5 })).status).toBe(400);
  });
});
