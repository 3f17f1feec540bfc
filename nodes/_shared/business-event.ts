import {
  type BusinessEvent,
  type BusinessEventType,
  businessEvent,
  businessEvents,
  type DealDocument,
  dealDocumentParts,
  fingerprint,
  type JsonObject,
  Q2cError,
} from '../../lib/model';
import type { InputContext } from './input';

/**
 * The business event of a type about the deal of a message. The same fact about the same state has the same id, so
 * that a repeated run tells it once.
 * @throws Q2cError `DEAL_DOCUMENT_INVALID` when the deal lacks the entity that the type is about.
 */
export function eventAboutDeal(
  type: BusinessEventType,
  { deal, msg, runId }: InputContext,
  tenant: string,
): BusinessEvent {
  const { entity } = businessEvents[type];
  const aggregate = aggregateOf(deal, entity);
  if (aggregate === undefined) {
    throw new Q2cError('DEAL_DOCUMENT_INVALID', `The message carries no ${entity} for ${type} to tell of.`);
  }
  const data: JsonObject = { [entity]: aggregate, changed: [] };
  return businessEvent(type, {
    tenant,
    component: 'flow',
    id: fingerprint({ type, data }),
    correlationId: msg.q2c?.correlationId ?? runId,
    ...(msg.q2c?.event === undefined ? {} : { causationId: msg.q2c.event.id }),
    ...(msg.q2c?.traceparent && { traceparent: msg.q2c.traceparent }),
    ...(typeof aggregate.version === 'number' ? { version: aggregate.version } : {}),
    data,
  });
}

function aggregateOf(deal: DealDocument, entity: string): JsonObject | undefined {
  for (const [part, definition] of Object.entries(dealDocumentParts)) {
    if (definition.entity !== entity) continue;
    const value = (deal as Record<string, unknown>)[part];
    return (definition.many ? (value as unknown[] | undefined)?.[0] : value) as JsonObject | undefined;
  }
  return undefined;
}
