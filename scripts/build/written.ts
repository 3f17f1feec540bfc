import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sources } from './sources.ts';

/** Oldest host that the pack supports; the host refuses to load the pack where this is not satisfied. */
const hostVersion = '>=4.1.0';

/** A file of the repository that the build writes from what it finds, so that nobody keeps the list by hand. */
interface WrittenFile {
  path: string;
  content(before: string): string;
}

/**
 * Brings the written files in step with the folders, or only compares them.
 * @returns the paths of those that are out of step and were not written.
 */
export async function updateWrittenFiles(sources: Sources, write: boolean): Promise<string[]> {
  const outOfStep: string[] = [];
  for (const { path, content } of [systemsIndex(sources), simulatorsIndex(sources), packageFile(sources)]) {
    const file = join(sources.root, path);
    const before = await readFile(file, 'utf8').catch(() => '');
    const after = content(before);
    if (after === before) continue;
    if (write) await writeFile(file, after);
    else outOfStep.push(path);
  }
  return outOfStep;
}

const writtenBy = '// Written by the build from the folders beside it; do not edit.';

/** `lib/systems/index.ts`: every system by id. */
function systemsIndex({ systems }: Sources): WrittenFile {
  const ids = systems.map(({ manifest }) => manifest.id);
  const manifests = ids.map((id) => `import { manifest as ${variable(id)} } from './${id}/manifest';`);
  const content = () => `${writtenBy}
${sortedImports(["import type { SystemManifest, SystemModule } from './kit/types';", ...manifests])}

const all = {
${ids.map((id) => `  ${variable(id) === id ? id : `'${id}': ${variable(id)}`},`).join('\n')}
};
export type SystemId = keyof typeof all;

export const manifests: Record<SystemId, SystemManifest> = all;

const modules: Record<SystemId, () => Promise<{ system: SystemModule }>> = {
${ids.map((id) => `  ${variable(id) === id ? id : `'${id}'`}: () => import('./${id}'),`).join('\n')}
};

/** The code of a system, loaded at first use: a host pays only for the systems that its flows connect to. */
export async function loadSystem(id: SystemId): Promise<SystemModule> {
  return (await modules[id]()).system;
}
`;
  return { path: 'lib/systems/index.ts', content };
}

/** `simulator/systems.ts`: every simulated vendor. */
function simulatorsIndex({ simulators }: Sources): WrittenFile {
  const imports = simulators.map((id) => `import { system as ${variable(id)} } from './${id}';`);
  const content = () => `${writtenBy}
${sortedImports(["import type { SimulatedSystem } from './kit/types';", ...imports])}

const all = {
${simulators.map((id) => `  ${variable(id)},`).join('\n')}
};
export const systems: readonly SimulatedSystem[] = Object.values(all);
`;
  return { path: 'simulator/systems.ts', content };
}

/** The `node-red` section of package.json: where the host finds each node set. */
function packageFile({ nodes, plugins, systems }: Sources): WrittenFile {
  const sets = [...nodes, ...systems].map(({ name }) => name).sort();
  const section = {
    version: hostVersion,
    nodes: Object.fromEntries(sets.map((name) => [name, `dist/${name}.js`])),
    plugins: Object.fromEntries(plugins.map(({ name }) => [name, `dist/${name}.html`])),
  };
  const content = (before: string) =>
    `${JSON.stringify({ ...JSON.parse(before), 'node-red': section }, null, 2)}\n`;
  return { path: 'package.json', content };
}

/** In the order of their paths, as the formatter wants them. */
function sortedImports(imports: string[]): string {
  const path = (line: string) => line.slice(line.indexOf("'"));
  return imports.sort((a, b) => (path(a) < path(b) ? -1 : 1)).join('\n');
}

/** Ids of systems may have hyphens: `oracle-fusion` → `oracleFusion`. */
function variable(id: string): string {
  return id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
