import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Resumption, WaitOutcome } from '../../lib/engine';
import { businessEvents, type Instant, isBusinessEventType, type JsonObject } from '../../lib/model';
import { type InputContext, onInput, type StoreNode } from '../_shared/input';
import { dealOrNone, type Q2cMessage, type RunEnvelope } from '../_shared/message';
import type { NodeTypes } from '../_shared/node-types';
import { stableId } from '../_shared/stable-id';
import type { StatusLine } from '../_shared/status';
import { evaluateText, evaluateTypedInput } from '../_shared/typed-input';
import { deadlineOf } from './deadline';
import { keptMessage } from './kept-message';
import type { WaitProperties } from './types';
import { WaitingCount } from './waiting-count';

/** Keeps messages until an event comes or a time is over, or tells that an event has come. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Wait(this: Node, config: NodeDef & WaitProperties) {
    RED.nodes.createNode(this, config);
    const isWaiting = config.mode !== 'notify';
    const counter = new WaitingCount(RED, this, config.store);

    /** Puts the event into the message, and the message at the output that says why it goes on. */
    const goOn = (msg: Q2cMessage, outcome: WaitOutcome, suspension: number) => {
      const event = outcome.by === 'event' ? outcome.event : { type: 'timeout', time: outcome.deadline };
      RED.util.setMessageProperty(msg, config.field || 'event', event, true);
      msg.q2c = { ...(msg.q2c as RunEnvelope), waited: suspension };
      return outcome.by === 'event' ? [msg, null] : [null, msg];
    };

    const wait = async (
      { msg, engine, runId, node }: InputContext,
      event: string,
      key: string,
      deadline: Instant | null,
    ) => {
      const passed = await engine.wait(runId, {
        node,
        event,
        key,
        parent: msg.q2c?.waited ?? 0,
        deadline,
        onTimeout: config.onTimeout,
        earlier: config.earlier,
        holdsOrder: config.order !== 'release',
        message: keptMessage(msg),
        about: { params: {}, ownerRole: ownerOf(event) },
      });
      return passed === null ? null : goOn(msg, passed.outcome, passed.suspension);
    };

    onInput(this, {
      RED,
      store: config.store,
      label: isWaiting ? 'Wait' : 'Notify',
      readInput: async ({ payload }) => dealOrNone(payload),
      ...(isWaiting && { progress: (line: StatusLine) => counter.on(line) }),
      handle: async (context) => {
        const { msg } = context;
        const event =
          config.event ||
          (await evaluateText(RED, this, config.topic, config.topicType, msg, 'name of the event'));
        const key = await evaluateText(RED, this, config.key, config.keyType, msg, 'key of the event');
        if (!isWaiting) return notify(context, event, key);
        const timeout = await evaluateTypedInput(RED, this, config.timeout, config.timeoutType, msg);
        return wait(context, event, key, deadlineOf(timeout, context.engine.store.now()));
      },
    });
    if (isWaiting) resumeMessages(this);

    function resumeMessages(node: Node): void {
      const store = RED.nodes.getNode(config.store) as StoreNode | null;
      let release: (() => void) | null = null;
      let isClosed = false;
      const resume = ({ run, dispatch, traceparent, suspension, message, outcome }: Resumption) => {
        const msg = message as JsonObject & Q2cMessage;
        const passage = { run: run.id, dispatch, correlationId: run.correlationId, traceparent };
        // Its forks are those of a passage that has ended.
        const { forks: _, ...known } = msg.q2c ?? {};
        const envelope = { ...known, ...passage };
        node.send(goOn({ ...msg, q2c: envelope }, outcome, suspension) as NodeMessage[]);
        counter.refresh();
      };
      store?.engine().then(
        (engine) => {
          if (isClosed) return;
          release = engine.waits.register(stableId(node), resume);
          counter.refresh();
        },
        // The store has said itself why it cannot be opened.
        () => undefined,
      );
      node.on('close', (done: () => void) => {
        isClosed = true;
        release?.();
        done();
      });
    }
  }

  return { 'q2c-wait': Wait };
}

/** Tells that an event has come: once per run and key, however often the run is repeated. */
async function notify({ msg, engine, runId, node }: InputContext, event: string, key: string) {
  const { payload } = keptMessage({ payload: msg.payload });
  await engine.signal(
    { event, key, actor: node.name, data: { payload }, id: `${runId}:${node.id}` },
    { runId },
  );
  return msg;
}

/** Who looks after an event that does not come. */
const ownerOf = (event: string): string =>
  isBusinessEventType(event) ? businessEvents[event].owner : 'integration_ops';
