import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SystemManifest } from '../../lib/systems/kit/types.ts';
import { loadModule } from './load.ts';

/** A node set written by hand: one folder `nodes/<name>` with runtime, editor, form and types of one node type. */
export interface NodeSet {
  name: string;
  folder: string;
}

/** The node set of a system, generated from the manifest in `lib/systems/<id>`. */
export interface SystemSet {
  name: string;
  manifest: SystemManifest;
}

/** A part of the editor that is no node: one folder `nodes/<name>` with `editor.ts` and `style.css`, and no runtime. */
export interface EditorPlugin {
  name: string;
  folder: string;
}

/** What the folders of the repository hold; there is no list of sets, systems or languages anywhere else. */
export interface Sources {
  root: string;
  nodes: NodeSet[];
  plugins: EditorPlugin[];
  systems: SystemSet[];
  /** Folders of `simulator/` that hold a simulated vendor. */
  simulators: string[];
  languages: string[];
}

export async function findSources(root: string): Promise<Sources> {
  const sets = (await folders(join(root, 'nodes')))
    .filter((name) => !name.startsWith('_'))
    .map((name) => ({ name, folder: join(root, 'nodes', name) }));
  const isPlugin = ({ folder }: NodeSet) => !existsSync(join(folder, 'runtime.ts'));
  const nodes = sets.filter((set) => !isPlugin(set));
  const plugins = sets.filter(isPlugin);
  const systems: SystemSet[] = [];
  for (const id of await folders(join(root, 'lib/systems'))) {
    const file = join(root, 'lib/systems', id, 'manifest.ts');
    if (existsSync(file)) systems.push({ name: `q2c-${id}`, manifest: await loadManifest(file) });
  }
  const simulators = (await folders(join(root, 'simulator'))).filter((id) =>
    existsSync(join(root, 'simulator', id, 'index.ts')),
  );
  return { root, nodes, plugins, systems, simulators, languages: await folders(join(root, 'locales')) };
}

/** Names of the sub-folders, sorted; none when the folder does not exist. */
async function folders(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** @throws when the file exports no `manifest`, or one whose id is not the folder's name. */
async function loadManifest(file: string): Promise<SystemManifest> {
  const { manifest } = await loadModule(file);
  const folder = basename(dirname(file));
  if (!isManifest(manifest)) throw new Error(`${file}: exports no 'manifest'`);
  if (manifest.id !== folder) {
    throw new Error(`${file}: id '${manifest.id}' differs from its folder '${folder}'`);
  }
  return manifest;
}

function isManifest(value: unknown): value is SystemManifest {
  return (
    typeof value === 'object' && value !== null && 'auth' in value && 'entities' in value && 'events' in value
  );
}
