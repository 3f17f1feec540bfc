import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listTokens } from '../../lib/api/tokens';
import type { Engine } from '../../lib/engine';
import type { StoreFacts } from '../_shared/setup-facts';

/**
 * @param path file of the store, null when it is a database server
 * @param engine null while the store is not open
 */
export async function storeFacts(
  path: string | null,
  lookups: boolean,
  engine: Engine | null,
): Promise<StoreFacts> {
  const tokens = engine === null || !lookups ? [] : await listTokens(engine.store);
  const file =
    path === null
      ? null
      : { inMemory: path === ':memory:', writable: path === ':memory:' || (await isWritable(path)) };
  return { file, lookups: { open: lookups, tokens: tokens.length } };
}

/** The folder of a file, or the nearest one above it that is there: what is missing is made. */
async function isWritable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return true;
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing || folder === dirname(folder)) return false;
    }
  }
}
