import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type BusinessEventType, isBusinessEventType, Q2cError } from '../../lib/model';
import { requireBroker } from '../_shared/broker-node';
import { eventAboutDeal } from '../_shared/business-event';
import { onInput, requireConfig, type StoreNode } from '../_shared/input';
import type { Q2cMessage } from '../_shared/message';
import type { NodeTypes } from '../_shared/node-types';
import type { PublishProperties } from './types';

/** Tells a business event to one broker: into the outbox, from where it is published as soon as the broker can be reached. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Publish(this: Node, config: NodeDef & PublishProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Publish',
      handle: async (context) => {
        const type = eventTypeOf(config, context.msg);
        const broker = requireBroker(RED, config.broker);
        if (broker.storeId !== config.store) {
          throw new Q2cError(
            'CONFIG_MISSING',
            'The broker publishes the events of another store. Choose the same store in both forms and deploy.',
          );
        }
        const { tenant } = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
        const { receiver } = broker;
        const { runId } = context;
        await context.engine.announce(eventAboutDeal(type, context, tenant), { receiver, runId });
        return context.msg;
      },
    });
  }

  return { 'q2c-publish': Publish };
}

function eventTypeOf({ eventType }: PublishProperties, { q2c }: Q2cMessage): BusinessEventType {
  const type = eventType === '' ? q2c?.event?.type : eventType;
  if (isBusinessEventType(type)) return type;
  throw new Q2cError(
    'CONFIG_MISSING',
    eventType === ''
      ? 'No event started this run, so its type is not known. Choose the business event in the form.'
      : `"${eventType}" is not a business event of this version. Choose another one in the form.`,
  );
}
