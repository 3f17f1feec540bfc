import { startPostgres, type TestServer } from './postgres';
import makeTemporaryFolder from './temporary';

declare global {
  var q2cTestServer: TestServer | undefined;
}

/** Jest `globalSetup` of the projects that need PostgreSQL: one server for all, unless one is given. */
export default async function startOnce(): Promise<void> {
  await makeTemporaryFolder();
  if (process.env.Q2C_TEST_DATABASE_URL) return;
  // What a power cut leaves is PostgreSQL's business; ours is what was committed.
  globalThis.q2cTestServer = await startPostgres(['-c', 'fsync=off']);
  process.env.Q2C_TEST_DATABASE_URL = globalThis.q2cTestServer.url;
}
