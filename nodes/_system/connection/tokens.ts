import { createHash } from 'node:crypto';
import { keepsTokens, obtainToken } from '../../../lib/store';
import { isUsable, memoryTokens } from '../../../lib/systems/kit/tokens';
import type { ConnectionConfig, TokenStore } from '../../../lib/systems/kit/types';
import { host } from '../../_shared/host';

/**
 * Tokens of a connection, shared through the store by all hosts that have the connection. In a store without an
 * encryption key they would be readable: then each host keeps its own, in memory.
 */
export function sharedTokens(connection: string, config: ConnectionConfig): TokenStore {
  const own = memoryTokens();
  const credentials = createHash('sha256').update(JSON.stringify(config)).digest('hex');
  return {
    obtain(key, stale, login) {
      // Asked each time: the store may open later than the connection is first used.
      const store = host.engine()?.store;
      if (store === undefined || !keepsTokens(store)) return own.obtain(key, stale, login);
      const place = { name: `${connection}/${key}`, credentials };
      return obtainToken(store, place, (token) => isUsable(token, stale), login);
    },
  };
}
