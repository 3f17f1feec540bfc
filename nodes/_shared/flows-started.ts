import type { NodeAPI } from 'node-red';

type Events = NodeAPI['events'];

const waiting = new WeakMap<Events, Set<() => void>>();

/**
 * Runs a task once all nodes of the flows are there. One listener serves all nodes: Node-RED warns of a leak when each
 * of many has its own.
 * @returns takes the task back
 */
export function onceFlowsStarted({ events }: NodeAPI, task: () => void): () => void {
  let tasks = waiting.get(events);
  if (tasks === undefined) {
    tasks = new Set();
    waiting.set(events, tasks);
    const started = () => {
      waiting.delete(events);
      for (const each of tasks ?? []) each();
    };
    events.once('flows:started', started);
  }
  tasks.add(task);
  return () => tasks.delete(task);
}
