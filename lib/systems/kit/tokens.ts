import type { AccessToken, TokenStore } from './types';

/** A token this close to its end is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

export function isFresh({ expiresAt }: AccessToken): boolean {
  return expiresAt === null || Date.parse(expiresAt) - Date.now() > RENEW_BEFORE_MS;
}

/** @param stale value of a token that was refused or has come to its end */
export function isUsable(token: AccessToken, stale: string | null): boolean {
  return token.value !== stale && isFresh(token);
}

/**
 * Tokens kept in memory, for as long as whoever holds them: enough where a token can be had again at any time with
 * the connection's own credentials. An authenticator asks once at a time, so that it logs in once at a time.
 */
export function memoryTokens(): TokenStore {
  const tokens = new Map<string, AccessToken>();
  return {
    async obtain(key, stale, login) {
      const kept = tokens.get(key);
      if (kept !== undefined && isUsable(kept, stale)) return kept;
      const token = await login();
      tokens.set(key, token);
      return token;
    },
  };
}
