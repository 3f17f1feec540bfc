import { isUtf8 } from 'node:buffer';
import type { BusinessEvent } from '../model';

/**
 * CloudEvents on MQTT (CloudEvents 1.0, MQTT protocol binding): published in structured mode, read in both modes.
 * MQTT 3.1.1 has neither content type nor user properties; there the binding allows structured mode only.
 */

/** A message as a broker carries it. */
export interface EventMessage {
  topic: string;
  payload: Buffer;
  contentType?: string;
  /** User properties of MQTT 5; of a name that stands there several times the last value. */
  attributes?: Readonly<Record<string, string>>;
}

export const STRUCTURED = 'application/cloudevents+json';

/** The message of an event. Its attributes stand beside the payload too, for brokers and programs that route by them. */
export function toMessage(event: BusinessEvent, topic: string): EventMessage {
  const { data: _, datacontenttype: __, ...attributes } = event;
  return {
    topic,
    payload: Buffer.from(JSON.stringify(event)),
    contentType: `${STRUCTURED}; charset=utf-8`,
    attributes,
  };
}

/** What a message says, not yet looked into: the JSON of a CloudEvent, or why there is none. */
export type ReadMessage = { envelope: Record<string, unknown> } | { reason: string };

/** Reads a message in structured mode, or in binary mode when its attributes are user properties. */
export function readMessage({ payload, contentType = '', attributes = {} }: EventMessage): ReadMessage {
  const binary = !contentType.startsWith('application/cloudevents') && 'specversion' in attributes;
  if (contentType.startsWith('application/cloudevents-batch')) {
    return { reason: 'it is a batch; events must be sent one by one' };
  }
  const json = parseJson(payload);
  if (json === undefined) return { reason: 'its payload is not JSON in UTF-8' };
  if (binary) return { envelope: { ...attributes, datacontenttype: contentType || undefined, data: json } };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { reason: 'its payload is not the JSON object of a CloudEvent' };
  }
  return { envelope: { ...json } };
}

function parseJson(payload: Buffer): unknown {
  if (!isUtf8(payload)) return undefined;
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // That it is not JSON is an answer here, not a failure.
    return undefined;
  }
}
