import type { Node, NodeAPI } from 'node-red';
import type { DispatchedRun, Engine } from '../../lib/engine';
import { Relay } from '../../lib/events';
import type { BusinessEvent } from '../../lib/model';
import { registerReceiver, removeReceiver } from '../../lib/store';
import { onceFlowsStarted } from './flows-started';
import { stableId } from './stable-id';

/** Nodes that start a run per event, whatever the events come from. */

/** Where events come from, until it is stopped. */
export interface EventSource {
  start(): void;
  stop(): Promise<void>;
  /** Stops because the node was removed: nothing is to be kept for it. */
  leave(): Promise<void>;
}

export interface SourceNodeOptions {
  /** Made at once, so that nothing is announced before there is somebody to be told. */
  source: Promise<{ events: EventSource; engine: Engine }>;
  concurrency: number;
  dispatch(run: DispatchedRun): void;
  /** Why there is no source, unless the node was closed meanwhile. */
  onFailure(error: unknown): void;
  onClosed(): void;
}

/** Ties a source of events to the life of its node: it starts with the flows, and ends with the node. */
export function runSource(RED: NodeAPI, node: Node, options: SourceNodeOptions): void {
  const { source, concurrency, dispatch, onFailure, onClosed } = options;
  let closed = false;
  let release = () => {};
  source.catch((error: unknown) => {
    if (!closed) onFailure(error);
  });

  const begin = () => {
    source.then(
      ({ events, engine }) => {
        if (closed) return;
        release = engine.registerSource(stableId(node), concurrency, dispatch);
        events.start();
      },
      () => 'told above',
    );
  };
  // Runs may be dispatched at once: every node they can reach must exist.
  const forget = onceFlowsStarted(RED, begin);

  node.on('close', (removed: boolean, done: () => void) => {
    closed = true;
    forget();
    release();
    source
      .then(({ events }) => (removed ? events.leave() : events.stop()))
      // What it was to leave is gone, or did not come to be: its reason has been told.
      .catch((error: Error) => node.debug(error.message))
      .finally(() => {
        onClosed();
        done();
      });
  });
}

export interface OutboxSourceOptions {
  /** Id of the node, under which the store keeps what it has not been told yet. */
  id: string;
  /** The only type it wants, or a pattern such as `q2c.exception.%`; null = every type. */
  eventType: string | null;
  /** Resolves when the event is stored for the node. */
  send(event: BusinessEvent): Promise<void>;
  onStarted(): void;
  onFailure(error: Error): void;
}

/** Events announced in the same store: the store is the broker. */
export async function outboxSource(engine: Engine, options: OutboxSourceOptions): Promise<EventSource> {
  const { id, eventType, send, onStarted, onFailure } = options;
  const { store } = engine;
  // Before it is queued, as that of an announcement is: whatever is announced from now on is for this one too.
  const at = store.now();
  await store.write((tx) => registerReceiver(tx, { id, eventType }, at));
  const role = `relay:${id}`;
  const relay = new Relay({ store, receiver: id, acquire: () => engine.lead(role), send, onFailure });
  const forget = engine.onAnnounced(() => relay.wake());
  const stop = async () => {
    forget();
    await relay.stop();
    await engine.stopLeading(role);
  };
  return {
    start: () => {
      relay.start();
      onStarted();
    },
    stop,
    leave: async () => {
      // Asked for at once: in a deploy of everything the store closes too, and writes what it was asked for before.
      await Promise.all([store.write((tx) => removeReceiver(tx, id)), stop()]);
    },
  };
}
