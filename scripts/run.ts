/**
 * Runs a TypeScript program of the repository: `node scripts/run.ts <file> [arguments]`.
 * The program is bundled into a temporary folder first (imports without extensions); it runs in this process,
 * in the caller's folder, and gets the remaining arguments.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entry = process.argv[2];
if (entry === undefined) throw new Error('Usage: node scripts/run.ts <file> [arguments]');

/** Bundled files keep the folder they came from, so that paths relative to it stay right. */
const ownFolders: Plugin = {
  name: 'own-folders',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const folder = JSON.stringify(dirname(path));
      return { contents: text.replace(/\b(import\.meta\.dirname|__dirname)\b/g, () => folder), loader: 'ts' };
    });
  },
};

const fromRoot = createRequire(join(root, 'package.json'));

/** Parts that cannot be bundled are loaded from here: the bundle lies in another folder. */
const notBundled: Plugin = {
  name: 'not-bundled',
  setup({ onResolve }) {
    onResolve({ filter: /^(playwright-core|esbuild)$/ }, ({ path }) => ({
      path: fromRoot.resolve(path),
      external: true,
    }));
  },
};

const folder = mkdtempSync(join(tmpdir(), 'q2c-run-'));
// Removed when the program is done, not before: it may still load parts of itself.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, 'program.cjs');
await build({
  entryPoints: [join(root, entry)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  external: ['node-red'],
  sourcemap: 'inline',
  logLevel: 'error',
  plugins: [ownFolders, notBundled],
});
process.argv.splice(1, 2, outfile);
fromRoot(outfile);
