import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Engine, NodeInfo } from '../../lib/engine';
import { type DealDocument, newId, Q2cError } from '../../lib/model';
import { host } from './host';
import { type Q2cMessage, readDeal } from './message';
import { Progress, StatusLine } from './status';

/** A `q2c-store` node as other nodes see it. */
export interface StoreNode extends Node {
  /** Name of the firm in idempotency keys and event sources. */
  tenant: string;
  /** Resolves when the store is open; rejects with the reason when it cannot be opened. */
  engine(): Promise<Engine>;
}

export interface InputContext {
  msg: Q2cMessage;
  deal: DealDocument;
  engine: Engine;
  runId: string;
  node: NodeInfo;
}

export interface InputOptions {
  RED: NodeAPI;
  /** Id of the `q2c-store` node. */
  store: string;
  /** What the canvas shows when the node has no name. */
  label: string;
  /** Reads the deal from the message; default `msg.payload`. */
  readInput?: (msg: Q2cMessage) => Promise<unknown>;
  /** Does the work and returns the message to send on. */
  handle(context: InputContext): Promise<Q2cMessage>;
}

/**
 * The one place where a working node listens to messages: finds the run (or makes a one-off run), reads the
 * deal, awaits the work, sends on, and calls `done` exactly once. A rejected handler never reaches the host.
 */
export function onInput(node: Node, options: InputOptions): void {
  const status = new StatusLine(node);
  const progress = new Progress(status);

  node.on('input', (msg: Q2cMessage, send, done) => {
    progress.started();
    process(node, msg, options).then(
      (next) => {
        progress.finished();
        send(next as NodeMessage);
        done();
      },
      (error: unknown) => {
        // The host stops: the run stays unfinished and goes on at the next start.
        if (error instanceof Q2cError && error.code === 'ENGINE_STOPPING') return;
        progress.failed(error instanceof Q2cError ? error.code : 'NODE_FAILED');
        done(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
  node.on('close', (done: () => void) => {
    status.clear();
    done();
  });
}

async function process(node: Node, msg: Q2cMessage, options: InputOptions): Promise<Q2cMessage> {
  const store = requireConfig<StoreNode>(options.RED, options.store, 'store', 'q2c-store');
  const engine = await store.engine();
  const deal = readDeal(options.readInput === undefined ? msg.payload : await options.readInput(msg));
  const runId = await runOf(engine, node, msg, deal);
  return options.handle({
    msg,
    deal,
    engine,
    runId,
    node: { id: node.id, name: node.name || options.label },
  });
}

async function runOf(engine: Engine, node: Node, msg: Q2cMessage, deal: DealDocument): Promise<string> {
  if (msg.q2c?.run !== undefined) return msg.q2c.run;
  const subject = deal.opportunity?.id ?? deal.customer?.id ?? newId('opportunity');
  const run = await engine.oneOff(node.id, subject, deal.opportunity?.name ?? 'One-off message');
  msg.q2c = { run: run.id, correlationId: run.correlationId };
  host.adopt(engine, msg);
  return run.id;
}

/**
 * A configuration node by id.
 * @throws Q2cError `CONFIG_MISSING` saying which field of the form is empty or points to nothing.
 */
export function requireConfig<T extends Node>(RED: NodeAPI, id: string, field: string, type: string): T {
  const found = id === '' ? null : RED.nodes.getNode(id);
  if (found === null || found === undefined) {
    throw new Q2cError('CONFIG_MISSING', `Choose a ${field} (${type}) in the node's form and deploy.`);
  }
  return found as T;
}
