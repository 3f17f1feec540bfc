import type { Engine } from '../../lib/engine';

/** Engines whose stores say that other programs may look things up, by store node. */
const open = new Map<string, Engine>();

export function openLookups(storeId: string, engine: Engine): void {
  open.set(storeId, engine);
}

/** A deploy may have opened those of the store's next engine already: only these are closed. */
export function closeLookups(storeId: string, engine: Engine): void {
  if (open.get(storeId) === engine) open.delete(storeId);
}

/** @param storeId without it, the only or first one */
export function lookupsOf(storeId: string | undefined): Engine | undefined {
  return storeId === undefined ? open.values().next().value : open.get(storeId);
}
