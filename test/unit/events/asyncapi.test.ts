import Ajv from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { asyncApiDocument } from '../../../lib/events/asyncapi';
import { topicOf } from '../../../lib/events/topics';
import { businessEventTypes, type JsonObject, type JsonValue } from '../../../lib/model';
import { created, provisioned } from '../../support/events';

const document = asyncApiDocument('1.2.3');

/** The value that a reference within the document points to. */
function resolve(reference: string): JsonValue | undefined {
  expect(reference).toMatch(/^#\//);
  return reference
    .slice(2)
    .split('/')
    .reduce<JsonValue | undefined>((at, part) => (at as JsonObject | undefined)?.[part], document);
}

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => (key === '$ref' ? [String(each)] : references(each)));
}

const section = (path: string) => resolve(path) as Record<string, JsonObject>;

test('the document has what AsyncAPI 3 asks for', () => {
  expect(document).toMatchObject({
    asyncapi: '3.0.0',
    info: { title: expect.any(String), version: '1.2.3' },
    defaultContentType: 'application/cloudevents+json',
  });
  const allowed = [
    'asyncapi',
    'id',
    'info',
    'servers',
    'defaultContentType',
    'channels',
    'operations',
    'components',
  ];
  expect(allowed).toEqual(expect.arrayContaining(Object.keys(document)));
  for (const server of Object.values(section('#/servers'))) {
    expect(server).toMatchObject({ host: expect.any(String), protocol: 'mqtt' });
    const variables = [...String(server.host).matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
    expect(Object.keys(server.variables as JsonObject)).toEqual(variables);
  }
  for (const part of Object.values(section('#/components'))) {
    for (const key of Object.keys(part)) expect(key).toMatch(/^[\w.-]+$/);
  }
});

test('every reference points to something', () => {
  const all = references(document);
  expect(all.length).toBeGreaterThan(businessEventTypes.length);
  expect(all.filter((reference) => resolve(reference) === undefined)).toEqual([]);
});

test('every event type has its channel, its message and both operations, and nothing else has', () => {
  expect(Object.keys(section('#/channels'))).toEqual(businessEventTypes);
  expect(Object.keys(section('#/components/messages'))).toEqual(businessEventTypes);
  for (const type of businessEventTypes) {
    const channel = section('#/channels')[type];
    expect(String(channel?.address).replace('{tenant}', 'main').replace('{subject}', 'x')).toBe(
      topicOf('main', type, 'x'),
    );
    const parameters = [...String(channel?.address).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(channel?.parameters as JsonObject)).toEqual(parameters);
    for (const action of ['send', 'receive']) {
      const operation = section('#/operations')[`${action}.${type}`];
      expect(operation).toMatchObject({ action, channel: { $ref: `#/channels/${type}` } });
      // Messages of an operation are those of its channel, by reference to the channel.
      expect(operation?.messages).toEqual([{ $ref: `#/channels/${type}/messages/${type}` }]);
    }
  }
  expect(Object.keys(section('#/operations'))).toHaveLength(2 * businessEventTypes.length);
});

test('the catalogue says who owns an event, how critical it is and what orders it', () => {
  expect(section('#/components/messages')['q2c.customer.created.v1']).toMatchObject({
    'x-owner': 'finance_ops',
    'x-criticality-tier': 'T1',
    'x-ordering-key': 'data.customer.id',
    'x-data-classification': 'confidential',
  });
});

test('the schemas accept our events, and no other record in their place', () => {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema({ ...document, $id: 'https://example.test/asyncapi' });
  const validator = (type: string) =>
    ajv.compile({ $ref: `https://example.test/asyncapi#/components/messages/${type}/payload` });
  for (const type of businessEventTypes) validator(type);
  const [project, customer] = [provisioned(), created()];
  expect(validator(project.type)(project)).toBe(true);
  expect(validator(customer.type)(customer)).toBe(true);
  expect(validator(customer.type)(project)).toBe(false);
  expect(validator(project.type)({ ...project, data: customer.data })).toBe(false);
  const { id: _, ...nameless } = project;
  expect(validator(project.type)(nameless)).toBe(false);
});
