import { rmSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Jest `globalSetup` of all projects: a temporary folder of the run's own, which goes with it. Whatever tests, hosts
 * and servers put into the temporary folder is then gone too, also when they were killed.
 */
export default async function makeTemporaryFolder(): Promise<string> {
  const known = process.env.Q2C_TEST_FOLDER;
  if (known !== undefined) return known;
  const folder = await mkdtemp(join(tmpdir(), 'q2c-test-'));
  // Servers that do not run as root reach their files through it.
  await chmod(folder, 0o711);
  process.env.Q2C_TEST_FOLDER = folder;
  process.env.TMPDIR = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
