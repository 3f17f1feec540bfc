/**
 * Builds the pack: `node scripts/build.ts`. It also brings `lib/systems/index.ts` and the `node-red` section of
 * package.json in step with the folders. With `--check` (CI) these are compared instead of written, and
 * anything missing or out of step fails.
 */
import { join } from 'node:path';
import { buildPack } from './build/build.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const started = performance.now();

const { sets, problems } = await buildPack({ root, out: root, check });

console.log(`${sets} node sets built in ${Math.round(performance.now() - started)} ms`);
for (const problem of problems) console.error(`problem: ${problem}`);
if (check && problems.length > 0) process.exitCode = 1;
