import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { bundledPackages, noteBundled } from './bundled.ts';
import type { Sources } from './sources.ts';

/** Imported by the host with `import()` or `require()`; CommonJS works in every supported Node-RED. */
const options = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  // Parts are loaded with `require`: they are CommonJS, like everything here.
  supported: { 'dynamic-import': false },
  sourcemap: 'linked',
  sourcesContent: false,
  // The texts of all licences are in one file (notices.ts).
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Bundles the server side: `lib.js`, one file per node set, and the parts that are loaded at first use.
 *
 * Stores, connections and token caches live in module variables. They exist once per host only if every set
 * requires the same built file, so whatever a set imports from `lib/`, `nodes/_shared/` or `nodes/_system/` is
 * taken out of its bundle and asked from `lib.js`, which holds those modules by their path in the repository.
 */
export async function buildRuntimes(sources: Sources, outdir: string): Promise<void> {
  const shared = new Set<string>();
  const sets = [
    ...sources.nodes.map(({ name, folder }) => buildSet(name, { entryPoints: [join(folder, 'runtime.ts')] })),
    ...sources.systems.map(({ name, manifest }) =>
      buildSet(name, { stdin: systemEntry(sources.root, manifest.id) }),
    ),
  ];
  async function buildSet(name: string, entry: Pick<BuildOptions, 'entryPoints' | 'stdin'>): Promise<void> {
    const plugins = [sharedModules(sources.root, shared), lazyParts(sources.root), noteBundled];
    await build({ ...options, ...entry, outfile: join(outdir, `${name}.js`), plugins });
  }
  await Promise.all([...sets, buildParts(sources.root, outdir), buildCommands(sources.root, outdir)]);
  await buildLib(sources.root, outdir, [...shared].sort());
}

/** The runtime of a generated set. */
function systemEntry(root: string, id: string): NonNullable<BuildOptions['stdin']> {
  const contents = `import { registerSystem } from './nodes/_system/runtime';
export default (RED) => registerSystem(RED, '${id}');`;
  return { contents, resolveDir: root };
}

/** `lib.js`: `{ modules: { '<path in the repository>': <module> } }`. */
async function buildLib(root: string, outdir: string, modules: string[]): Promise<void> {
  const imports = modules.map((path, index) => `import * as m${index} from './${path}';`);
  const entries = modules.map((path, index) => `  '${path}': m${index},`);
  const contents = `${imports.join('\n')}
export const modules = {
${entries.join('\n')}
};
// Without this mark a default import would get the whole module.
for (const module of Object.values(modules)) Object.defineProperty(module, '__esModule', { value: true });`;
  await build({
    ...options,
    stdin: { contents, resolveDir: root },
    outfile: join(outdir, 'lib.js'),
    plugins: [lazyParts(root), noteBundled],
  });
}

/** Parts that most hosts never need, or not at once: each is a file of its own, loaded inside the host on first use. */
const LAZY_PARTS: Readonly<Record<string, string>> = {
  'simulator/index.ts': 'simulator',
  'lib/events/mqtt-client.ts': 'mqtt-client',
  'lib/observe/prometheus.ts': 'prometheus',
  'lib/observe/tracing/otel.ts': 'otel',
  'lib/store/postgres/pg-client.ts': 'pg-client',
};

/** The lazy parts, the simulator as a program of its own, and the program of the store's thread. */
async function buildParts(root: string, outdir: string): Promise<void> {
  const parts = {
    ...LAZY_PARTS,
    'simulator/main.ts': 'simulator-main',
    'nodes/_shared/store-thread.ts': 'store-thread',
  };
  const present = Object.entries(parts).filter(([file]) => existsSync(join(root, file)));
  const entryPoints = Object.fromEntries(present.map(([file, name]) => [name, join(root, file)]));
  if (present.length > 0) await build({ ...options, entryPoints, outdir, plugins: [noteBundled] });
  if (existsSync(join(root, 'lib/mapping'))) await copyInterpreter(root, outdir);
}

/** JSONata is evaluated in a context of its own, which takes the text of the interpreter, not a module. */
async function copyInterpreter(root: string, outdir: string): Promise<void> {
  const folder = dirname(createRequire(join(root, 'package.json')).resolve('jsonata/package.json'));
  await mkdir(outdir, { recursive: true });
  await copyFile(join(folder, 'jsonata.min.js'), join(outdir, 'jsonata.min.js'));
  bundledPackages.add(folder);
}

/** Programs for the command line (`bin` of package.json). Each stands alone: they must not load the nodes. */
async function buildCommands(root: string, outdir: string): Promise<void> {
  const folder = join(root, 'bin');
  if (!existsSync(folder)) return;
  const entryPoints = (await readdir(folder)).map((file) => join(folder, file));
  await build({ ...options, entryPoints, outdir: join(outdir, 'bin'), plugins: [noteBundled] });
}

const isShared = (file: string): boolean => /^(lib|nodes\/_(shared|system))\//.test(file);

/** Redirects imports of shared modules to `lib.js` and notes them in `shared`. */
function sharedModules(root: string, shared: Set<string>): Plugin {
  return {
    name: 'shared-modules',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /^\.\/lib\.js$/, namespace: 'shared-module' }, ({ path }) => ({
        path,
        external: true,
      }));
      onResolve({ filter: /^\./ }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === 'resolving') return undefined;
        const resolved = await resolve(path, { resolveDir, kind, pluginData: 'resolving' });
        const file = relative(root, resolved.path).split(sep).join('/');
        if (resolved.errors.length > 0 || !isShared(file)) return undefined;
        const module = file.replace(/\.ts$/, '');
        shared.add(module);
        return { path: module, namespace: 'shared-module' };
      });
      onLoad({ filter: /.*/, namespace: 'shared-module' }, ({ path }) => ({
        contents: `module.exports = require('./lib.js').modules[${JSON.stringify(path)}];`,
      }));
    },
  };
}

/** Keeps the import of a lazy part an import at run time, so that hosts that do not use it never load it. */
function lazyParts(root: string): Plugin {
  return {
    name: 'lazy-parts',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^\./ }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === 'resolving') return undefined;
        const resolved = await resolve(path, { resolveDir, kind, pluginData: 'resolving' });
        const part = LAZY_PARTS[relative(root, resolved.path).split(sep).join('/')];
        if (resolved.errors.length > 0 || part === undefined) return undefined;
        if (kind !== 'dynamic-import') {
          return { errors: [{ text: `${path} may only be imported lazily: await import(…)` }] };
        }
        return { path: `./${part}.js`, external: true };
      });
    },
  };
}
