import { isDeepStrictEqual } from 'node:util';
import {
  type BusinessEventType,
  businessEvents,
  businessEventTypes,
  type JsonObject,
  type JsonValue,
} from '../model';
import { eventJsonSchema, type JsonSchema } from '../model/json-schema';
import { STRUCTURED } from './cloudevents';
import { MAX_MESSAGE_BYTES } from './incoming';
import { topicLevels } from './topics';

/**
 * The events on MQTT as an AsyncAPI 3.0 document, made from the model: one channel and one message per event type, and
 * for each the operation of publishing it (`send…`, what the pack does) and of publishing it to us (`receive…`).
 */
export function asyncApiDocument(version: string): JsonObject {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Quote-to-Cash for Node-RED: business events',
      version,
      description:
        'CloudEvents 1.0 in structured mode on MQTT 5 with QoS 1. The same source and id is the same event: it may arrive ' +
        'more than once. Events of one partitionkey are published in order.',
    },
    defaultContentType: STRUCTURED,
    servers: {
      broker: {
        host: '{host}',
        protocol: 'mqtt',
        protocolVersion: '5.0',
        variables: { host: { description: 'Host and port of the broker of your firm.' } },
      },
    },
    channels: perType((type) => ({
      address: `q2c/{tenant}/${topicLevels(type)}/{subject}`,
      title: type,
      messages: { [type]: { $ref: `#/components/messages/${type}` } },
      parameters: {
        tenant: { description: 'Firm key of the store.' },
        subject: { description: 'Canonical id of the record; the subject of the event.' },
      },
    })),
    operations: {
      ...operations('send', 'Published when the fact has become true in the flow.'),
      ...operations('receive', 'Starts a run in every flow with a subscription for it.'),
    },
    components: {
      messages: perType(messageOf),
      schemas: { envelope: envelopeSchema, ...dataSchemas() },
    },
  };
}

const perType = (make: (type: BusinessEventType) => JsonObject): JsonObject =>
  Object.fromEntries(businessEventTypes.map((type) => [type, make(type)]));

const operations = (action: 'send' | 'receive', description: string): JsonObject =>
  Object.fromEntries(
    businessEventTypes.map((type) => [
      `${action}.${type}`,
      {
        action,
        description,
        channel: { $ref: `#/channels/${type}` },
        messages: [{ $ref: `#/channels/${type}/messages/${type}` }],
        bindings: { mqtt: { qos: 1, retain: false, bindingVersion: '0.2.0' } },
      },
    ]),
  );

function messageOf(type: BusinessEventType): JsonObject {
  const definition = businessEvents[type];
  return {
    name: type,
    title: topicLevels(type).replaceAll('/', ' ').replaceAll('_', ' '),
    contentType: STRUCTURED,
    payload: {
      allOf: [
        { $ref: '#/components/schemas/envelope' },
        {
          type: 'object',
          properties: {
            type: { const: type },
            data: { $ref: `#/components/schemas/${schemaName(type)}` },
          },
        },
      ],
    },
    bindings: {
      mqtt: {
        payloadFormatIndicator: 1,
        contentType: `${STRUCTURED}; charset=utf-8`,
        bindingVersion: '0.2.0',
      },
    },
    'x-owner': definition.owner,
    'x-criticality-tier': definition.tier,
    'x-ordering-key': `data.${definition.entity}.${definition.orderingKey}`,
    'x-data-classification': definition.classification,
    'x-maximum-bytes': MAX_MESSAGE_BYTES,
  };
}

/** Types of one definition have the same data: it is described once, under the first of them. */
const schemaName = (type: BusinessEventType): BusinessEventType =>
  businessEventTypes.find((other) => businessEvents[other] === businessEvents[type]) ?? type;

function dataSchemas(): JsonObject {
  const schemas: JsonObject = {};
  const add = (name: string, schema: JsonValue) => {
    if (name in schemas && !isDeepStrictEqual(schemas[name], schema)) {
      throw new Error(`Two schemas have the name ${name}.`);
    }
    schemas[name] = schema;
  };
  for (const type of new Set(businessEventTypes.map(schemaName))) {
    const { $schema: _, $id: __, title: ___, $defs = {}, ...schema } = embedded(eventJsonSchema(type));
    for (const [name, part] of Object.entries($defs as Record<string, JsonValue>)) add(name, part);
    add(type, schema);
  }
  return schemas;
}

/** A schema as a part of the document: references to its own definitions would look for them at the document's root. */
const embedded = (schema: JsonSchema): JsonObject =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonObject;

const text = (description: string): JsonObject => ({ type: 'string', minLength: 1, description });

/** What a sender must give, and what we give besides (guides §3). */
const envelopeSchema: JsonObject = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: text('Unique per source; the same source and id is the same event.'),
    source: text('Who tells it: /q2c/<tenant>/<component>, or a URI reference of the sender.'),
    type: text('Event type with its major version.'),
    subject: text('Canonical id of the record.'),
    time: { type: 'string', format: 'date-time', description: 'When the fact became true.' },
    dataschema: text('Versioned URI of the schema of the data.'),
    datacontenttype: { const: 'application/json' },
    correlationid: text('Id of the thread of the deal.'),
    causationid: text('Id of the event that directly caused this one.'),
    sequence: {
      type: 'string',
      pattern: '^[0-9]+$',
      description: 'Version of the record, padded with zeros.',
    },
    partitionkey: text('Ordering key: canonical id of the aggregate.'),
    traceparent: text('W3C Trace Context.'),
    recordedtime: { type: 'string', format: 'date-time', description: 'When we recorded the event.' },
    dataclassification: { enum: ['public', 'internal', 'confidential', 'restricted'] },
    data: {
      type: 'object',
      description: 'New state of the record, the names of its changed fields, and what the type adds.',
    },
  },
};
