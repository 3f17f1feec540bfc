import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUNDLED_BY_VITE, bundledPackages } from './bundled.ts';

const run = promisify(execFile);

/**
 * Builds the operations page into `<out>/resources/console`; the host serves it from there (nodes/_shared/console-page.ts).
 * Vite runs as a program of its own: it is an ES module, which tests of the build cannot load.
 * @throws with what Vite says when the page cannot be built
 */
export async function buildConsole(root: string, out: string): Promise<void> {
  const config = join(root, 'console/vite.config.ts');
  if (!existsSync(config)) return;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const outDir = join(out, 'resources/console');
  await run(process.execPath, [vite, 'build', '--config', config, '--outDir', outDir, '--logLevel', 'warn'], {
    cwd: root,
    // Tests set it to something else, and would get another page than is published.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const list = join(outDir, BUNDLED_BY_VITE);
  for (const folder of JSON.parse(await readFile(list, 'utf8')) as string[]) bundledPackages.add(folder);
  await rm(list);
}
