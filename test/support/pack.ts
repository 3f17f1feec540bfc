import { rmSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPack, packTarball } from '../../scripts/start/pack';
import makeTemporaryFolder from './temporary';

let template: Promise<string> | undefined;

/** A new user directory of Node-RED with the packed pack installed in it. */
export async function makeUserDir(): Promise<string> {
  // Test files that run at the same time must share what is packed: packing builds `dist/`.
  const given = process.env.Q2C_USER_DIR_TEMPLATE;
  template ??= given ? Promise.resolve(given) : makeTemplateForThisProcess();
  const userDir = await mkdtemp(join(tmpdir(), 'q2c-user-'));
  await cp(await template, userDir, { recursive: true });
  return userDir;
}

/**
 * Packs, and installs the tarball as a user would, once: copies of the folder cost next to nothing. The caller removes it.
 * @param repository a changed copy of this one
 */
export async function makeTemplate(repository?: string): Promise<string> {
  const packed = await packTarball(repository);
  const folder = await mkdtemp(join(tmpdir(), 'q2c-template-'));
  await installPack(packed.file, folder);
  await rm(packed.folder, { recursive: true });
  return folder;
}

async function makeTemplateForThisProcess(): Promise<string> {
  const folder = await makeTemplate();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Jest `globalSetup` of the projects that start hosts: packs once for all their test files. */
export default async function packOnce(): Promise<void> {
  await makeTemporaryFolder();
  process.env.Q2C_USER_DIR_TEMPLATE ??= await makeTemplate();
}
