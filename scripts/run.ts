/**
 * Runs a TypeScript program of the repository: `node scripts/run.ts <file> [arguments]`.
 * The program is bundled into a temporary folder first (imports without extensions); it runs in this process,
 * in the caller's folder, and gets the remaining arguments.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entry = process.argv[2];
if (entry === undefined) throw new Error('Usage: node scripts/run.ts <file> [arguments]');

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
  external: ['node-red', 'playwright-core', 'esbuild'],
  sourcemap: 'inline',
  logLevel: 'error',
  define: { __dirname: JSON.stringify(join(root, entry, '..')) },
});
process.argv.splice(1, 2, outfile);
createRequire(join(root, 'package.json'))(outfile);
