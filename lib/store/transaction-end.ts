import { sideBySide } from './side-by-side';
import type { Tx } from './store';

/** Work that a transaction does once, after its jobs and right before it commits. */
const ends = new WeakMap<Tx, (() => Promise<void>)[]>();

/** @param work sends its statements at once: the commit leaves with them */
export function beforeCommit(tx: Tx, work: () => Promise<void>): void {
  const known = ends.get(tx);
  if (known === undefined) ends.set(tx, [work]);
  else known.push(work);
}

/** To be called by whoever commits. */
export async function finish(tx: Tx): Promise<void> {
  await sideBySide((ends.get(tx) ?? []).map((work) => work()));
}
