import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Oldest host that the pack supports; the host refuses to load the pack where this is not satisfied. */
const hostVersion = '>=4.1.0';

/**
 * Makes the `node-red` section of package.json say what was built.
 * @returns true when it did so already.
 */
export async function updatePackage(root: string, sets: string[], write: boolean): Promise<boolean> {
  const file = join(root, 'package.json');
  const before = await readFile(file, 'utf8');
  const content = JSON.parse(before);
  content['node-red'] = {
    version: hostVersion,
    nodes: Object.fromEntries(sets.map((name) => [name, `dist/${name}.js`])),
  };
  const after = `${JSON.stringify(content, null, 2)}\n`;
  if (write && after !== before) await writeFile(file, after);
  return after === before;
}
