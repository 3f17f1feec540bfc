import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { loadModule } from './load.ts';

/**
 * Lets an editor script import plain data (code lists, role names) from `lib/model`. The values are evaluated
 * here and written into the script: the model itself needs Node.js and schemas that no browser has to load.
 */
export function modelData(root: string): Plugin {
  const entry = join(root, 'lib/model/index.ts');
  return {
    name: 'model-data',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\/lib\/model$/ }, () => ({ path: 'lib/model', namespace: 'model-data' }));
      onLoad({ filter: /.*/, namespace: 'model-data' }, async () => {
        const exported = Object.entries(await loadModule(entry)).filter(([, value]) => isPlainData(value));
        const lines = exported.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
        return { contents: lines.join('\n') };
      });
    },
  };
}

function isPlainData(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return true;
  if (Array.isArray(value)) return value.every(isPlainData);
  if (typeof value !== 'object' || value === null) return false;
  // A plain object's prototype has none itself; which object that is depends on where the code runs.
  const prototype = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return plain && Object.values(value).every(isPlainData);
}
