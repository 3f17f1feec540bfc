import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { registeredTypes } from './inspect.ts';
import type { Sources } from './sources.ts';

/** What the build writes itself to make files of node sets (docs/decisions/0024). Imports are relative to the repository. */

/** End of the name of the file that makes a set's nodes. */
export const NODES = '.nodes';

/**
 * Two modules for each set, by the name of their file: the one that the host loads at its start registers the types, the
 * other one makes nodes.
 * @param forms the editor's files of all sets
 */
export function setModules(
  { nodes, systems }: Pick<Sources, 'nodes' | 'systems'>,
  forms: ReadonlyMap<string, string>,
): Map<string, string> {
  const modules = new Map<string, string>();
  const typesOf = (name: string) => {
    const html = forms.get(name);
    if (html === undefined) throw new Error(`${name} has no editor's file`);
    return typesIn(html);
  };
  for (const { name, folder } of nodes) {
    const web = join(folder, 'web.ts');
    modules.set(name, registration(name, typesOf(name), existsSync(web) ? web : null));
    modules.set(`${name}${NODES}`, `export { default } from ${JSON.stringify(join(folder, 'runtime.ts'))};`);
  }
  for (const { name, manifest } of systems) {
    modules.set(name, registration(name, typesOf(name), null));
    modules.set(
      `${name}${NODES}`,
      `import { systemNodeTypes } from './nodes/_system/runtime';
export default (RED) => systemNodeTypes(RED, ${JSON.stringify(manifest.id)});`,
    );
  }
  return modules;
}

/** @param web registers what the set adds to the web server, if anything */
function registration(name: string, types: object, web: string | null): string {
  return `import { registerTypes } from './nodes/_shared/node-types';
${web === null ? '' : `import registerWeb from ${JSON.stringify(web)};`}
export default (RED) => {
  ${web === null ? '' : 'registerWeb(RED);'}
  registerTypes(RED, ${JSON.stringify(types)}, () => require('./${name}${NODES}.js').default(RED));
};`;
}

/** The types of a set with their credentials, as `registerTypes` takes them. */
function typesIn(html: string) {
  const definitions = registeredTypes(html).map(({ type, credentials }) => {
    const fields = Object.entries(credentials).map(([field, kind]) => [field, { type: kind }]);
    return [type, fields.length === 0 ? {} : { credentials: Object.fromEntries(fields) }];
  });
  return Object.fromEntries(definitions);
}
