import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(__dirname, '../../node_modules/.cache/node-red-4.1');

/**
 * Folder of the latest Node-RED 4.1, the oldest line that the pack supports. It is no development dependency, for two
 * versions of one package cannot be: the first call on a machine installs it, which needs the registry.
 */
export async function nodeRed41(): Promise<string> {
  const folder = join(cache, 'node_modules/node-red');
  if (!existsSync(folder)) await install();
  return folder;
}

/** Test files run at the same time: each installs into a folder of its own, and the first one that is ready counts. */
async function install(): Promise<void> {
  await mkdir(join(cache, '..'), { recursive: true });
  const fresh = await mkdtemp(`${cache}-`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
  try {
    await run('npm', ['install', 'node-red@4.1', '--prefix', fresh, ...options], { cwd: fresh });
    await rename(fresh, cache);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(cache)) throw error;
  }
}
