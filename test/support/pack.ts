import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(__dirname, '../..');

/** Where `npm` of the development dependencies is, so that no other installation is needed. */
const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}` };

/**
 * Packs the repository as it would be published (the pack script builds it first).
 * `Q2C_TARBALL` names a tarball that is there already; test processes that run at once must share one.
 */
export async function packTarball(): Promise<string> {
  if (process.env.Q2C_TARBALL) return process.env.Q2C_TARBALL;
  const folder = await mkdtemp(join(tmpdir(), 'q2c-pack-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, env });
  const [packed]: { filename: string }[] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  if (!packed) throw new Error(`npm pack said nothing: ${stdout}`);
  return join(folder, packed.filename);
}

/** A new user directory of Node-RED with the packed pack installed in it, as a user would do it. */
export async function makeUserDir(tarball: string): Promise<string> {
  const userDir = await mkdtemp(join(tmpdir(), 'q2c-user-'));
  await mkdir(join(userDir, 'node_modules'));
  await writeFile(join(userDir, 'package.json'), '{ "name": "user-dir", "private": true }\n');
  const options = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['install', tarball, ...options], { cwd: userDir, env });
  return userDir;
}

/** Jest `globalSetup` of the projects that need the tarball: packs once for all their test files. */
export default async function packOnce(): Promise<void> {
  process.env.Q2C_TARBALL = await packTarball();
}
