import type { Node, NodeAPI, NodeDef } from 'node-red';
import { isBusinessEventType, Q2cError } from '../../lib/model';
import { eventAboutDeal } from '../_shared/business-event';
import { onInput, requireConfig, type StoreNode } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import type { AnnounceProperties } from './types';

/** Tells a business event to everyone who wants it: into the store's outbox, once per state of the record. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
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
        const { runId } = context;
        await context.engine.announce(eventAboutDeal(config.eventType, context, tenant), { runId });
        return context.msg;
      },
    });
  }

  return { 'q2c-announce': Announce };
}
