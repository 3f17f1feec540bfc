import type { TokenStore } from './types';

/**
 * Tokens kept in memory, for as long as whoever holds them: enough where a token can be had again at any time with
 * the connection's own credentials.
 */
export function memoryTokens(): TokenStore {
  const tokens = new Map<string, string>();
  return {
    get: async (key) => tokens.get(key) ?? null,
    set: async (key, value) => {
      tokens.set(key, value);
    },
    delete: async (key) => {
      tokens.delete(key);
    },
  };
}
