import type { RecordStore } from '../kit/types';

/** API calls a full sandbox may make in 24 hours. */
export const DAILY_LIMIT = 5_000_000;

/** Calls of each org since its host was started: counting in the store would make a write of every read. */
const calls = new WeakMap<RecordStore, number>();

/** Counts one API call and answers how many there were. */
export function countCall(db: RecordStore): number {
  const used = (calls.get(db) ?? 0) + 1;
  calls.set(db, used);
  return used;
}

export function limitInfo(db: RecordStore): { used: number; header: string } {
  const used = calls.get(db) ?? 0;
  return { used, header: `api-usage=${used}/${DAILY_LIMIT}` };
}
