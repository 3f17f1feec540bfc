import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { type Instant, Q2cError } from '../model';
import { isProtected, open, seal } from './encryption';
import type { Store, Tx } from './store';
import type { Sealed } from './tables/sealed';

/**
 * Access tokens that all hosts on the store share, sealed (DESIGN §5): one host logs in, the others use its token.
 * Instants of their end are kept in the store's time and told in that of the host, for clocks of hosts may differ.
 */

export interface AccessToken {
  value: string;
  /** Null when the vendor does not say; then the token is used until it is refused. */
  expiresAt: Instant | null;
}

export interface TokenPlace {
  /** Connection and login, readable in the store. */
  name: string;
  /**
   * Digest of all that the login is made with. A token of another one counts as none, so that changed credentials are
   * tried and not hidden by a token from before. It is sealed with the token: who has the store cannot guess by it.
   */
  credentials: string;
}

/** A host that has not logged in by then is taken for gone. Longer than any login: two at once could end each other. */
const LOGIN_MS = 60_000;
/** How often a host looks whether another one has logged in. */
const LOOK_EVERY_MS = 100;

const sealedToken = z.object({
  credentials: z.string(),
  value: z.string().min(1),
  expiresAt: z.string().nullable(),
});

/** Whether tokens may be kept in the store: never where they would be readable. */
export const keepsTokens = (store: Store): boolean => isProtected(store.db);

/**
 * The kept token, if it is usable; else the one that a login gives, which is then kept. Of all hosts that need a new one
 * at the same time, one logs in; when that fails, the next one tries.
 *
 * @throws what `login` throws, and Q2cError `STORE_…` when the store cannot be read or written
 */
export async function obtainToken(
  store: Store,
  place: TokenPlace,
  isUsable: (token: AccessToken) => boolean,
  login: () => Promise<AccessToken>,
): Promise<AccessToken> {
  for (;;) {
    const kept = await keptToken(store, store.db, place);
    if (kept !== null && isUsable(kept)) return kept;
    const owner = await claimLogin(store, place, isUsable);
    if (owner !== null) return await loggedIn(store, place, owner, login);
    await pause(LOOK_EVERY_MS);
  }
}

async function loggedIn(
  store: Store,
  place: TokenPlace,
  owner: string,
  login: () => Promise<AccessToken>,
): Promise<AccessToken> {
  let token: AccessToken | null = null;
  try {
    token = await login();
    return token;
  } finally {
    await endLogin(store, place, owner, token);
  }
}

/** @returns who logs in now, or null while another host does or a usable token has come meanwhile */
async function claimLogin(
  store: Store,
  place: TokenPlace,
  isUsable: (token: AccessToken) => boolean,
): Promise<string | null> {
  const owner = randomUUID();
  return store.write(async (tx) => {
    const now = store.now();
    const claim = { login_owner: owner, login_until: shifted(now, LOGIN_MS), updated_at: now };
    const claimed = await tx
      .insertInto('token')
      .values({ name: place.name, value: null, ...claim })
      .onConflict((conflict) => {
        const taken = conflict.column('name').doUpdateSet(claim);
        // Without other hosts, a login that is said to be under way is one of before a crash.
        if (store.exclusive) return taken;
        return taken.where((row) =>
          row.or([row('token.login_until', 'is', null), row('token.login_until', '<', now)]),
        );
      })
      .returning('name')
      .executeTakeFirst();
    if (claimed === undefined) return null;
    const kept = await keptToken(store, tx, place);
    if (kept === null || !isUsable(kept)) return owner;
    await tx
      .updateTable('token')
      .set({ login_owner: null, login_until: null })
      .where('name', '=', place.name)
      .execute();
    return null;
  }, 'committed');
}

/** @param token null = the login has failed, and another host may try at once */
async function endLogin(
  store: Store,
  { name, credentials }: TokenPlace,
  owner: string,
  token: AccessToken | null,
): Promise<void> {
  await store.write(async (tx) => {
    const content = token && { credentials, ...token, expiresAt: inStoreTime(store, token.expiresAt) };
    await tx
      .updateTable('token')
      .set({
        login_owner: null,
        login_until: null,
        ...(content && { value: seal(tx, 'token', 'value', { name }, JSON.stringify(content)) }),
      })
      .where('name', '=', name)
      .where('login_owner', '=', owner)
      .execute();
  }, 'committed');
}

/** A value that does not open, or is not one of ours, counts as none: logging in again is always possible. */
async function keptToken(store: Store, tx: Tx, place: TokenPlace): Promise<AccessToken | null> {
  const row = await tx
    .selectFrom('token')
    .select(['name', 'value'])
    .where('name', '=', place.name)
    .executeTakeFirst();
  const token = sealedToken.safeParse(row === undefined ? null : opened(tx, row)).data;
  if (token === undefined || token.credentials !== place.credentials) return null;
  return { value: token.value, expiresAt: inHostTime(store, token.expiresAt) };
}

function opened(tx: Tx, row: { name: string; value: Sealed | null }): unknown {
  try {
    return JSON.parse(open(tx, 'token', 'value', row) ?? 'null');
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Q2cError) return null;
    throw error;
  }
}

const inStoreTime = (store: Store, at: Instant | null) => shifted(at, Date.parse(store.now()) - Date.now());
const inHostTime = (store: Store, at: Instant | null) => shifted(at, Date.now() - Date.parse(store.now()));

function shifted(at: Instant | null, ms: number): Instant | null {
  return at === null ? null : new Date(Date.parse(at) + ms).toISOString();
}
