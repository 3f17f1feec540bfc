import type { NodeAPI } from 'node-red';
import type { Engine } from '../../lib/engine';
import type { Q2cMessage } from './message';

/**
 * What joins engines and the host: counts the messages of a run while they travel, so that the end of a run and
 * errors that no Catch node takes are noticed. One instance per process, shared by all node sets.
 */

interface CountedMessage {
  engine: Engine;
  runId: string;
  /**
   * Deliveries under way. More than one at a time is normal: a node sends on the very object it received, and only
   * then says that it is done with it.
   */
  inFlight: number;
  /** Deliveries on a wire that have not reached their node. */
  onWire: number;
}

/** Hook payloads of Node-RED, as far as they are read here. */
interface SendEvent {
  msg: Q2cMessage;
}
interface ReceiveEvent {
  msg: Q2cMessage & { error?: { source?: { id?: string } } };
  destination: { node?: { type?: string } };
}
interface CompleteEvent {
  msg: Q2cMessage;
  error?: unknown;
  node: { id: string; node?: { name?: string; type?: string } };
}

const LABEL = 'quote-to-cash';

class Host {
  /** By id of their store node. */
  private readonly engines = new Map<string, Engine>();
  /** Messages on their way, by identity: nodes may change or drop `msg.q2c`, the count must still come out even. */
  private readonly counted = new WeakMap<object, CountedMessage>();

  /** Starts to follow the runs of an engine. The hooks are there only while some engine is. */
  attach(RED: NodeAPI, storeId: string, engine: Engine): void {
    if (this.engines.size === 0) this.addHooks(RED);
    this.engines.set(storeId, engine);
  }

  /** A deploy may have attached the store's next engine already: only this one is let go. */
  detach(RED: NodeAPI, storeId: string, engine: Engine): void {
    if (this.engines.get(storeId) !== engine) return;
    this.engines.delete(storeId);
    if (this.engines.size === 0) RED.hooks.remove(`*.${LABEL}`);
  }

  /** The engine of a store node; without an id, of the only or first store. */
  engine(storeId?: string): Engine | undefined {
    return storeId === undefined ? this.engines.values().next().value : this.engines.get(storeId);
  }

  /** Counts a message that got its run inside a node (a one-off run). */
  adopt(engine: Engine, msg: Q2cMessage): void {
    const runId = msg.q2c?.run;
    if (runId !== undefined) this.count(msg, engine, runId);
  }

  private addHooks(RED: NodeAPI): void {
    // Each handler has exactly one parameter: any other number makes Node-RED wait for a callback for ever.
    RED.hooks.add(`preDeliver.${LABEL}`, (event: SendEvent) => this.setOut(event.msg));
    RED.hooks.add(`onReceive.${LABEL}`, (event: ReceiveEvent) => this.received(event));
    RED.hooks.add(`onComplete.${LABEL}`, (event: CompleteEvent) => this.completed(event));
  }

  private entered(msg: Q2cMessage): CountedMessage | undefined {
    const runId = msg.q2c?.run;
    if (runId === undefined) return undefined;
    for (const engine of this.engines.values()) {
      if (engine.activeRun(runId) !== undefined) return this.count(msg, engine, runId);
    }
    return undefined;
  }

  private count(msg: Q2cMessage, engine: Engine, runId: string): CountedMessage {
    const counted = this.counted.get(msg) ?? { engine, runId, inFlight: 0, onWire: 0 };
    counted.inFlight++;
    this.counted.set(msg, counted);
    engine.messageEntered(runId);
    return counted;
  }

  private setOut(msg: Q2cMessage): void {
    const counted = this.entered(msg);
    if (counted !== undefined) counted.onWire++;
  }

  /** Catch, Complete and Status nodes are handed messages past the wires; those are counted here. */
  private received({ msg, destination }: ReceiveEvent): void {
    let counted = this.counted.get(msg);
    if (counted !== undefined && counted.onWire > 0) counted.onWire--;
    else counted = this.entered(msg);
    const failedNode = msg.error?.source?.id;
    if (destination.node?.type === 'catch' && failedNode !== undefined) {
      counted?.engine.errorCaught(counted.runId, failedNode);
    }
  }

  private completed({ msg, error, node }: CompleteEvent): void {
    const counted = this.counted.get(msg);
    if (counted === undefined) return;
    counted.inFlight--;
    if (counted.inFlight === 0) this.counted.delete(msg);
    if (error) {
      counted.engine.errorRaised(counted.runId, {
        node: { id: node.id, name: node.node?.name || node.node?.type || node.id },
        message: error instanceof Error ? error.message : String(error),
        code: isCaseOpened(error) ? error.code : null,
      });
    }
    counted.engine.messageLeft(counted.runId);
  }
}

/** An error of ours whose case is open already. */
function isCaseOpened(error: unknown): error is { code: string; caseId: string } {
  return typeof error === 'object' && error !== null && 'caseId' in error && 'code' in error;
}

export const host = new Host();
