import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Engine } from '../../lib/engine';
import { codeInWords, Q2cError } from '../../lib/model';
import { type EventSource, outboxSource, runSource } from '../_shared/event-source';
import { requireConfig, type StoreNode } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import { stableId } from '../_shared/stable-id';
import { StatusLine } from '../_shared/status';
import { caseIntakeOf, eventTypeOf, isWanted, messageOf } from './message';
import { type CaseEventsProperties, defaults } from './types';

/** Notifications are independent of each other: as many at a time as a source node dispatches by default. */
const CONCURRENCY = 8;

/** Tells the flow what happens to cases, once each, also what happened while Node-RED was away. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function CaseEvents(this: Node, saved: NodeDef & Partial<CaseEventsProperties>) {
    RED.nodes.createNode(this, saved);
    const config: CaseEventsProperties = { ...defaults, ...saved };
    const status = new StatusLine(this);
    const id = stableId(this);
    let told = 0;
    const show = () => status.set({ fill: 'green', shape: 'dot', text: `${told} told` });
    const showProblem = (error: unknown) => {
      const text = error instanceof Q2cError ? codeInWords(error.code) : 'stopped';
      status.set({ fill: 'red', shape: 'ring', text });
    };

    async function open(): Promise<{ events: EventSource; engine: Engine }> {
      const engine = await requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store').engine();
      const events = await outboxSource(engine, {
        id,
        eventType: eventTypeOf(config.happening),
        send: async (event) => {
          if (!isWanted(event, config, id)) return;
          told += (await engine.accept(caseIntakeOf(event, id))).accepted;
          show();
        },
        onStarted: show,
        onFailure: showProblem,
      });
      return { events, engine };
    }

    runSource(RED, this, {
      source: open(),
      concurrency: CONCURRENCY,
      dispatch: (run) => this.send(messageOf(run)),
      onFailure: (error) => {
        showProblem(error);
        this.error(error instanceof Error ? error.message : String(error), {});
      },
      onClosed: () => status.clear(),
    });
  }

  return { 'q2c-case-events': CaseEvents };
}
