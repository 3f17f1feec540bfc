import {
  type BusinessEventInput,
  businessEvent,
  businessEvents,
  businessEventTypes,
  type Customer,
  type Draft,
  deriveId,
  entityNames,
  isBusinessEventType,
  type JsonObject,
  newId,
} from '../../../lib/model';

const customer: Draft<Customer> = {
  id: newId('customer'),
  externalRefs: [],
  legalName: 'Nordwind AG',
  number: undefined,
};
const input: BusinessEventInput<{ customer: Draft<Customer>; changed: string[] }> = {
  tenant: 'meridian',
  component: 'engine',
  correlationId: newId('opportunity'),
  data: { customer, changed: ['legalName'] },
};

test('an event is a CloudEvent about its aggregate', () => {
  const time = '2026-01-31T10:00:00.000Z';
  const event = businessEvent('q2c.customer.updated.v1', {
    ...input,
    id: 'e-1',
    causationId: 'e-0',
    time,
    recordedTime: '2026-01-31T10:00:01.000Z',
    version: 12,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  expect(event).toEqual({
    specversion: '1.0',
    id: 'e-1',
    source: '/q2c/meridian/engine',
    type: 'q2c.customer.updated.v1',
    subject: customer.id,
    time,
    dataschema: 'urn:q2c:schema:q2c.customer.updated.v1',
    datacontenttype: 'application/json',
    correlationid: input.correlationId,
    causationid: 'e-0',
    sequence: '0000000012',
    partitionkey: customer.id,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    recordedtime: '2026-01-31T10:00:01.000Z',
    dataclassification: 'confidential',
    data: input.data,
  });
  // CloudEvents 1.0: attribute names are lower-case letters and digits.
  for (const attribute of Object.keys(event)) expect(attribute).toMatch(/^[a-z0-9]+$/);
});

test('what is not given is absent, and every event has its own id', () => {
  const [a, b] = [
    businessEvent('q2c.customer.created.v1', input),
    businessEvent('q2c.customer.created.v1', input),
  ];
  expect(a.id).not.toBe(b.id);
  expect(a.time).toBe(a.recordedtime);
  for (const attribute of ['causationid', 'sequence', 'traceparent']) expect(a).not.toHaveProperty(attribute);
});

test('sequence orders as text', () => {
  const sequence = (version: number) =>
    businessEvent('q2c.customer.updated.v1', { ...input, version }).sequence ?? '';
  expect([sequence(10), sequence(9), sequence(100)].toSorted()).toEqual([
    sequence(9),
    sequence(10),
    sequence(100),
  ]);
});

describe.each(businessEventTypes)('%s', (type) => {
  const { entity, subject, also } = businessEvents[type];
  const aggregateId = newId(entity === 'drift' ? 'invoice' : entity);
  const aggregate: JsonObject =
    entity === 'drift'
      ? { entity: 'invoice', entityId: aggregateId, class: 'state_differs' }
      : { id: aggregateId, externalRefs: [], subjectId: deriveId('project', aggregateId, '1') };
  const extra: JsonObject = {
    candidates: [],
    mergedIds: [newId('customer')],
    cost: { amount: '1.00', currency: 'EUR' },
    period: { from: '2026-01-01', to: '2026-01-31' },
    billingSchedule: [],
  };
  const data: JsonObject = {
    [entity]: aggregate,
    changed: [],
    ...Object.fromEntries(Object.keys(also).map((key) => [key, extra[key]])),
  };

  test('takes subject and ordering key from its data', () => {
    const event = businessEvent(type, { ...input, data });
    expect(event.subject).toBe(aggregate[subject]);
    expect(event.partitionkey).toBe(type.startsWith('q2c.posting.') ? aggregate.subjectId : aggregateId);
  });

  test('refuses data without its aggregate or without the list of changes', () => {
    for (const missing of [entity, 'changed']) {
      const { [missing]: _, ...rest } = data;
      expect(() => businessEvent(type, { ...input, data: rest })).toThrow(
        expect.objectContaining({ code: 'VALUE_INVALID' }),
      );
    }
  });
});

test.each<[string, Partial<BusinessEventInput>, RegExp]>([
  [
    'a draft of another entity',
    { data: { customer: { id: newId('task'), externalRefs: [] }, changed: [] } },
    /data\.customer\.id/,
  ],
  ['a tenant with a slash', { tenant: 'a/b' }, /tenant/],
  ['an empty component', { component: '' }, /component/],
  ['no thread', { correlationId: '' }, /correlationId/],
  ['a version of zero', { version: 0 }, /version/],
  ['a broken trace context', { traceparent: '00-1-1-1' }, /traceparent/],
  ['a local time', { time: '2026-01-31T10:00:00' }, /time/],
])('refuses %s', (_, change, message) => {
  expect(() => businessEvent('q2c.customer.created.v1', { ...input, ...change })).toThrow(message);
});

test('refuses more than 64 KiB, counted in bytes', () => {
  const sized = (length: number) =>
    businessEvent('q2c.customer.created.v1', {
      ...input,
      data: { ...input.data, customer: { ...customer, displayName: 'é'.repeat(length) } },
    });
  expect(() => sized(32 * 1024)).toThrow(/bytes/);
  expect(Buffer.byteLength(JSON.stringify(sized(32_000)))).toBeLessThanOrEqual(64 * 1024);
});

test('types are spelled q2c.<entity>.<fact>.v<major>', () => {
  for (const type of businessEventTypes) expect(type).toMatch(/^q2c\.[a-z_]+\.[a-z_]+\.v1$/);
  expect(businessEventTypes).toHaveLength(68);
  expect(isBusinessEventType('q2c.opportunity.won.v1')).toBe(true);
  expect(isBusinessEventType('toString')).toBe(false);
  expect(entityNames).toHaveLength(27);
});
