import type { DispatchedRun, IntakeBatch } from '../../lib/engine';
import {
  type BusinessEvent,
  type BusinessEventType,
  businessEvents,
  dealDocumentParts,
  isBusinessEventType,
  type JsonObject,
} from '../../lib/model';
import { envelopeOf, type Q2cMessage } from '../_shared/message';

/**
 * An event as the engine takes it for one subscription. Events are known by source and id, and every subscription gets
 * its own, so the node's id stands with the source.
 */
export function intakeOf(event: BusinessEvent, nodeId: string): IntakeBatch {
  const { id, type, time, subject, data, traceparent } = event;
  return {
    sourceNode: nodeId,
    system: 'q2c',
    instance: 'events',
    source: `${event.source}#${nodeId}`,
    events: [
      {
        id,
        type,
        time,
        subject,
        thread: { correlationId: event.correlationid, orderingKey: event.partitionkey },
        title: titleOf(event),
        data,
        ...(traceparent && { traceparent }),
      },
    ],
  };
}

/** The message of a run: the deal document of the event's record, and the event itself. */
export function messageOf(run: DispatchedRun): Q2cMessage & { event: DispatchedRun['event'] } {
  const { data, ...attributes } = run.event;
  const source = attributes.source.slice(0, attributes.source.lastIndexOf('#'));
  const event = { ...attributes, source };
  return {
    topic: event.type,
    payload: isBusinessEventType(event.type) ? dealOf(event.type, data) : {},
    event: { ...event, data },
    q2c: { ...envelopeOf(run), event },
  } as Q2cMessage & { event: DispatchedRun['event'] };
}

/** The parts of a deal document that the event's type says it carries. */
function dealOf(type: BusinessEventType, data: JsonObject): Record<string, unknown> {
  const { entity, also } = businessEvents[type];
  const deal: Record<string, unknown> = {};
  for (const [part, definition] of Object.entries(dealDocumentParts)) {
    if (definition.entity === entity) deal[part] = definition.many ? [data[entity]] : data[entity];
    else if (part in also && part in data) deal[part] = data[part];
  }
  return deal;
}

function titleOf({ type, subject, data }: BusinessEvent): string {
  const record = data[businessEvents[type].entity] as JsonObject;
  const name = ['name', 'legalName', 'number', 'title'].map((field) => record[field]).find(isText);
  return name ?? subject;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
