import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from './host';

/** Where the template flows are; the build copies them to `examples/`. */
export const folder = join(__dirname, '../../flows');

/** Template flows as `<topic>/<name>.json`, in the order of the menu. */
export const exampleFiles: string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort();

/**
 * A template flow as it is imported.
 * @param name as in the menu, without its topic
 * @throws when no flow or several are called so
 */
export function exampleFlow(name: string): FlowNode[] {
  const [file, ...others] = exampleFiles.filter((path) => path.endsWith(`/${name}.json`));
  if (file === undefined || others.length > 0) throw new Error(`"${name}" is not one template flow`);
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}
