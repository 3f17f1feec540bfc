import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Instant, newUlid, Q2cError } from '../model';
import { appendAudit, type Store } from '../store';
import type { TokenSummary } from './schemas/operations';

/**
 * Tokens with which other programs look things up. The secret is told once; what is kept is its hash. It is random
 * enough that guessing is hopeless, so a fast hash will do.
 */

/** One per lookup (`experience`). */
export const tokenScopes = [
  'deal_status',
  'invoice_status',
  'credit_status',
  'project_templates',
  'rates',
] as const;
export type TokenScope = (typeof tokenScopes)[number];

const SECRET_BYTES = 32;
const FORM = /^q2c_([0-9A-Z]{26})_([A-Za-z0-9_-]{43})$/;
const HOUR_MS = 3_600_000;

export async function createToken(
  store: Store,
  { name, scopes, expiresAt }: { name: string; scopes: readonly TokenScope[]; expiresAt: Instant | null },
  actor: string,
): Promise<TokenSummary & { secret: string }> {
  const id = newUlid();
  const secret = `q2c_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const at = store.now();
  await store.write(async (tx) => {
    await tx
      .insertInto('api_token')
      .values({
        id,
        name,
        hash: hash('sha256', secret),
        scopes: JSON.stringify(scopes),
        created_by: actor,
        created_at: at,
        expires_at: expiresAt,
        last_used_at: null,
      })
      .execute();
    const detail = { name, scopes: [...scopes], expiresAt };
    await appendAudit(tx, { at, actor, action: 'token.created', subject: id, runId: null, detail });
  });
  return {
    id,
    name,
    scopes: [...scopes],
    createdBy: actor,
    createdAt: at,
    expiresAt,
    lastUsedAt: null,
    secret,
  };
}

/** Newest first. */
export async function listTokens({ db }: Store): Promise<TokenSummary[]> {
  return (await db.selectFrom('api_token').selectAll().orderBy('id', 'desc').execute()).map(summaryOf);
}

/** @returns the token that is gone, or null when there is none */
export function deleteToken(store: Store, id: string, actor: string): Promise<TokenSummary | null> {
  return store.write(async (tx) => {
    const row = await tx.selectFrom('api_token').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return null;
    await tx.deleteFrom('api_token').where('id', '=', id).execute();
    const detail = { name: row.name };
    const at = store.now();
    await appendAudit(tx, { at, actor, action: 'token.deleted', subject: id, runId: null, detail });
    return summaryOf(row);
  });
}

/**
 * Whose token this is. Unknown, expired and malformed ones are told apart by nobody.
 * @throws Q2cError `LOGIN_REQUIRED`; `PERMISSION_MISSING` when the token is not for this lookup
 */
export async function requireToken(store: Store, secret: string, scope: TokenScope): Promise<TokenSummary> {
  const id = FORM.exec(secret)?.[1];
  const row = await store.db
    .selectFrom('api_token')
    .selectAll()
    .where('id', '=', id ?? '')
    .executeTakeFirst();
  const now = store.now();
  const expected = Buffer.from(row?.hash ?? hash('sha256', ''), 'hex');
  const isIt = timingSafeEqual(Buffer.from(hash('sha256', secret), 'hex'), expected);
  if (row === undefined || !isIt || (row.expires_at !== null && row.expires_at <= now)) {
    throw new Q2cError(
      'LOGIN_REQUIRED',
      'The token is missing, wrong or over; an administrator can make one.',
    );
  }
  const token = summaryOf(row);
  if (!token.scopes.includes(scope)) {
    throw new Q2cError('PERMISSION_MISSING', `The token ${token.name} is not for ${scope}.`);
  }
  await noteUse(store, token, now);
  return token;
}

/** To the hour: a write for every lookup would cost more than the lookup. */
async function noteUse(store: Store, { id, lastUsedAt }: TokenSummary, now: Instant): Promise<void> {
  if (lastUsedAt !== null && Date.parse(now) - Date.parse(lastUsedAt) < HOUR_MS) return;
  await store.write(
    (tx) => tx.updateTable('api_token').set({ last_used_at: now }).where('id', '=', id).execute(),
    'committed',
  );
}

const summaryOf = (row: {
  id: string;
  name: string;
  scopes: string;
  created_by: string;
  created_at: Instant;
  expires_at: Instant | null;
  last_used_at: Instant | null;
}): TokenSummary => ({
  id: row.id,
  name: row.name,
  scopes: JSON.parse(row.scopes) as string[],
  createdBy: row.created_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
