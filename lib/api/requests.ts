import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue, Q2cError } from '../model';
import { open, type Store, seal } from '../store';

/**
 * Actions that were given an `Idempotency-Key`: the same key with the same request is done once, and answered with what
 * came of it the first time, also by another host.
 */

export interface Done {
  status: number;
  body: unknown;
}

/** After that a key may be used for something else. */
const KEPT_MS = 24 * 3_600_000;
/** An action that has not ended by then was cut off with its host. */
const ABANDONED_MS = 5 * 60_000;

export interface KeyedRequest {
  caller: string;
  key: string;
  /** Method and path with its values. */
  route: string;
  body: JsonValue;
}

/**
 * @param act the action; what it throws is not kept, so that it can be tried again
 * @param isKept false = the reply is told only once, and not kept
 * @returns `isReplayed` true when it was done before
 * @throws Q2cError `IDEMPOTENCY_MISMATCH` for a key that was used for something else; `IDEMPOTENCY_IN_PROGRESS`
 */
export async function doOnce(
  store: Store,
  request: KeyedRequest,
  act: () => Promise<Done>,
  isKept: boolean,
): Promise<Done & { isReplayed: boolean }> {
  const key = hash('sha256', JSON.stringify([request.caller, request.key]));
  const fingerprint = hash('sha256', canonicalJson([request.route, request.body]));
  const before = await claim(store, key, fingerprint);
  if (before !== null) return { ...before, isReplayed: true };
  try {
    const done = await act();
    await keep(store, key, done, isKept);
    return { ...done, isReplayed: false };
  } catch (error) {
    await release(store, key);
    throw error;
  }
}

/** @returns what came of the same request before, or null when it is to be done now */
function claim(store: Store, key: string, fingerprint: string): Promise<Done | null> {
  return store.write(async (tx) => {
    const at = store.now();
    const before = (ms: number) => new Date(Date.parse(at) - ms).toISOString();
    await tx.deleteFrom('api_request').where('at', '<', before(KEPT_MS)).execute();
    await tx
      .deleteFrom('api_request')
      .where('key', '=', key)
      .where('status', 'is', null)
      .where('at', '<', before(ABANDONED_MS))
      .execute();
    const claimed = await tx
      .insertInto('api_request')
      .values({ key, fingerprint, status: null, reply: null, at })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .returning('key')
      .executeTakeFirst();
    if (claimed !== undefined) return null;
    const known = await tx
      .selectFrom('api_request')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    if (known.fingerprint !== fingerprint) {
      throw new Q2cError(
        'IDEMPOTENCY_MISMATCH',
        'This Idempotency-Key was used for another request; take a new one for each action.',
      );
    }
    if (known.status === null) {
      throw new Q2cError('IDEMPOTENCY_IN_PROGRESS', 'The same action is being done; ask again in a moment.');
    }
    return { status: known.status, body: JSON.parse(open(store.db, 'api_request', 'reply', known) ?? '{}') };
  });
}

async function keep(store: Store, key: string, { status, body }: Done, isKept: boolean): Promise<void> {
  const text = isKept ? JSON.stringify(body ?? null) : '{}';
  await store.write((tx) =>
    tx
      .updateTable('api_request')
      .set({ status, reply: seal(tx, 'api_request', 'reply', { key }, text) })
      .where('key', '=', key)
      .execute(),
  );
}

async function release(store: Store, key: string): Promise<void> {
  await store.write((tx) =>
    tx.deleteFrom('api_request').where('key', '=', key).where('status', 'is', null).execute(),
  );
}
