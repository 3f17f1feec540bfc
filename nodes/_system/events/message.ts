import type { DispatchedRun, Engine, IntakeEvent } from '../../../lib/engine';
import {
  type CanonicalId,
  dealDocumentParts,
  type EntityName,
  type ExternalRef,
  entityOfId,
  type JsonObject,
  Q2cError,
} from '../../../lib/model';
import type { EventSource, Reference, SourceEvent, SystemClient } from '../../../lib/systems/kit/types';
import { envelopeOf, type Q2cMessage } from '../../_shared/message';

/** A record by canonical id, with the cross-reference by which the flow can read it. */
type Known = { id: CanonicalId; externalRefs: ExternalRef[] };

/** The data of an event as it is stored: the record it is about, and beside it the others that it names. */
type StoredData = JsonObject & { related?: Known[] };

/** An event about a record that its vendor names. */
export type RecordEvent = IntakeEvent & { subject: Reference };

/** Events as the engine takes them: canonical ids in place of the vendor's. */
export async function intakeEvents(
  engine: Pick<Engine, 'identify'>,
  client: Pick<SystemClient, 'system' | 'instance'>,
  { link }: Pick<EventSource, 'link'>,
  events: readonly SourceEvent[],
): Promise<RecordEvent[]> {
  const named = new Map(
    events.flatMap(({ references = [] }) => references).map((each) => [keyOf(each), each]),
  );
  const references = [...named.values()];
  const ids =
    references.length === 0 ? [] : await engine.identify(client.system, client.instance, references);
  const idByKey = new Map(references.map((reference, index) => [keyOf(reference), ids[index]]));
  const idOf = (entity: EntityName, type: string, id: string): CanonicalId => {
    const found = idByKey.get(keyOf({ type, id }));
    if (found !== undefined) return found;
    const record = `${client.system} ${type} ${id} (${entity})`;
    throw new Q2cError('SCHEMA_CHANGED', `${record} was not named as a reference.`);
  };
  return events.map((event) => intakeEvent(event, client, idOf, link?.(event.record, idOf)));
}

function intakeEvent(
  { references = [], record: _, ...event }: SourceEvent,
  client: Pick<SystemClient, 'system' | 'instance'>,
  idOf: (entity: EntityName, type: string, id: string) => CanonicalId,
  links: JsonObject | undefined,
): RecordEvent {
  const related = references.map(({ entity, type, id }) => ({
    id: idOf(entity, type, id),
    externalRefs: [refTo({ type, id }, client, 'copy')],
  }));
  return {
    ...event,
    title: titleOf(event.data) ?? event.subject.id,
    data: {
      ...event.data,
      ...links,
      externalRefs: [refTo(event.subject, client, 'master')],
      ...(related.length > 0 && { related }),
    },
  };
}

/** The deal document of an event: each record in the part that holds its entity. */
export function messageOf(run: DispatchedRun): Q2cMessage {
  const { data, ...event } = run.event;
  const { related = [], ...subject } = data as StoredData;
  const payload: Record<string, unknown> = {};
  for (const record of [{ ...subject, id: event.subject }, ...related]) put(payload, record);
  return {
    topic: event.type,
    payload,
    q2c: envelopeOf(run),
  } as Q2cMessage;
}

/** What has no part of its own, such as a person, is only named by its id. */
function put(payload: Record<string, unknown>, record: { id: CanonicalId }): void {
  const entity = entityOfId(record.id);
  for (const [part, definition] of Object.entries(dealDocumentParts)) {
    if (definition.entity !== entity) continue;
    if (!definition.many) payload[part] = record;
    else payload[part] = [...((payload[part] as unknown[] | undefined) ?? []), record];
  }
}

function refTo(
  { type, id }: Pick<Reference, 'type' | 'id'>,
  { system, instance }: Pick<SystemClient, 'system' | 'instance'>,
  role: ExternalRef['role'],
): ExternalRef {
  return { system, instance, type, id, role };
}

function titleOf({ name, number }: JsonObject): string | undefined {
  return [name, number].find((text): text is string => typeof text === 'string' && text !== '');
}

const keyOf = ({ type, id }: Pick<Reference, 'type' | 'id'>): string => `${type}|${id}`;
