import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPack, packTarball } from '../../scripts/start/pack';
import makeTemporaryFolder from './temporary';

let packed: Promise<string> | undefined;

/** A new user directory of Node-RED with the packed pack installed in it, as a user would do it. */
export async function makeUserDir(): Promise<string> {
  // Test files that run at the same time must share a tarball: packing builds `dist/`.
  const given = process.env.Q2C_TARBALL;
  packed ??= given ? Promise.resolve(given) : packForThisProcess();
  const userDir = await mkdtemp(join(tmpdir(), 'q2c-user-'));
  await installPack(await packed, userDir);
  return userDir;
}

async function packForThisProcess(): Promise<string> {
  const { folder, file } = await packTarball();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return file;
}

/** Jest `globalSetup` of the projects that start hosts: packs once for all their test files. */
export default async function packOnce(): Promise<void> {
  await makeTemporaryFolder();
  process.env.Q2C_TARBALL ??= (await packTarball()).file;
}
