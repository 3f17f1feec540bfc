/**
 * Builds the pack: `node scripts/build.ts`. It also writes the `node-red` section of package.json.
 * With `--check` (CI, packing) nothing but build output is written, and anything missing or out of step fails.
 */
import { join } from 'node:path';
import { buildPack } from './build/build.ts';
import { updatePackage } from './build/package.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const started = performance.now();

const { sets, problems } = await buildPack(root, root);
const inStep = await updatePackage(root, sets, !check);
if (check && !inStep) problems.push("package.json: section 'node-red' is out of step, run `npm run build`");

console.log(`${sets.length} node sets built in ${Math.round(performance.now() - started)} ms`);
for (const problem of problems) console.error(`problem: ${problem}`);
if (check && problems.length > 0) process.exitCode = 1;
