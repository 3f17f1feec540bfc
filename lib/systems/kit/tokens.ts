import type { AccessToken, TokenStore } from './types';

/**
 * Tokens kept in memory, for as long as whoever holds them: enough where a token can be had again at any time with
 * the connection's own credentials. An authenticator asks once at a time, so that it logs in once at a time.
 */
export function memoryTokens(): TokenStore {
  const tokens = new Map<string, AccessToken>();
  return {
    async obtain(key, isUsable, login) {
      const kept = tokens.get(key);
      if (kept !== undefined && isUsable(kept)) return kept;
      const token = await login();
      tokens.set(key, token);
      return token;
    },
  };
}
