// Writes simulator/systems.ts: one import per folder of simulator/ that has an index.ts. Run after adding a system;
// test/simulator/kit/systems.test.ts fails when the file does not match the folders.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../simulator', import.meta.url));
const ids = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'index.ts')))
  .sort();
const names = ids.map((id) => id.replace(/-(.)/g, (_, letter) => letter.toUpperCase()));

writeFileSync(
  join(folder, 'systems.ts'),
  [
    '// One line per folder of `simulator/` that holds a system. Written by scripts/generate-simulators.mjs.',
    "import type { SimulatedSystem } from './kit/types';",
    ...ids.map((id, i) => `import { system as ${names[i]} } from './${id}';`),
    '',
    `export const systems: readonly SimulatedSystem[] = [${names.join(', ')}];`,
    '',
  ].join('\n'),
);
