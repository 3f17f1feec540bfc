import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type OutputFile, type Plugin, transform } from 'esbuild';
import { bundledPackages, noteBundled } from './bundled.ts';
import type { Sources } from './sources.ts';

const common = {
  platform: 'node',
  target: 'node22',
  sourcesContent: false,
  // The texts of all licences are in one file (notices.ts).
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

/** Imported by the host with `import()` or `require()`; CommonJS works in every supported Node-RED. */
const commonJs = {
  format: 'cjs',
  // Parts are loaded with `require`: they are CommonJS, like everything here.
  supported: { 'dynamic-import': false },
} satisfies BuildOptions;

/** Bundles the server side: the node sets with what they share, and the programs that run beside the host. */
export async function buildRuntimes(sources: Sources, outdir: string): Promise<void> {
  await mkdir(outdir, { recursive: true });
  await Promise.all([
    buildSets(sources, outdir),
    buildPrograms(sources.root, outdir),
    buildCommands(sources.root, outdir),
    copyInterpreter(sources.root, outdir),
  ]);
}

/**
 * One file per node set, one for each part that is imported with `import()`, and chunks for what several of them share.
 * Every module is in exactly one file: stores, connections and token caches live in module variables and must exist once
 * per host. What is only reached through an `import()` is loaded when that runs, and not with the sets
 * (docs/decisions/0024).
 */
async function buildSets({ root, nodes, systems }: Sources, outdir: string): Promise<void> {
  const entryPoints = Object.fromEntries([
    ...nodes.map(({ name, folder }) => [name, join(folder, 'runtime.ts')]),
    ...systems.map(({ name, manifest }) => [name, `${SYSTEM}${manifest.id}`]),
    // Loads the systems that it is asked for, like the host.
    ['systems-thread', join(root, 'nodes/_shared/systems-thread.ts')],
  ]);
  const { outputFiles } = await build({
    ...common,
    entryPoints,
    bundle: true,
    // esbuild divides code among files in this format only.
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    sourcemap: 'inline',
    write: false,
    outdir,
    plugins: [systemSets(root), noteBundled],
  });
  await Promise.all(outputFiles.map((file) => writeCommonJs(file)));
}

async function writeCommonJs({ path, text }: OutputFile): Promise<void> {
  const { code, map } = await transform(text, {
    ...common,
    ...commonJs,
    sourcemap: 'external',
    sourcefile: path,
  });
  await writeFile(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`);
  await writeFile(`${path}.map`, map);
}

const SYSTEM = 'system:';

/** Makes the runtimes of the generated sets. */
function systemSets(root: string): Plugin {
  return {
    name: 'system-sets',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${SYSTEM}`) }, ({ path }) => ({ path, namespace: 'system-set' }));
      onLoad({ filter: /.*/, namespace: 'system-set' }, ({ path }) => ({
        contents: `import { registerSystem } from './nodes/_system/runtime';
export default (RED) => registerSystem(RED, '${path.slice(SYSTEM.length)}');`,
        resolveDir: root,
      }));
    },
  };
}

/** The simulator as a program of its own, and the program of the store's thread. */
async function buildPrograms(root: string, outdir: string): Promise<void> {
  const programs = { 'simulator-main': 'simulator/main.ts', 'store-thread': 'nodes/_shared/store-thread.ts' };
  const entryPoints = Object.fromEntries(
    Object.entries(programs).map(([name, file]) => [name, join(root, file)]),
  );
  await buildAlone({ entryPoints, outdir });
}

/** Each stands alone, with all that it needs. */
async function buildAlone(how: Pick<BuildOptions, 'entryPoints' | 'outdir'>): Promise<void> {
  const sourcemap = 'linked';
  await build({ ...common, ...commonJs, ...how, bundle: true, sourcemap, plugins: [noteBundled] });
}

/** JSONata is evaluated in a context of its own, which takes the text of the interpreter, not a module. */
async function copyInterpreter(root: string, outdir: string): Promise<void> {
  const folder = dirname(createRequire(join(root, 'package.json')).resolve('jsonata/package.json'));
  await copyFile(join(folder, 'jsonata.min.js'), join(outdir, 'jsonata.min.js'));
  bundledPackages.add(folder);
}

/** Programs for the command line (`bin` of package.json). Each stands alone: they must not load the nodes. */
async function buildCommands(root: string, outdir: string): Promise<void> {
  const folder = join(root, 'bin');
  if (!existsSync(folder)) return;
  const entryPoints = (await readdir(folder)).map((file) => join(folder, file));
  await buildAlone({ entryPoints, outdir: join(outdir, 'bin') });
}
