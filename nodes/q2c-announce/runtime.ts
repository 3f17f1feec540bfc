import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  type BusinessEvent,
  type BusinessEventType,
  businessEvent,
  businessEvents,
  type DealDocument,
  dealDocumentParts,
  fingerprint,
  isBusinessEventType,
  type JsonObject,
  Q2cError,
} from '../../lib/model';
import { type InputContext, onInput, requireConfig, type StoreNode } from '../_shared/input';
import type { AnnounceProperties } from './types';

/** Tells a business event: into the store's outbox, once per state of the record, and to the next node. */
export default function register(RED: NodeAPI): void {
  function Announce(this: Node, config: NodeDef & AnnounceProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Announce',
      handle: async (context) => {
        if (!isBusinessEventType(config.eventType)) {
          throw new Q2cError('CONFIG_MISSING', 'Choose the business event to announce in the form.');
        }
        const { tenant } = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
        await context.engine.announce(eventOf(config.eventType, context, tenant));
        return context.msg;
      },
    });
  }

  RED.nodes.registerType('q2c-announce', Announce);
}

function eventOf(type: BusinessEventType, { deal, msg, runId }: InputContext, tenant: string): BusinessEvent {
  const { entity } = businessEvents[type];
  const aggregate = aggregateOf(deal, entity);
  if (aggregate === undefined) {
    throw new Q2cError('DEAL_DOCUMENT_INVALID', `The message carries no ${entity} for ${type} to tell of.`);
  }
  const data: JsonObject = { [entity]: aggregate, changed: [] };
  return businessEvent(type, {
    tenant,
    component: 'flow',
    // The same fact about the same state has the same id: a repeated run tells it once.
    id: fingerprint({ type, data }),
    correlationId: msg.q2c?.correlationId ?? runId,
    ...(msg.q2c?.event === undefined ? {} : { causationId: msg.q2c.event.id }),
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
