import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** `npm` and `node` of the development dependencies first, so that no other installation is needed. */
const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}` };

/**
 * Packs a repository as it would be published; the pack script builds it first. The caller removes the folder.
 * @param repository this one, or a copy of it
 */
export async function packTarball(repository = root): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'q2c-pack-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: repository,
    env,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { filename: string }[];
  if (packed === undefined) throw new Error(`npm pack named no file: ${stdout}`);
  return { folder, file: join(folder, packed.filename) };
}

/** Installs the packed pack into a user directory of Node-RED, as a user would. It has no dependencies to fetch. */
export async function installPack(tarball: string, userDir: string): Promise<void> {
  await mkdir(join(userDir, 'node_modules'), { recursive: true });
  const manifest = join(userDir, 'package.json');
  if (!existsSync(manifest)) await writeFile(manifest, '{ "name": "node-red-user", "private": true }\n');
  const options = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await rm(join(userDir, 'node_modules/@quote-to-cash'), { recursive: true, force: true });
  await run('npm', ['install', tarball, ...options], { cwd: userDir, env });
}
