import { sql } from 'kysely';
import type { Store } from './store';

/**
 * Reserves the next call of a connection that all hosts on the store share (generic cell rate algorithm): a burst of
 * one second's calls passes at once, further ones are spaced evenly, each at a moment of its own.
 *
 * @param name of the budget
 * @returns how long to wait before the call, in milliseconds
 */
export async function reserveCall(store: Store, name: string, requestsPerSecond: number): Promise<number> {
  const spacing = Math.ceil(1_000_000 / requestsPerSecond);
  const burst = spacing * Math.max(0, Math.floor(requestsPerSecond) - 1);
  return store.write(async (tx) => {
    const now = Date.parse(store.now()) * 1000;
    const { next_at } = await tx
      .insertInto('rate_budget')
      .values({ name, next_at: now + spacing })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({
          next_at: sql`case when rate_budget.next_at > ${now} then rate_budget.next_at else ${now} end + ${spacing}`,
        }),
      )
      .returning('next_at')
      .executeTakeFirstOrThrow();
    return Math.max(0, next_at - spacing - burst - now) / 1000;
  }, 'committed');
}
