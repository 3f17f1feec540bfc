import * as z from 'zod';
import {
  type BusinessEvent,
  type BusinessEventType,
  businessEvents,
  eventDataSchema,
  eventSchemaUri,
  isBusinessEventType,
  isId,
  type JsonObject,
} from '../model';
import { type EventMessage, readMessage } from './cloudevents';

/** Larger ones are refused before they are looked into (guides §3 keeps events under 64 KiB). */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** How much of an event can be said although it is refused. */
export interface Refusal {
  reason: string;
  source: string | null;
  id: string | null;
  type: string | null;
}

export type Incoming = { event: BusinessEvent } | { refused: Refusal };

/** Control characters are not allowed in attributes (CloudEvents §3.1), and PostgreSQL does not take NUL. */
const CONTROL = /\p{Cc}/gu;
const name = z
  .string()
  .min(1)
  .max(500)
  .refine((value) => value.search(CONTROL) < 0, 'holds control characters');
const canonicalId = z.string().refine((value) => isId(value), 'is not a canonical id');
/** RFC 3339, any offset; ours is UTC with milliseconds. */
const time = z.iso.datetime({ offset: true }).transform((value) => new Date(value).toISOString());

const envelopeSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: name,
  source: name,
  type: z.string().refine(isBusinessEventType, 'is not one of the business events of this version'),
  subject: canonicalId,
  time: time.optional(),
  datacontenttype: z
    .string()
    .regex(/^application\/([\w.-]+\+)?json\b/i, 'is not JSON')
    .optional(),
  correlationid: name.optional(),
  causationid: name.optional(),
  sequence: z.string().regex(/^\d+$/, 'is not a number').optional(),
  traceparent: z.string().optional(),
  dataclassification: z.enum(['public', 'internal', 'confidential', 'restricted']).optional(),
  data: z.record(z.string(), z.unknown()),
});

/**
 * The business event in a message from outside, completed where CloudEvents leaves attributes to the sender: time
 * (now), correlation id (the subject), ordering key (from the data). Whatever the message holds, it is either an
 * event or a reason; nothing is thrown.
 */
export function readBusinessEvent(message: EventMessage, now: string): Incoming {
  if (message.payload.length > MAX_MESSAGE_BYTES) {
    return refuse({}, [`it has ${message.payload.length} bytes, at most ${MAX_MESSAGE_BYTES} are allowed`]);
  }
  const read = readMessage(message);
  if ('reason' in read) return refuse({}, [read.reason]);
  const parsed = envelopeSchema.safeParse(read.envelope);
  if (!parsed.success) return refuse(read.envelope, problemsOf(parsed.error));

  const { type: name, data: content, ...envelope } = parsed.data;
  const type = name as BusinessEventType;
  const checked = eventDataSchema(type).safeParse(content);
  if (!checked.success) return refuse(read.envelope, problemsOf(checked.error, 'data.'));
  const data = content as JsonObject;
  const definition = businessEvents[type];
  const aggregate = data[definition.entity] as JsonObject;
  if (aggregate[definition.subject] !== envelope.subject) {
    return refuse(read.envelope, [`subject is not data.${definition.entity}.${definition.subject}`]);
  }
  const partitionkey = aggregate[definition.orderingKey];
  if (!isId(partitionkey)) {
    return refuse(read.envelope, [
      `data.${definition.entity}.${definition.orderingKey}: is not a canonical id`,
    ]);
  }
  const { causationid, sequence, traceparent } = envelope;
  return {
    event: {
      specversion: '1.0',
      id: envelope.id,
      source: envelope.source,
      type,
      subject: envelope.subject,
      time: envelope.time ?? now,
      dataschema: eventSchemaUri(type),
      datacontenttype: 'application/json',
      correlationid: envelope.correlationid ?? envelope.subject,
      ...(causationid !== undefined && { causationid }),
      ...(sequence !== undefined && { sequence }),
      partitionkey,
      ...(traceparent !== undefined && { traceparent }),
      recordedtime: now,
      dataclassification: envelope.dataclassification ?? definition.classification,
      data,
    },
  };
}

/** Enough for a person to see what to change at the sender. */
const MAX_PROBLEMS = 5;

function problemsOf({ issues }: z.ZodError, prefix = ''): string[] {
  return issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => `${prefix}${path.join('.') || 'it'}: ${message}`);
}

function refuse(envelope: Record<string, unknown>, problems: string[]): Incoming {
  const text = (value: unknown) =>
    typeof value === 'string' ? value.slice(0, 500).replace(CONTROL, '\uFFFD') : null;
  return {
    refused: {
      reason: problems.join('; '),
      source: text(envelope.source),
      id: text(envelope.id),
      type: text(envelope.type),
    },
  };
}
