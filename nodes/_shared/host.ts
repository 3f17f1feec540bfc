import type { NodeAPI } from 'node-red';
import { type ActiveRun, type Engine, isInterrupted, type NodeInfo } from '../../lib/engine';
import { isStoreRefusal } from '../../lib/store';
import { dryContext, isPassable } from './dry-run';
import { leavesAsItIs, onlyLeadsOn } from './flow-graph';
import type { Q2cMessage } from './message';
import { stableId } from './stable-id';

/**
 * What joins engines and the host: counts the messages of a run while they travel, so that the end of a run and
 * errors that no Catch node takes are noticed. One instance per process, shared by all node sets.
 */

interface CountedMessage {
  engine: Engine;
  active: ActiveRun;
  /**
   * Deliveries under way. More than one at a time is normal: a node sends on the very object it received, and only
   * then says that it is done with it.
   */
  inFlight: number;
  /** Deliveries on a wire that have not reached their node. */
  onWire: number;
}

/** A node as hooks name it; `node` is missing while it is not running. */
interface FlowNode {
  id: string;
  node?: LiveNode;
}
interface LiveNode {
  id: string;
  name?: string;
  type?: string;
  error?(reason: unknown, msg?: unknown): void;
  wires?: readonly (readonly string[])[];
}

/** Hook payloads of Node-RED, as far as they are read here. */
interface SendEvent {
  msg: Q2cMessage;
  source: FlowNode & { port: number };
  destination: FlowNode;
}
interface ReceiveEvent {
  msg: Q2cMessage & { error?: { source?: { id?: string } } };
  destination: FlowNode & { node?: { _expectedDoneCount?: number } };
}
interface CompleteEvent {
  msg: Q2cMessage;
  error?: unknown;
  node: FlowNode;
}

const LABEL = 'quote-to-cash';

class Host {
  /** By id of their store node. */
  private readonly engines = new Map<string, Engine>();
  private readonly interrupt = () => {
    for (const engine of this.engines.values()) engine.interrupt();
  };
  private readonly resume = () => {
    this.deploys++;
    for (const engine of this.engines.values()) engine.resume();
  };
  /** Messages on their way, by identity: nodes may change or drop `msg.q2c`, the count must still come out even. */
  private readonly counted = new WeakMap<object, CountedMessage>();

  /** Nodes whose calls of `error` are noticed. */
  private readonly watched = new WeakSet<object>();
  /** Messages whose error was noticed where the node said that it is done with them. */
  private readonly doneWithError = new WeakSet<object>();

  private RED: NodeAPI | null = null;
  /** Nodes at which branches come together; without any, branches are not told apart. */
  private joins = 0;
  private deploys = 0;

  /** Starts to follow the runs of an engine. Hooks and listeners are there only while some engine is. */
  attach(RED: NodeAPI, storeId: string, engine: Engine): void {
    this.RED = RED;
    if (this.engines.size === 0) this.listen(RED);
    this.engines.set(storeId, engine);
  }

  /** A deploy may have attached the store's next engine already: only this one is let go. */
  detach(RED: NodeAPI, storeId: string, engine: Engine): void {
    if (this.engines.get(storeId) !== engine) return;
    this.engines.delete(storeId);
    if (this.engines.size > 0) return;
    RED.hooks.remove(`*.${LABEL}`);
    RED.events.off('flows:stopping', this.interrupt);
    RED.events.off('flows:started', this.resume);
  }

  /** The engine of a store node; without an id, of the only or first store. */
  engine(storeId?: string): Engine | undefined {
    return storeId === undefined ? this.engines.values().next().value : this.engines.get(storeId);
  }

  /** The run of this id, if it is under way. */
  activeRun(runId: string): ActiveRun | undefined {
    return this.find(runId)?.active;
  }

  /** From now on messages carry where they have parted and by which branch they come. @returns ends it */
  tellBranchesApart(): () => void {
    this.joins++;
    return () => this.joins--;
  }

  /** A value that depends on the flows, worked out once after each deploy when it is needed. */
  perDeploy<T>(work: () => T): () => T {
    let known: { deploy: number; value: T } | null = null;
    return () => {
      if (known?.deploy !== this.deploys) known = { deploy: this.deploys, value: work() };
      return known.value;
    };
  }

  /** Counts a message that got its run inside a node: a run of its own, or one that had ended. */
  adopt(engine: Engine, msg: Q2cMessage, active: ActiveRun): void {
    const { run, dispatch, traceparent } = active;
    msg.q2c = {
      ...msg.q2c,
      run: run.id,
      dispatch,
      correlationId: run.correlationId,
      ...(traceparent && { traceparent }),
    };
    this.count(msg, engine, active);
  }

  /** A message of a passage that a deploy broke off: its run begins anew, so it must not go on. */
  isStale(msg: Q2cMessage): boolean {
    return isInterrupted(msg.q2c?.dispatch);
  }

  private listen(RED: NodeAPI): void {
    // Each handler has exactly one parameter: any other number makes Node-RED wait for a callback for ever.
    RED.hooks.add(`preDeliver.${LABEL}`, (event: SendEvent) => this.setOut(event));
    RED.hooks.add(`onReceive.${LABEL}`, (event: ReceiveEvent) => this.received(event));
    RED.hooks.add(`postReceive.${LABEL}`, (event: ReceiveEvent) => this.handedOver(event));
    RED.hooks.add(`onComplete.${LABEL}`, (event: CompleteEvent) => this.completed(event));
    // A deploy of changed nodes or flows leaves the store running, but messages in and before those nodes vanish.
    RED.events.on('flows:stopping', this.interrupt);
    RED.events.on('flows:started', this.resume);
  }

  private entered(msg: Q2cMessage, node?: NodeInfo): CountedMessage | undefined {
    const found = this.isStale(msg) ? undefined : this.find(msg.q2c?.run);
    return found && this.count(msg, found.engine, found.active, node);
  }

  private find(runId: string | undefined): { engine: Engine; active: ActiveRun } | undefined {
    if (runId === undefined) return undefined;
    for (const engine of this.engines.values()) {
      const active = engine.activeRun(runId);
      if (active !== undefined) return { engine, active };
    }
    return undefined;
  }

  private count(msg: Q2cMessage, engine: Engine, active: ActiveRun, node?: NodeInfo): CountedMessage {
    const known = this.counted.get(msg);
    const counted = known?.active === active ? known : { engine, active, inFlight: 0, onWire: 0 };
    counted.inFlight++;
    this.counted.set(msg, counted);
    engine.messageEntered(active, node);
    return counted;
  }

  /** @returns false to keep the message from being delivered */
  private setOut(event: SendEvent): false | undefined {
    const { msg, destination } = event;
    if (this.mustHalt(msg, destination)) return false;
    if (destination.node !== undefined) this.watchErrors(destination.node);
    const counted = this.entered(msg, infoOf(destination));
    if (counted === undefined) return undefined;
    counted.onWire++;
    if (this.joins === 0) return undefined;
    this.mark(event, counted.active);
    if (!leavesAsItIs(destination.node?.type ?? '')) {
      counted.active.branches.keepStates((payload) => this.RED?.util.cloneMessage({ payload }).payload);
    }
    return undefined;
  }

  /** Marks a message with the branch that it is on: where it parts from others, and where it may come to a join. */
  private mark({ msg, source, destination }: SendEvent, { branches }: ActiveRun): void {
    const { q2c } = msg;
    if (q2c === undefined) return;
    const { node, port } = source;
    if ((node?.wires?.[port]?.length ?? 0) > 1) {
      const fork = branches.parted(`${source.id} ${msg._msgid}`, msg.payload);
      // The copies for the other wires are made of the first one, which is marked by then.
      if (q2c.forks?.at(-1) !== fork) msg.q2c = { ...q2c, forks: [...(q2c.forks ?? []), fork] };
    }
    const type = destination.node?.type ?? '';
    const isNear = type === 'q2c-join' || onlyLeadsOn(type);
    if (isNear && node !== undefined && !onlyLeadsOn(node.type ?? '')) {
      msg.q2c = { ...(msg.q2c ?? q2c), via: stableId(node) };
    }
  }

  /** A dry run ends before what may write, and where its message has lost the run. */
  private mustHalt(msg: Q2cMessage, destination: FlowNode): boolean {
    const isLost = msg.q2c === undefined;
    if (!isLost && msg.q2c?.dryRun !== true) return false;
    const active = isLost ? dryContext.getStore() : this.find(msg.q2c?.run)?.active;
    if (!active?.dry) return false;
    const type = destination.node?.type ?? '';
    if (!isLost && isPassable(type)) return false;
    active.dry.halts.push({ node: infoOf(destination), type, why: isLost ? 'run_lost' : 'may_write' });
    return true;
  }

  /** Catch, Complete and Status nodes are handed messages past the wires; those are counted here. */
  private received({ msg, destination }: ReceiveEvent): void {
    let counted = this.counted.get(msg);
    if (counted !== undefined && counted.onWire > 0) counted.onWire--;
    else counted = this.entered(msg);
    if (counted?.active.dry) dryContext.enterWith(counted.active);
    const failedNode = msg.error?.source?.id;
    if (destination.node?.type === 'catch' && failedNode !== undefined) {
      const node = this.RED?.nodes.getNode(failedNode) ?? undefined;
      counted?.engine.errorCaught(counted.active, infoOf({ id: failedNode, node }).id);
    }
  }

  /**
   * A node whose handler takes no `done`, such as `switch` and `rbe`, never says that it is through with a message: it
   * is taken to be with the end of its handler. What it sends a little later sets out within the grace of the run's end,
   * and what it sends still later reopens the run.
   */
  private handedOver({ msg, destination }: ReceiveEvent): void {
    if (destination.node?._expectedDoneCount === 0) this.completed({ msg, node: destination });
  }

  /**
   * Nodes may fail by `node.error(reason, msg)` and then be done as if nothing had happened, as the HTTP request node is
   * when nobody answers, and many a function. No hook tells of that.
   */
  private watchErrors(node: LiveNode): void {
    if (this.watched.has(node) || node.error === undefined) return;
    this.watched.add(node);
    const tell = node.error;
    node.error = (reason, msg) => {
      if (isMessage(msg)) this.failed(node, reason, msg);
      tell.call(node, reason, msg);
    };
  }

  private failed(node: LiveNode, reason: unknown, msg: Q2cMessage): void {
    if (this.doneWithError.delete(msg) || this.isStale(msg)) return;
    const found = this.find(msg.q2c?.run);
    found?.engine.errorRaised(found.active, {
      node: infoOf({ id: node.id, node }),
      message: reason instanceof Error ? reason.message : String(reason),
      code: codeOf(reason),
    });
  }

  private completed({ msg, error, node }: CompleteEvent): void {
    if (error) this.doneWithError.add(msg);
    const counted = this.counted.get(msg);
    if (counted === undefined) return;
    counted.inFlight--;
    if (counted.inFlight === 0) this.counted.delete(msg);
    if (error) {
      counted.engine.errorRaised(counted.active, {
        node: infoOf(node),
        message: error instanceof Error ? error.message : String(error),
        code: codeOf(error),
      });
    }
    counted.engine.messageLeft(counted.active, infoOf(node).id, Boolean(error));
  }
}

const isMessage = (value: unknown): value is Q2cMessage => typeof value === 'object' && value !== null;

const infoOf = ({ id, node }: FlowNode): NodeInfo => ({
  id: node === undefined ? id : stableId(node),
  name: node?.name || node?.type || id,
});

/** Code of an error that needs no case: its case is open already, or the store refused and the run begins anew. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const code = String(error.code);
  return 'caseId' in error || isStoreRefusal(code) ? code : null;
}

export const host = new Host();
