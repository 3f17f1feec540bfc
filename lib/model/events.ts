import * as z from 'zod';
import { draftSchema } from './draft';
import { Q2cError } from './errors';
import type { Role } from './exceptions';
import { type CanonicalId, type EntityName, entityNames, isId, newUlid } from './ids';
import type { JsonObject, JsonValue } from './json';
import {
  canonicalIdSchema,
  type Instant,
  idSchema,
  instantSchema,
  jsonValueSchema,
  moneySchema,
  periodSchema,
  text,
} from './primitives';

/** Criticality tier (guides §13): T1 propagates within a minute and loses nothing. */
export type Tier = 'T1' | 'T2' | 'T3';
export type DataClassification = 'public' | 'internal' | 'confidential' | 'restricted';

export interface EventDefinition {
  /** Under this name the aggregate's draft stands in the data; drift is about a record of any entity. */
  readonly entity: EntityName | 'drift';
  readonly owner: Role;
  readonly tier: Tier;
  /** Fields of the aggregate that hold the subject and the ordering key. */
  readonly subject: string;
  readonly orderingKey: string;
  readonly classification: DataClassification;
  /** Fields of the data besides the aggregate and `changed`. */
  readonly also: Readonly<Record<string, z.ZodType>>;
}

const define = <F extends string>(
  entity: EventDefinition['entity'],
  owner: Role,
  tier: Tier,
  facts: readonly F[],
  special: Partial<Pick<EventDefinition, 'subject' | 'orderingKey' | 'classification' | 'also'>> = {},
) => {
  const definition: EventDefinition = {
    ...{ entity, owner, tier, subject: 'id', orderingKey: 'id', classification: 'confidential', also: {} },
    ...special,
  };
  return Object.fromEntries(facts.map((fact) => [`q2c.${fact}.v1`, definition])) as Record<
    `q2c.${F}.v1`,
    EventDefinition
  >;
};

const many = (entity: EntityName) => z.array(draftSchema(entity));

/** Where two systems disagree about a record (guides §13, reconciliation). */
export const driftSchema = z.looseObject({
  entity: z.enum(entityNames),
  entityId: canonicalIdSchema,
  class: z.enum([
    'missing_in_copy',
    'missing_in_master',
    'value_differs',
    'state_differs',
    'duplicate',
    'orphan_ref',
  ]),
  field: text.optional(),
  /** What each system says, by system. */
  values: z.record(z.string(), jsonValueSchema).optional(),
});

/** Every business event (guides §8): a fact, in the past tense, sent once per accepted change. */
export const businessEvents = {
  ...define('opportunity', 'sales_ops', 'T2', ['deal.accepted'], {
    also: { contract: draftSchema('contract').optional() },
  }),
  ...define('opportunity', 'sales_ops', 'T2', ['opportunity.won', 'opportunity.lost']),
  ...define('quote', 'sales_ops', 'T2', ['quote.approved', 'quote.accepted', 'quote.expired']),

  ...define('customer', 'finance_ops', 'T1', [
    'customer.validated',
    'customer.created',
    'customer.updated',
    'customer.status_changed',
  ]),
  ...define('customer', 'data_steward', 'T1', ['customer.duplicate_suspected'], {
    also: { candidates: many('customer') },
  }),
  ...define('customer', 'data_steward', 'T1', ['customer.merged'], {
    also: { mergedIds: z.array(idSchema('customer')).min(1) },
  }),

  ...define('contract', 'sales_ops', 'T2', [
    'contract.approved',
    'contract.activated',
    'contract.amended',
    'contract.suspended',
    'contract.terminated',
  ]),
  ...define('changeOrder', 'project_ops', 'T2', [
    'change_order.submitted',
    'change_order.approved',
    'change_order.applied',
    'change_order.blocked',
  ]),

  ...define('project', 'project_ops', 'T2', [
    'project.provisioning_started',
    'project.provisioned',
    'project.activated',
    'project.on_hold',
    'project.completed',
    'project.cancelled',
    'project.initiated',
  ]),
  ...define('assignment', 'project_ops', 'T2', ['assignment.confirmed']),
  ...define('timeEntry', 'project_ops', 'T2', ['time.approved', 'time.reversed']),
  ...define('expenseItem', 'project_ops', 'T2', ['expense.approved']),
  ...define('milestone', 'project_ops', 'T2', ['milestone.completed', 'milestone.accepted']),
  ...define('usageRecord', 'project_ops', 'T2', ['usage.approved']),
  ...define('project', 'project_ops', 'T2', ['progress.updated']),
  ...define('project', 'finance_ops', 'T2', ['delivery_cost.approved'], {
    classification: 'restricted',
    also: { cost: moneySchema, period: periodSchema },
  }),

  ...define('contract', 'finance_ops', 'T1', ['billing_schedule.created', 'billing_schedule.replanned'], {
    also: { billingSchedule: many('billingScheduleLine') },
  }),
  ...define('billingEvent', 'finance_ops', 'T1', [
    'billing_event.ready',
    'billing_event.transferred',
    'billing_event.accepted',
    'billing_event.rejected',
    'billing_event.voided',
  ]),
  ...define('invoice', 'finance_ops', 'T1', [
    'invoice.released',
    'invoice.posted',
    'invoice.status_changed',
    'invoice.held',
    'invoice.disputed',
    'invoice.credited',
    'invoice.overdue',
  ]),
  ...define('payment', 'finance_ops', 'T1', ['payment.received', 'payment.applied', 'payment.reversed']),
  ...define('revenueEvent', 'finance_ops', 'T1', [
    'revenue.calculated',
    'revenue.posted',
    'revenue.reversed',
  ]),

  ...define(
    'postingAck',
    'integration_ops',
    'T1',
    ['posting.confirmed', 'posting.rejected', 'posting.unknown'],
    {
      orderingKey: 'subjectId',
    },
  ),
  ...define('exceptionCase', 'integration_ops', 'T2', [
    'exception.opened',
    'exception.assigned',
    'exception.resolved',
    'exception.sla_breached',
    'replay.requested',
    'replay.completed',
  ]),
  ...define('drift', 'integration_ops', 'T2', ['drift.detected', 'drift.cleared'], {
    subject: 'entityId',
    orderingKey: 'entityId',
  }),
};

export type BusinessEventType = keyof typeof businessEvents;

export const businessEventTypes = Object.keys(businessEvents) as BusinessEventType[];

export const isBusinessEventType = (value: unknown): value is BusinessEventType =>
  typeof value === 'string' && Object.hasOwn(businessEvents, value);

/** Versioned schema URI of an event's data; also the `$id` of its JSON Schema. */
export const eventSchemaUri = (type: BusinessEventType): string => `urn:q2c:schema:${type}`;

/** CloudEvents 1.0 in JSON, with the extensions of guides §3. */
export interface BusinessEvent<D extends JsonObject = JsonObject> {
  specversion: '1.0';
  id: string;
  source: string;
  type: BusinessEventType;
  subject: CanonicalId;
  time: Instant;
  dataschema: string;
  datacontenttype: 'application/json';
  correlationid: string;
  causationid?: string;
  /** Zero-padded version of the aggregate: string order is version order. */
  sequence?: string;
  partitionkey: string;
  traceparent?: string;
  recordedtime: Instant;
  dataclassification: DataClassification;
  data: D;
}

export interface BusinessEventInput<D extends JsonObject = JsonObject> {
  tenant: string;
  /** Part of the pack that tells of the fact; with the tenant it makes the event's `source`. */
  component: string;
  /** Id of the deal thread. */
  correlationId: string;
  /** Id of the event that directly caused this one. */
  causationId?: string;
  /** `{ <entity>: draft, changed: string[], … }`, as `eventDataSchema` of the type. */
  data: D;
  /** Unique per source; a new ULID if absent. */
  id?: string;
  /** When the fact became true; now if absent. */
  time?: Instant;
  recordedTime?: Instant;
  /** Version of the aggregate. */
  version?: number;
  traceparent?: string;
  dataClassification?: DataClassification;
}

const dataSchemas = new Map<BusinessEventType, z.ZodType>();

/** Schema of the data of an event: the aggregate's draft, `changed`, and what the type adds; more is allowed. */
export function eventDataSchema(type: BusinessEventType): z.ZodType {
  const known = dataSchemas.get(type) ?? makeDataSchema(businessEvents[type]);
  dataSchemas.set(type, known);
  return known;
}

function makeDataSchema({ entity, also }: EventDefinition): z.ZodType {
  const aggregate = entity === 'drift' ? driftSchema : draftSchema(entity);
  return z
    .object({ [entity]: aggregate, changed: z.array(z.string()), ...also })
    .catchall(jsonValueSchema.optional());
}

const MAX_EVENT_BYTES = 64 * 1024;
const SEQUENCE_DIGITS = 10;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const SOURCE_PART = /^[A-Za-z0-9._~-]+$/;

/**
 * Builds and checks a business event. Subject and ordering key are taken from the aggregate in the data.
 *
 * @throws Q2cError `VALUE_INVALID` when the data does not fit the type, an attribute is malformed, or the event
 * is larger than 64 KiB: then the data must be stored elsewhere and referred to.
 */
export function businessEvent<D extends JsonObject>(
  type: BusinessEventType,
  input: BusinessEventInput<D>,
): BusinessEvent<D> {
  checkInput(type, input);
  const definition = businessEvents[type];
  const aggregate = input.data[definition.entity] as JsonObject;
  const recordedtime = input.recordedTime ?? new Date().toISOString();
  const event: BusinessEvent<D> = {
    specversion: '1.0',
    id: input.id ?? newUlid(),
    source: `/q2c/${input.tenant}/${input.component}`,
    type,
    subject: String(aggregate[definition.subject]),
    time: input.time ?? recordedtime,
    dataschema: eventSchemaUri(type),
    datacontenttype: 'application/json',
    correlationid: input.correlationId,
    ...(input.causationId !== undefined && { causationid: input.causationId }),
    ...(input.version !== undefined && { sequence: String(input.version).padStart(SEQUENCE_DIGITS, '0') }),
    partitionkey: String(aggregate[definition.orderingKey]),
    ...(input.traceparent !== undefined && { traceparent: input.traceparent }),
    recordedtime,
    dataclassification: input.dataClassification ?? definition.classification,
    data: input.data,
  };
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes > MAX_EVENT_BYTES)
    throw invalid(type, `it has ${bytes} bytes, at most ${MAX_EVENT_BYTES} are allowed`);
  return event;
}

function checkInput(type: BusinessEventType, input: BusinessEventInput): void {
  const problems = [
    !SOURCE_PART.test(input.tenant) && 'tenant may hold letters, digits and . _ ~ - only',
    !SOURCE_PART.test(input.component) && 'component may hold letters, digits and . _ ~ - only',
    input.correlationId === '' && 'correlationId is empty',
    input.id === '' && 'id is empty',
    input.version !== undefined &&
      !(Number.isSafeInteger(input.version) && input.version >= 1) &&
      'version must be 1 or more',
    input.traceparent !== undefined &&
      !TRACEPARENT.test(input.traceparent) &&
      'traceparent is not of W3C Trace Context',
    [input.time, input.recordedTime].some((at) => at !== undefined && !instantSchema.safeParse(at).success) &&
      'time must be an instant in UTC with milliseconds',
    ...(eventDataSchema(type).safeParse(input.data).error?.issues ?? []).map(
      ({ path, message }) => `data.${path.join('.')}: ${message}`,
    ),
    !isId(orderingKeyOf(type, input.data)) && 'the ordering key is not a canonical id',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw invalid(type, problems.join('; '));
}

function orderingKeyOf(type: BusinessEventType, data: JsonObject): JsonValue | undefined {
  const { entity, orderingKey } = businessEvents[type];
  return (data[entity] as JsonObject | undefined)?.[orderingKey];
}

const invalid = (type: BusinessEventType, reason: string) =>
  new Q2cError('VALUE_INVALID', `Event ${type} is not valid: ${reason}.`);
