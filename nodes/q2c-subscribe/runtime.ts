import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Engine } from '../../lib/engine';
import { Subscriber, sharedFilter, topicFilter } from '../../lib/events';
import {
  type BusinessEvent,
  type BusinessEventType,
  codeInWords,
  isBusinessEventType,
  Q2cError,
} from '../../lib/model';
import { type BrokerNode, requireBroker } from '../_shared/broker-node';
import { ConnectionLog } from '../_shared/connection-log';
import { type EventSource, outboxSource, runSource } from '../_shared/event-source';
import { requireConfig, type StoreNode } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import { stableId } from '../_shared/stable-id';
import { StatusLine } from '../_shared/status';
import { intakeOf, messageOf } from './message';
import { defaults, type SubscribeProperties } from './types';

/** Starts one durable run per business event, of a broker or of the same store. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Subscribe(this: Node, config: NodeDef & SubscribeProperties) {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(this);
    const id = stableId(this);
    const intake = new Intake(this, id, status);
    runSource(RED, this, {
      source: makeSource(RED, this, config, intake),
      concurrency: concurrencyOf(config),
      dispatch: (run) => this.send(messageOf(run)),
      onFailure: (error) => {
        intake.show(error);
        this.error(error instanceof Error ? error.message : String(error), {});
      },
      onClosed: () => status.clear(),
    });
  }

  return { 'q2c-subscribe': Subscribe };
}

/** Gives events to the engine, and shows what comes of it. */
class Intake {
  private accepted = 0;
  private rejected = 0;

  constructor(
    private readonly node: Node,
    private readonly id: string,
    private readonly status: StatusLine,
  ) {}

  async accept(engine: Engine, event: BusinessEvent): Promise<void> {
    const { accepted } = await engine.accept(intakeOf(event, this.id));
    this.accepted += accepted;
    this.show();
  }

  reject(reason: string, topic: string): void {
    this.rejected++;
    this.node.warn(`An event on ${topic} was rejected: ${reason}.`);
    this.show();
  }

  /** @param problem why no events come at the moment */
  show(problem?: unknown): void {
    if (problem !== undefined) {
      const text = problem instanceof Q2cError ? codeInWords(problem.code) : 'stopped';
      this.status.set({ fill: 'red', shape: 'ring', text });
      return;
    }
    const text =
      this.rejected > 0
        ? `${this.accepted} accepted, ${this.rejected} rejected`
        : `${this.accepted} accepted`;
    this.status.set({ fill: this.rejected > 0 ? 'yellow' : 'green', shape: 'dot', text });
  }
}

async function makeSource(
  RED: NodeAPI,
  node: Node,
  config: SubscribeProperties,
  intake: Intake,
): Promise<{ events: EventSource; engine: Engine }> {
  const { tenant, engine: opened } = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
  const eventType = eventTypeOf(config);
  const broker = config.broker ? requireBroker(RED, config.broker) : null;
  const engine = await opened();
  const events =
    broker === null
      ? await outboxSource(engine, {
          id: stableId(node),
          eventType: eventType ?? null,
          send: (event) => intake.accept(engine, event),
          onStarted: () => intake.show(),
          onFailure: (error) => intake.show(error),
        })
      : ofBroker(
          engine,
          node,
          { broker, eventType, filter: filterOf(config, node, broker, tenant, eventType) },
          intake,
        );
  return { events, engine };
}

function ofBroker(
  engine: Engine,
  node: Node,
  {
    broker,
    eventType,
    filter,
  }: { broker: BrokerNode; eventType: BusinessEventType | undefined; filter: string },
  intake: Intake,
): EventSource {
  const id = stableId(node);
  const log = new ConnectionLog(node);
  const trouble = (error: Error) => {
    log.down(error);
    intake.show(error);
  };
  return new Subscriber({
    store: engine.store,
    settings: broker.settings,
    clientId: broker.clientId(id),
    expirySeconds: broker.expirySeconds,
    nodeId: id,
    filter,
    eventType,
    accept: (event) => intake.accept(engine, event),
    up: () => {
      log.up();
      intake.show();
    },
    down: trouble,
    onRejected: (reason, topic) => intake.reject(reason, topic),
    onFailure: trouble,
  });
}

function filterOf(
  { topic, group }: SubscribeProperties,
  node: Node,
  { settings }: BrokerNode,
  tenant: string,
  eventType: BusinessEventType | undefined,
): string {
  const filter = topic.trim() || topicFilter(tenant, eventType);
  // MQTT 3.1.1 has no groups: a host that gets what another one got finds it in their store.
  return settings.protocolVersion === 5
    ? sharedFilter(group.trim() || `q2c-${stableId(node)}`, filter)
    : filter;
}

function eventTypeOf({ eventType }: SubscribeProperties): BusinessEventType | undefined {
  if (eventType === '' || isBusinessEventType(eventType)) return eventType || undefined;
  throw new Q2cError(
    'CONFIG_MISSING',
    `"${eventType}" is not a business event of this version. Choose another one in the form.`,
  );
}

function concurrencyOf({ concurrency }: SubscribeProperties): number {
  const value = Number(concurrency);
  return Number.isInteger(value) && value > 0 ? value : Number(defaults.concurrency);
}
