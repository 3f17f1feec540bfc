import { join } from 'node:path';
import { setForms } from '../../scripts/build/forms';
import { buildRuntimes } from '../../scripts/build/runtime';
import { findSources } from '../../scripts/build/sources';
import startPostgresOnce from './postgres-once';
import makeTemporaryFolder from './temporary';

/** Jest `globalSetup` of the project that loads nodes into the test helper: builds them once for all its files,
 * and starts PostgreSQL for those that need it. */
export default async function buildNodes(): Promise<void> {
  const folder = join(await makeTemporaryFolder(), 'nodes');
  const sources = await findSources(join(__dirname, '../..'));
  await Promise.all([buildRuntimes(sources, await setForms(sources), folder), startPostgresOnce()]);
  process.env.Q2C_NODES = folder;
}
