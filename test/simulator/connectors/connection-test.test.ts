import { system as kantata } from '../../../lib/systems/kantata';
import type { ConnectionCheck, SystemClient, SystemModule } from '../../../lib/systems/kit';
import { memoryTokens } from '../../../lib/systems/kit';
import { system as netsuite } from '../../../lib/systems/netsuite';
import { system as salesforce } from '../../../lib/systems/salesforce';
import { system as simulatedKantata } from '../../../simulator/kantata';
import type { SimulatedSystem } from '../../../simulator/kit/types';
import { system as simulatedNetSuite } from '../../../simulator/netsuite';
import { system as simulatedSalesforce } from '../../../simulator/salesforce';
import { Vendor } from './vendor';

/** "Test connection" against the simulated vendors, as an administrator may have left them. */

class Site<C extends SystemClient> {
  private readonly clients: C[] = [];

  private constructor(
    readonly vendor: Vendor,
    private readonly module: SystemModule<C>,
  ) {}

  static async open<C extends SystemClient>(simulated: SimulatedSystem, module: SystemModule<C>) {
    return new Site(await Vendor.start(simulated), module);
  }

  async test(auth: string, values: Record<string, string> = {}): Promise<ConnectionCheck[]> {
    const { url, credentials } = await this.vendor.account(auth);
    const client = this.module.createClient(
      { environment: 'simulator', auth, values: { baseUrl: url, ...credentials, ...values } },
      { tokens: memoryTokens(), log: () => {} },
    );
    this.clients.push(client);
    return client.test();
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.vendor.close();
  }
}

/** Lines that failed, with what was found. */
const failed = (checks: readonly ConnectionCheck[]) =>
  checks
    .filter(({ state }) => state === 'failed')
    .map(({ id, findings }) => [id, ...findings.map(({ key }) => key)]);

const lineOf = (checks: readonly ConnectionCheck[], id: string) => checks.find((check) => check.id === id);

describe('Salesforce', () => {
  let site: Site<ReturnType<typeof salesforce.createClient>>;
  beforeAll(async () => {
    site = await Site.open(simulatedSalesforce, salesforce);
  });
  afterEach(() => site.vendor.control('salesforce/access', 'DELETE'));
  afterAll(() => site.close());
  const access = (body: Record<string, unknown>) => site.vendor.control('salesforce/access', 'POST', body);

  test.each(['client-credentials', 'jwt-bearer'])('passes with %s', async (auth) => {
    expect((await site.test(auth)).filter(({ state }) => state !== 'ok')).toEqual([]);
  });

  test('a wrong secret, an unknown application, a key without its certificate', async () => {
    const wrong = await site.test('client-credentials', { clientSecret: 'wrong' });
    expect(failed(wrong)).toEqual([['login', 'SECRET_WRONG']]);
    expect(lineOf(wrong, 'login')?.advice).toContain('Copy “Consumer secret”');
    expect(failed(await site.test('client-credentials', { clientId: 'nobody' }))).toEqual([
      ['login', 'CLIENT_WRONG'],
    ]);
    expect(failed(await site.test('jwt-bearer', { username: 'somebody@else.example' }))).toEqual([
      ['login', 'USER_NOT_APPROVED'],
    ]);
    expect(failed(await site.test('jwt-bearer', { privateKey: 'no key' }))).toEqual([
      ['login', 'KEY_UNREADABLE'],
    ]);
  });

  test('a user who is inactive, and one without the API', async () => {
    await access({ userActive: false });
    expect(failed(await site.test('client-credentials'))).toEqual([['login', 'USER_BLOCKED']]);
    await access({ userActive: true, apiEnabled: false });
    expect(failed(await site.test('client-credentials'))).toEqual([['api', 'API_OFF']]);
  });

  test('missing rights and fields', async () => {
    await access({ object: 'Account', rights: ['read', 'update'] });
    await access({ object: 'Contact', rights: [] });
    await access({
      object: 'Opportunity',
      hiddenFields: ['Q2C_External_Id__c'],
      readOnlyFields: ['Q2C_Status__c'],
    });
    expect(failed(await site.test('client-credentials'))).toEqual([
      ['fields:Opportunity', 'FIELD_MISSING', 'FIELD_READ_ONLY'],
      ['object:Account', 'RIGHT_CREATE'],
      ['object:Contact', 'OBJECT_HIDDEN'],
    ]);
  });

  test('what the test says is what a call meets', async () => {
    const { url, credentials } = await site.vendor.account('client-credentials');
    const client = salesforce.createClient(
      { environment: 'simulator', auth: 'client-credentials', values: { baseUrl: url, ...credentials } },
      { tokens: memoryTokens(), log: () => {} },
    );
    await access({ object: 'Account', rights: ['read'], hiddenFields: ['Q2C_Tax_Status__c'] });
    await expect(client.upsert('Account', 'cus_1', { Name: 'ACME' })).rejects.toMatchObject({
      vendorCode: 'INSUFFICIENT_ACCESS_OR_READONLY',
    });
    await expect(client.query('SELECT Q2C_Tax_Status__c FROM Account')).rejects.toMatchObject({
      vendorCode: 'INVALID_FIELD',
    });
    await access({ object: 'Account', rights: [] });
    await expect(client.query('SELECT Id FROM Account')).rejects.toMatchObject({
      vendorCode: 'INVALID_TYPE',
    });
    await expect(client.query('SELECT Account.Name FROM Contact')).rejects.toMatchObject({
      vendorCode: 'INVALID_FIELD',
    });
    await client.close();
  });
});

describe('NetSuite', () => {
  let site: Site<ReturnType<typeof netsuite.createClient>>;
  beforeAll(async () => {
    site = await Site.open(simulatedNetSuite, netsuite);
  });
  const account = (settings: Record<string, unknown>) =>
    site.vendor.control('netsuite/records/account/1', 'PATCH', settings);
  afterEach(() => account({ permissions: {}, restWebServices: true }));
  afterAll(() => site.close());

  test.each(['tba', 'oauth2-certificate'])('passes with %s', async (auth) => {
    const checks = await site.test(auth);
    expect(failed(checks)).toEqual([]);
    expect(checks.filter(({ state }) => state === 'unchecked').map(({ id }) => id)).toEqual(['write']);
    expect(lineOf(checks, 'limits')?.message).toContain('5 calls at once');
  });

  test('a wrong secret, an unknown integration, a certificate of another key', async () => {
    const wrong = await site.test('tba', { tokenSecret: 'wrong' });
    expect(failed(wrong)).toEqual([['login', 'LOGIN_REFUSED']]);
    expect(lineOf(wrong, 'login')?.advice).toContain('View Login Audit Trail');
    expect(failed(await site.test('oauth2-certificate', { clientId: 'nobody' }))).toEqual([
      ['login', 'CLIENT_WRONG'],
    ]);
    expect(failed(await site.test('oauth2-certificate', { certificateId: 'other' }))).toEqual([
      ['login', 'KEY_WRONG'],
    ]);
  });

  test('REST web services that are off', async () => {
    await account({ restWebServices: false });
    expect(failed(await site.test('tba'))).toEqual([['api', 'API_OFF']]);
  });

  test('missing rights', async () => {
    await account({ permissions: { salesOrder: 'none', subsidiary: 'none' } });
    const checks = await site.test('tba');
    expect(failed(checks)).toEqual([
      ['subsidiaries', 'RIGHT_READ'],
      ['object:salesOrder', 'RIGHT_READ'],
    ]);
    expect(lineOf(checks, 'object:salesOrder')?.advice).toBe(
      'Give the right to read: Transactions > Sales Order.',
    );
  });

  test('a custom field that is missing until it is made', async () => {
    const values = { customerTaxField: 'custentity_q2c_tax_number' };
    const before = await site.test('tba', values);
    expect(failed(before)).toEqual([['fields:customer', 'FIELD_MISSING']]);
    expect(lineOf(before, 'fields:customer')?.message).toContain('custentity_q2c_tax_number');
    await site.vendor.create('customField', { scriptId: 'custentity_q2c_tax_number', kind: 'text' });
    expect(failed(await site.test('tba', values))).toEqual([]);
    await site.vendor.create('customField', { scriptId: 'custentity_q2c_flag', kind: 'boolean' });
    expect(failed(await site.test('tba', { customerTaxField: 'custentity_q2c_flag' }))).toEqual([
      ['fields:customer', 'FIELD_TYPE'],
    ]);
  });
});

describe('Kantata', () => {
  let site: Site<ReturnType<typeof kantata.createClient>>;
  beforeAll(async () => {
    site = await Site.open(simulatedKantata, kantata);
  });
  afterEach(() => site.vendor.change('account', '1', { denied: [], readOnly: [] }));
  afterAll(() => site.close());

  test('a wrong token', async () => {
    const checks = await site.test('access-token', { accessToken: 'wrong' });
    expect(failed(checks)).toEqual([['login', 'TOKEN_REFUSED']]);
  });

  test('missing rights', async () => {
    await site.vendor.change('account', '1', { denied: ['billing_milestones'] });
    const checks = await site.test('access-token');
    expect(failed(checks)).toEqual([['object:billing_milestones', 'RIGHT_READ']]);
    expect(lineOf(checks, 'object:billing_milestones')?.advice).toContain('Financial permission');
  });
});
