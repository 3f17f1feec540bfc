import { basename } from 'node:path';
import type { Metafile } from 'esbuild';

/**
 * Files of the build's output that some of them need, each behind those that it requires itself, so that they can be
 * loaded one by one.
 * @param isNeeded tells of the module that a file is made for whether it is to be loaded
 * @returns names of files
 */
export function loadOrder({ outputs }: Metafile, isNeeded: (entryPoint: string) => boolean): string[] {
  const order = new Set<string>();
  const visited = new Set<string>();
  const visit = (path: string) => {
    if (visited.has(path)) return;
    visited.add(path);
    for (const { path: other, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) visit(other);
    }
    order.add(basename(path));
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint !== undefined && isNeeded(entryPoint)) visit(path);
  }
  return [...order];
}
