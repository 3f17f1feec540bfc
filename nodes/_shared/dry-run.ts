import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActiveRun } from '../../lib/engine';
import { manifests } from '../../lib/systems';

/**
 * Where a dry run may go. It passes our own nodes, which write nothing on it, and nodes of Node-RED that keep to the
 * message; it ends before everything else, because nobody knows what that changes (docs/decisions/0011).
 */

/** Working nodes of this pack that ask the engine before they change anything. */
const OURS = [
  'check',
  'plan',
  'map',
  'case',
  'announce',
  'publish',
  'wait',
  'once',
  'join',
  ...Object.keys(manifests),
].map((name) => `q2c-${name}`);

/**
 * Nodes that neither reach outside nor keep messages of several runs together, as `join`, `batch`, `delay` and
 * `trigger` do: a look must not get mixed up with a real deal.
 */
const HARMLESS = [
  'catch',
  'change',
  'comment',
  'complete',
  'csv',
  'debug',
  'function',
  'html',
  'json',
  'junction',
  'link call',
  'link in',
  'link out',
  'range',
  'split',
  'status',
  'switch',
  'template',
  'xml',
  'yaml',
];

const passable = new Set([...OURS, ...HARMLESS]);

/** A subflow is a wire to the nodes in it, which are judged one by one. */
export const isPassable = (type: string): boolean => passable.has(type) || type.startsWith('subflow:');

/**
 * Follows what a dry run sets going, also where a node forgets `msg.q2c`: such a message would begin a run of its own,
 * and write.
 */
export const dryContext = new AsyncLocalStorage<ActiveRun>();
