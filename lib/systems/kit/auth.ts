import * as z from 'zod';
import type { Instant } from '../../model';
import type { Authenticator } from './http-types';
import type { TokenStore } from './types';

export interface AccessToken {
  value: string;
  /** Null when the vendor does not say; then the token is used until it is refused. */
  expiresAt: Instant | null;
}

export interface BearerOptions {
  /** Key in the token store; different for each connection that logs in differently. Never a secret. */
  key: string;
  tokens: TokenStore;
  /** Logs in. Throws `SystemError`, kind `auth` when the credentials are wrong. */
  login: () => Promise<AccessToken>;
}

/** A token this close to its end is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

const storedToken = z.object({ value: z.string().min(1), expiresAt: z.string().nullable() });

/**
 * `Authorization: Bearer …` with the token kept in memory and in the token store, so that hosts of one connection
 * share it and a restart does not log in again. At most one login runs at a time; all calls wait for it.
 */
export function createBearerAuthenticator(options: BearerOptions): Authenticator {
  return new BearerAuthenticator(options);
}

class BearerAuthenticator implements Authenticator {
  readonly #options: BearerOptions;
  #current: AccessToken | null = null;
  #renewing: Promise<AccessToken> | null = null;

  constructor(options: BearerOptions) {
    this.#options = options;
  }

  async headers(): Promise<Record<string, string>> {
    if (this.#current && isFresh(this.#current)) return bearer(this.#current);
    return bearer(await this.#renew(this.#current?.value ?? null));
  }

  async refresh(refused: Record<string, string>): Promise<boolean> {
    if (this.#current && bearer(this.#current).authorization !== refused.authorization) return true;
    await this.#renew(this.#current?.value ?? null);
    return true;
  }

  #renew(stale: string | null): Promise<AccessToken> {
    this.#renewing ??= this.#obtain(stale).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #obtain(stale: string | null): Promise<AccessToken> {
    const { key, tokens, login } = this.#options;
    // Another host of the same connection may have logged in since.
    const stored = parseStored(await tokens.get(key));
    if (stored && stored.value !== stale && isFresh(stored)) {
      this.#current = stored;
      return stored;
    }
    this.#current = null;
    const token = await login();
    await tokens.set(key, JSON.stringify(token), token.expiresAt);
    this.#current = token;
    return token;
  }
}

function bearer(token: AccessToken): { authorization: string } {
  return { authorization: `Bearer ${token.value}` };
}

function isFresh(token: AccessToken): boolean {
  return token.expiresAt === null || Date.parse(token.expiresAt) - Date.now() > RENEW_BEFORE_MS;
}

/** An entry that is not one of ours counts as none: logging in again is always possible. */
function parseStored(text: string | null): AccessToken | null {
  if (text === null) return null;
  try {
    return storedToken.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
