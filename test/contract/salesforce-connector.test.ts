import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type DealDocument, type JsonObject, jsonObjectSchema, newId } from '../../lib/model';
import type { MappingContext } from '../../lib/systems/kit';
import { system } from '../../lib/systems/salesforce';
import { errors } from '../../lib/systems/salesforce/errors';
import { manifest } from '../../lib/systems/salesforce/manifest';
import { callContext, type FakeOrg, fakeOrg, page } from '../unit/systems/salesforce/fake-org';

/**
 * Every request the connector sends, against Salesforce's own material: endpoints against its Postman collection,
 * objects, fields and their rights against recorded describes and the Enterprise WSDL.
 */

const SPECS = join(__dirname, '../../../shared/specs/salesforce');
const suite = existsSync(SPECS) ? describe : describe.skip;
if (!existsSync(SPECS)) {
  console.warn('Skipped: the Salesforce specs are not beside the repository (../shared/specs/salesforce).');
}

interface Described {
  createable: boolean;
  updateable: boolean;
}

/** What the old WSDL and the shortened describes lack. Source of each: the fact sheet or docs/systems/salesforce.md. */
const LATER_FIELDS: Record<string, string[]> = {
  // Multi-currency orgs only (fact sheet §10).
  Account: ['CurrencyIsoCode'],
  Contract: ['CurrencyIsoCode'],
  // The look-up from opportunity to contract is newer than the WSDL of 2017; the describe is cut to 40 fields.
  Opportunity: ['CurrencyIsoCode', 'ContractId', 'Contract'],
  // Not in any of the files: names as in docs/systems/salesforce.md and fact sheet §10.
  OpportunityLineItemSchedule: [
    'OpportunityLineItemId',
    'OpportunityLineItem',
    'ScheduleDate',
    'Revenue',
    'Description',
  ],
  Quote: ['SystemModstamp', 'Status', 'GrandTotal', 'OpportunityId', 'Opportunity'],
};

suite('requests of the Salesforce connector', () => {
  let org: FakeOrg;

  beforeAll(async () => {
    org = await fakeOrg();
    org.answer = ({ method }, { pathname }) => {
      if (pathname === '/services/data/') return [200, [{ version: '66.0' }]];
      if (pathname.endsWith('/composite')) return [200, { compositeResponse: answersOf(org) }];
      if (pathname.endsWith('/describe')) {
        return [200, { queryable: true, createable: true, updateable: true, fields: [] }];
      }
      if (pathname.endsWith('/query')) return [200, page([])];
      if (method === 'PATCH' && pathname.includes('/Q2C_External_Id__c/'))
        return [200, { id: '001000000000001AAA', success: true, errors: [], created: true }];
      return method === 'GET' ? [200, {}] : [204];
    };
    await driveEverything(org);
  });

  afterAll(() => org.close());

  test('use endpoints and methods of the published collection', () => {
    const endpoints = publishedEndpoints();
    const unknown = sentRequests(org)
      .map(({ method, path }) => `${method} ${path}`)
      .filter((sent) => !endpoints.some((known) => known.test(sent)));
    expect(unknown).toEqual([]);
  });

  test('every kind of request was driven', () => {
    const kinds = new Set(
      sentRequests(org).map(({ method, path }) => `${method} ${path.replace(/(sobjects\/\w+\/).*/, '$1…')}`),
    );
    expect([...kinds].filter((kind) => /PATCH|DELETE|query|composite|token/.test(kind)).sort()).toEqual([
      'DELETE /services/data/v66.0/sobjects/Account/…',
      'DELETE /services/data/v66.0/sobjects/Contact/…',
      'GET /services/data/v66.0/query',
      'PATCH /services/data/v66.0/sobjects/Account/…',
      'PATCH /services/data/v66.0/sobjects/Contact/…',
      'PATCH /services/data/v66.0/sobjects/Contract/…',
      'PATCH /services/data/v66.0/sobjects/Opportunity/…',
      'POST /services/data/v66.0/composite',
      'POST /services/oauth2/token',
    ]);
  });

  test('read only fields that exist', () => {
    const queries = sentRequests(org).flatMap(({ soql }) => (soql === undefined ? [] : [soql]));
    expect(queries.length).toBeGreaterThanOrEqual(9);
    expect(queries.flatMap(unknownFields)).toEqual([]);
  });

  test('write only fields that exist and may be written', () => {
    const writes = sentRequests(org).flatMap(({ method, path, body }) => {
      const object = /sobjects\/(\w+)\//.exec(path)?.[1];
      return method === 'PATCH' && object ? Object.keys(body).map((field) => ({ object, field })) : [];
    });
    expect(writes.length).toBeGreaterThan(20);
    expect(writes.filter(({ object, field }) => !fieldsOf(object).get(field)?.updateable)).toEqual([]);
  });

  test('the token request has the form fields of the grant', () => {
    const token = org.server.requests.find(({ url }) => url.endsWith('/token'));
    expect(token?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect([...new URLSearchParams(token?.body).keys()]).toEqual([
      'grant_type',
      'client_id',
      'client_secret',
    ]);
  });

  test('codes of the error table are values of the vendor enumerations', () => {
    const known = Object.values(readJson<Record<string, unknown>>('error-codes.json'))
      .filter(Array.isArray)
      .flat()
      .map(String);
    expect(known.length).toBeGreaterThan(500);
    for (const { code } of errors.rows) {
      if (typeof code === 'string') expect(known).toContain(code);
      if (code instanceof RegExp) expect(known.filter((each) => code.test(each))).not.toEqual([]);
    }
  });
});

/** Runs every operation, probe, compensation and adoption, every event source and the connection check once. */
async function driveEverything({ client }: FakeOrg): Promise<void> {
  const deal = dealOf(client.instance);
  const parameters = { status: 'Provisioned: {projectNumber}', soql: 'SELECT Id, Name FROM Account' };
  for (const operation of system.operations) {
    for (const each of [deal, unlinked(deal)]) {
      const context = contextOf(each, client.settings, client.instance, parameters);
      for (const item of operation.select(each, parameters)) {
        const wire = operation.toSystem(item, context);
        const reply = await operation.call(client, wire, callContext()).catch(notFound);
        await operation.probe?.(client, wire, callContext());
        if (reply) await operation.compensate?.(client, wire, { ...reply, created: true }, callContext());
        await operation.adopt?.(client, '001A', wire, callContext());
      }
    }
  }
  const position = { stamp: '2026-01-02T00:00:00.000Z', id: '006A' };
  const inside = { watermark: position.stamp, position, delivered: [] };
  const { signal } = callContext();
  for (const source of system.events) {
    const context = { settings: client.settings, pageSize: 200, startAt: '2026-01-01T00:00:00.000Z', signal };
    await source.poll(client, null, context);
    const cursor = source.id === 'contract-activated' ? { contracts: inside, opportunities: inside } : inside;
    await source.poll(client, cursor, context);
  }
  await client.test();
}

/** The fake org has no opportunity to read; the request was sent, which is what counts here. */
function notFound(error: unknown): null {
  if (error instanceof Error && 'kind' in error && error.kind === 'not_found') return null;
  throw error;
}

function dealOf(instance: string): DealDocument {
  const linked = (type: string, id: string) => [
    { system: 'salesforce', instance, type, id, role: 'master' as const },
  ];
  const country = 'DE';
  return {
    opportunity: { id: newId('opportunity'), externalRefs: linked('Opportunity', '006A') },
    contract: { id: newId('contract'), externalRefs: linked('Contract', '800A') },
    project: { id: newId('project'), externalRefs: [], code: 'PRJ-1' },
    customer: {
      id: newId('customer'),
      externalRefs: linked('Account', '001A'),
      number: 'C-1',
      legalName: 'Acme',
      country,
      billingAddress: { lines: ['Main 1'], city: 'Bonn', region: 'NW', postalCode: '53111', country },
      website: 'https://acme.example',
      defaultCurrency: 'EUR',
      paymentTerms: 'net_30',
      taxProfile: { status: 'registered', registrationNumber: 'DE136695976' },
    },
    contacts: [
      {
        id: newId('contact'),
        externalRefs: linked('Contact', '003A'),
        name: 'A B',
        firstName: 'A',
        lastName: 'B',
        email: 'a@acme.example',
        phone: '1',
        title: 'CFO',
        roles: ['billing'],
      },
    ],
  };
}

/** The same deal with customer and contacts that Salesforce does not know yet, so that they are upserted. */
function unlinked(deal: DealDocument): DealDocument {
  return {
    ...deal,
    customer: deal.customer && { ...deal.customer, externalRefs: [] },
    contacts: deal.contacts?.map((contact) => ({ ...contact, externalRefs: [] })),
  };
}

function contextOf(
  deal: DealDocument,
  settings: Readonly<Record<string, string>>,
  instance: string,
  parameters: Record<string, string>,
): MappingContext {
  return {
    deal,
    system: 'salesforce',
    instance,
    settings,
    parameters,
    lookup: (table, key) => `${table}:${key}`,
    lookupOptional: () => undefined,
    refId: (entity) => entity?.externalRefs?.[0]?.id ?? '001A',
  };
}

interface Sent {
  method: string;
  path: string;
  soql?: string;
  body: JsonObject;
}

const composite = z.object({
  compositeRequest: z
    .array(z.object({ method: z.string(), url: z.string(), body: jsonObjectSchema.optional() }))
    .default([]),
});
const partsOf = (body: JsonObject) => composite.parse(body).compositeRequest;

/** All requests, those inside composite calls as well. */
function sentRequests(org: FakeOrg): Sent[] {
  const parts = org.calls().flatMap(({ body }) => partsOf(body));
  const inner = parts.map(({ method, url, body = {} }): Sent => {
    const { pathname, searchParams } = new URL(url, org.server.url);
    return { method, path: pathname, soql: searchParams.get('q') ?? undefined, body };
  });
  return [...org.calls(), ...inner, { method: 'POST', path: '/services/oauth2/token', body: {} }];
}

function answersOf(org: FakeOrg): JsonObject[] {
  const parts = partsOf(org.calls().at(-1)?.body ?? {});
  return parts.map(({ method, url }, index) => {
    const isRead = method === 'GET';
    const body = isRead ? (url.includes('/query') ? page([]) : {}) : null;
    return { referenceId: `part${index}`, httpStatusCode: isRead ? 200 : 204, body };
  });
}

// ---------------------------------------------------------------- the vendor's material

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(SPECS, file), 'utf8')) as T;
}

/** `METHOD path` patterns. A resource's description may list more methods than its sample uses. */
function publishedEndpoints(): RegExp[] {
  return ['auth', 'composite', 'rest'].flatMap((folder) =>
    readdirSync(join(SPECS, 'postman', folder)).map((file) => {
      const resource = readJson<{ method: string; url: string; description?: string }>(
        join('postman', folder, file),
      );
      const listed = /\b[A-Z]+(?:, [A-Z]+)+$/.exec(resource.description ?? '')?.[0];
      const path = (resource.url.split('?')[0] ?? '')
        .replace(/^(\{\{\w+\}\})+/, '')
        .replace('{{version}}', '66.0')
        .replace(/\/$/, '')
        .replace(/[.*+$^()|[\]\\]/g, '\\$&')
        .replace(/<\w+>/g, '[^/]+');
      return new RegExp(`^(${(listed ?? resource.method).replaceAll(', ', '|')}) ${path}/?$`);
    }),
  );
}

function fieldsOf(object: string): Map<string, Described> {
  const fields = new Map<string, Described>();
  const writable = { createable: true, updateable: true };
  const { objects } = readJson<{ objects: Record<string, object> }>('standard-object-fields.json');
  const standard = ['Id', ...Object.keys(objects[object] ?? {}), ...(LATER_FIELDS[object] ?? [])];
  for (const name of standard) fields.set(name, writable);
  for (const field of manifest.customFields) if (field.object === object) fields.set(field.name, writable);
  const file = join('describe', `${object}.describe.json`);
  if (existsSync(join(SPECS, file))) {
    for (const field of readJson<{ fields: (Described & { name: string })[] }>(file).fields) {
      fields.set(field.name, field);
    }
  }
  return fields;
}

/** Fields of a SOQL query of ours that the vendor's material does not know, as `Object.Field`. */
function unknownFields(soql: string): string[] {
  const match = /^SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY (.+?))?(?: LIMIT \d+)?$/.exec(soql);
  if (!match) return [`unreadable: ${soql}`];
  const [, select = '', object = '', where = '', orderBy = ''] = match;
  const conditions = where.replace(/'[^']*'/g, "''").matchAll(/([A-Z][\w.]*) ?(?:=|!=|>=|<=|>|<|IN\b)/g);
  return [...select.split(','), ...[...conditions].map(([, name = '']) => name), ...orderBy.split(',')]
    .map((name) => name.trim())
    .filter((name) => name !== '' && !isKnown(object, name.split('.')))
    .map((name) => `${object}.${name}`);
}

/** `Account.Name`: the relationship must exist on the child, the field on the parent of that name. */
function isKnown(object: string, [first = '', ...rest]: string[]): boolean {
  const fields = fieldsOf(object);
  if (rest.length > 0) return (fields.has(first) || fields.has(`${first}Id`)) && isKnown(first, rest);
  return fields.has(first);
}
