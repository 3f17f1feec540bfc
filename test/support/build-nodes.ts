import { join } from 'node:path';
import { buildRuntimes } from '../../scripts/build/runtime';
import { findSources } from '../../scripts/build/sources';
import makeTemporaryFolder from './temporary';

/** Jest `globalSetup` of the project that loads nodes into the test helper: builds them once for all its files. */
export default async function buildNodes(): Promise<void> {
  const folder = join(await makeTemporaryFolder(), 'nodes');
  await buildRuntimes(await findSources(join(__dirname, '../..')), folder);
  process.env.Q2C_NODES = folder;
}
