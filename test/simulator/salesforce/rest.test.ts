import { send } from '../support';
import { TestOrg } from './org';

const START = Date.parse('2026-03-01T10:00:00.250Z');
let now = START;
let org: TestOrg;
beforeAll(async () => {
  org = await TestOrg.start({ clock: () => now });
});
afterAll(() => org.close());

describe('versions', () => {
  it('are listed to anybody, oldest first', async () => {
    const { status, body } = await send<{ label: string; url: string; version: string }[]>(
      `${org.url}/services/data/`,
    );
    expect(status).toBe(200);
    expect(body).toContainEqual({ label: "Spring '26", url: '/services/data/v66.0', version: '66.0' });
    expect(body.at(-1)).toEqual({ label: "Summer '26", url: '/services/data/v67.0', version: '67.0' });
    expect(body[0]?.version).toBe('40.0');
  });

  it('list their resources to users; unknown ones do not exist', async () => {
    expect((await org.get('/services/data/v66.0')).body).toMatchObject({
      query: '/services/data/v66.0/query',
    });
    expect(await org.get('/services/data/v99.0/limits')).toMatchObject({
      status: 404,
      body: [{ errorCode: 'NOT_FOUND' }],
    });
    expect((await org.get('/nothing')).status).toBe(404);
    expect((await send(`${org.url}/elsewhere`)).status).toBe(404);
  });
});

describe('describe', () => {
  interface Described {
    fields: {
      name: string;
      type: string;
      length: number;
      unique: boolean;
      externalId: boolean;
      picklistValues: { value: string }[];
    }[];
    childRelationships: { childSObject: string; field: string; relationshipName: string | null }[];
  }

  it('shows fields with their rights, lists and relationships', async () => {
    const { body } = await org.get<Described>('/sobjects/Account/describe');
    const field = (name: string) => body.fields.find((f) => f.name === name);
    expect(field('Q2C_External_Id__c')).toMatchObject({
      type: 'string',
      length: 80,
      unique: true,
      externalId: true,
    });
    expect(field('Q2C_Tax_Status__c')?.picklistValues.map((v) => v.value)).toEqual([
      'registered',
      'not_registered',
      'exempt',
    ]);
    expect(body.childRelationships).toContainEqual(
      expect.objectContaining({ childSObject: 'Contact', field: 'AccountId', relationshipName: 'Contacts' }),
    );
  });

  it('lists the objects', async () => {
    const { body } = await org.get<{ sobjects: { name: string; keyPrefix: string }[] }>('/sobjects');
    expect(body.sobjects).toContainEqual(expect.objectContaining({ name: 'Opportunity', keyPrefix: '006' }));
    expect(
      (await org.get<{ objectDescribe: { name: string } }>('/sobjects/account')).body.objectDescribe.name,
    ).toBe('Account');
    expect((await org.get('/sobjects/Order/describe')).status).toBe(404);
  });
});

describe('every answer', () => {
  it('says how many calls were used, and limits agree', async () => {
    const first = await org.get('/sobjects');
    const used = Number(/^api-usage=(\d+)\/5000000$/.exec(first.headers.get('sforce-limit-info') ?? '')?.[1]);
    const second = await org.get<{ DailyApiRequests: { Max: number; Remaining: number } }>('/limits');
    expect(second.headers.get('sforce-limit-info')).toBe(`api-usage=${used + 1}/5000000`);
    expect(second.body.DailyApiRequests).toEqual({ Max: 5_000_000, Remaining: 5_000_000 - used - 1 });
    expect((await org.get('/sobjects/Nothing')).headers.get('sforce-limit-info')).toBe(
      `api-usage=${used + 2}/5000000`,
    );
  });

  it('refuses methods that are not there', async () => {
    expect(await org.call('PUT', '/sobjects/Account')).toMatchObject({
      status: 405,
      body: [{ errorCode: 'METHOD_NOT_ALLOWED' }],
    });
  });
});

describe('faults', () => {
  const arm = (fault: object) => org.control('salesforce/faults', 'POST', { times: 1, ...fault });

  it.each([
    [400, 'UNABLE_TO_LOCK_ROW'],
    [401, 'INVALID_SESSION_ID'],
    [403, 'REQUEST_LIMIT_EXCEEDED'],
    [500, 'UNKNOWN_EXCEPTION'],
    [503, 'SERVER_UNAVAILABLE'],
  ])('answer %i with %s', async (status, errorCode) => {
    await arm({ kind: 'status', status });
    expect(await org.get('/limits')).toMatchObject({ status, body: [{ errorCode }] });
  });

  it('answer a gateway failure with a page, not with JSON', async () => {
    await arm({ kind: 'status', status: 502 });
    const response = await fetch(`${org.url}/services/data`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      502,
      'text/html; charset=UTF-8',
    ]);
    expect(await response.text()).toContain('<html>');
  });

  it('limit the rate as the platform does: 403 without Retry-After', async () => {
    await arm({ kind: 'rate-limit' });
    const reply = await org.get('/limits');
    expect(reply).toMatchObject({ status: 403, body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED' }] });
    expect(reply.headers.get('retry-after')).toBeNull();
  });

  it('drop the reply of an upsert that is done, and a repeat finds it', async () => {
    await arm({ kind: 'commit-then-drop', match: { method: 'PATCH' } });
    const path = '/sobjects/Account/Q2C_External_Id__c/cus_lost';
    await expect(org.call('PATCH', path, { Name: 'Lost' })).rejects.toThrow();
    expect(await org.call('PATCH', path, { Name: 'Lost' })).toMatchObject({
      status: 200,
      body: { created: false },
    });
  });
});

describe('replication', () => {
  const at = (offsetMinutes: number) =>
    encodeURIComponent(new Date(START + offsetMinutes * 60_000).toISOString().replace('Z', '+00:00'));

  it('names what was changed and what was deleted in a span', async () => {
    now = START + 10 * 60_000;
    const changed = await org.create('Account', { Name: 'Changed' });
    const gone = await org.create('Account', { Name: 'Gone' });
    await org.call('DELETE', `/sobjects/Account/${gone}`);
    now = START + 20 * 60_000;
    const updated = await org.get<{ ids: string[]; latestDateCovered: string }>(
      `/sobjects/Account/updated/?start=${at(5)}&end=${at(15)}`,
    );
    expect(updated.body.ids).toEqual([changed]);
    expect(updated.body.latestDateCovered).toBe('2026-03-01T10:15:00.000+0000');
    const deleted = await org.get(`/sobjects/Account/deleted/?start=${at(5)}&end=${at(15)}`);
    expect(deleted.body).toEqual({
      deletedRecords: [
        { id: gone, deletedDate: expect.stringMatching(/^2026-03-01T10:10:00\.\d{3}\+0000$/) },
      ],
      earliestDateAvailable: expect.any(String),
      latestDateCovered: '2026-03-01T10:15:00.000+0000',
    });
    expect(
      (await org.get<{ ids: string[] }>(`/sobjects/Account/updated/?start=${at(11)}&end=${at(15)}`)).body.ids,
    ).toEqual([]);
  });

  it.each([
    ['a minute or less', () => `start=${at(5)}&end=${at(5)}`],
    ['too long ago', () => `start=${at(-60 * 24 * 31)}&end=${at(0)}`],
    ['no end', () => `start=${at(5)}`],
    ['no dates', () => 'start=x&end=y'],
  ])('refuses %s', async (_what, query) => {
    expect(await org.get(`/sobjects/Account/updated/?${query()}`)).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALID_REPLICATION_DATE' }],
    });
  });
});
