import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type OutputFile, type Plugin, transform } from 'esbuild';
import { bundledPackages, noteBundled } from './bundled.ts';
import { loadOrder } from './load-order.ts';
import { NODES, setModules } from './set-modules.ts';
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

/**
 * Bundles the server side: the node sets with what they share, and the programs that run beside the host.
 * @param forms the editor's file of each set: its types and their credentials are said there, and nowhere else
 */
export async function buildRuntimes(
  sources: Sources,
  forms: ReadonlyMap<string, string>,
  outdir: string,
): Promise<void> {
  await mkdir(outdir, { recursive: true });
  await Promise.all([
    buildSets(sources, forms, outdir),
    buildPrograms(sources.root, outdir),
    buildCommands(sources.root, outdir),
    copyInterpreter(sources.root, outdir),
  ]);
}

/**
 * Per node set one file that registers its types and one that is loaded with the first node, one file for each part that is
 * imported with `import()`, and chunks for what several of them share. Every module is in exactly one file: stores,
 * connections and token caches live in module variables and must exist once per host. What is only reached through an
 * `import()` is loaded when that runs, and not with the sets (docs/decisions/0024).
 */
async function buildSets(
  sources: Sources,
  forms: ReadonlyMap<string, string>,
  outdir: string,
): Promise<void> {
  const { root } = sources;
  const modules = setModules(sources, forms);
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: {
      ...Object.fromEntries([...modules.keys()].map((name) => [name, `${WRITTEN}${name}`])),
      // Loads the systems that it is asked for, like the host.
      'systems-thread': join(root, 'nodes/_shared/systems-thread.ts'),
      // Apart from our own schemas: what is loaded in one go is to be small.
      [APART]: 'zod',
    },
    bundle: true,
    // esbuild divides code among files in this format only.
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    // Required by the registration of its set, in a function.
    external: [`./*${NODES}.js`],
    sourcemap: 'inline',
    write: false,
    metafile: true,
    outdir,
    plugins: [writtenModules(root, modules), noteBundled],
  });
  // Nobody asks for that entry itself.
  const files = outputFiles.filter(({ path }) => basename(path) !== `${APART}.js`);
  await Promise.all(files.map((file) => writeCommonJs(file)));
  const isNeeded = (module: string) => module.endsWith(NODES) || module.endsWith('nodes/_shared/routes.ts');
  await writeFile(join(outdir, 'load-order.json'), `${JSON.stringify(loadOrder(metafile, isNeeded))}\n`);
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

/** An entry that is there for its effect on the division into files. */
const APART = 'apart';

const WRITTEN = 'written:';

/** Modules that the build writes itself, by name. */
function writtenModules(root: string, texts: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'written-modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${WRITTEN}`) }, ({ path }) => ({ path, namespace: 'written' }));
      onLoad({ filter: /.*/, namespace: 'written' }, ({ path }) => ({
        contents: texts.get(path.slice(WRITTEN.length)),
        resolveDir: root,
      }));
    },
  };
}

/** The simulator, as a process or a thread, and the program of the store's thread. */
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
