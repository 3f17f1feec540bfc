import { Q2cError } from '../../model';
import { SystemError } from './errors';
import type { Authenticator } from './http-types';
import { isFresh } from './tokens';
import { TransportFailure } from './transport';
import type { AccessToken, TokenStore } from './types';

export interface BearerOptions {
  /** Key in the token store; different for each connection that logs in differently. Never a secret. */
  key: string;
  tokens: TokenStore;
  /** Logs in. Throws `SystemError`, kind `auth` when the credentials are wrong. */
  login: () => Promise<AccessToken>;
}

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

  /** Another host of the same connection may have logged in since. */
  async #obtain(stale: string | null): Promise<AccessToken> {
    const { key, tokens, login } = this.#options;
    this.#current = null;
    this.#current = await tokens.obtain(key, stale, login).catch(asFailure);
    return this.#current;
  }
}

/** Nothing has left yet when the tokens cannot be reached, so the call is tried again. */
function asFailure(error: unknown): never {
  if (error instanceof SystemError || !(error instanceof Q2cError)) throw error;
  throw new TransportFailure('the token shared with other hosts cannot be had', {
    sent: false,
    cause: error,
  });
}

function bearer(token: AccessToken): { authorization: string } {
  return { authorization: `Bearer ${token.value}` };
}
