import type { Tx } from './store';

/** Work that a transaction does once, after its jobs and right before it commits. */
const ends = new WeakMap<Tx, (() => Promise<void>)[]>();

export function beforeCommit(tx: Tx, work: () => Promise<void>): void {
  const known = ends.get(tx);
  if (known === undefined) ends.set(tx, [work]);
  else known.push(work);
}

/** To be called by whoever commits. */
export async function finish(tx: Tx): Promise<void> {
  for (const work of ends.get(tx) ?? []) await work();
}
