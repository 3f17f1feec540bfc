import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { type BuildResult, buildPack } from '../../../scripts/build/build';
import { findSources, type Sources } from '../../../scripts/build/sources';
import { updateWrittenFiles } from '../../../scripts/build/written';

const run = promisify(execFile);
const root = join(__dirname, '../../..');
const out = mkdtempSync(join(tmpdir(), 'q2c-build-'));

let result: BuildResult;
let sources: Sources;

// Builds the whole pack, on machines with other work.
jest.setTimeout(60_000);

beforeAll(async () => {
  sources = await findSources(root);
  result = await buildPack({ root, out, check: true });
}, 60_000);

afterAll(() => rmSync(out, { recursive: true }));

const read = (path: string) => readFile(join(out, 'dist', path), 'utf8');
const sets = () => [...sources.nodes, ...sources.systems].map(({ name }) => name);

test('nothing is missing or out of step', () => {
  expect(result).toEqual({ sets: sets().length, problems: [] });
});

test('every set has its files and package.json names it', async () => {
  const files = await readdir(join(out, 'dist'));
  expect(files).toEqual(expect.arrayContaining(sets().flatMap((name) => [`${name}.js`, `${name}.html`])));
  const { 'node-red': section } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(section.nodes)).toEqual(sets().sort());
});

/** Our modules that a built file holds, by path in the repository, with those of packages. */
async function modulesOf(file: string): Promise<string[]> {
  const { sources } = JSON.parse(await read(`${file}.map`)) as { sources: string[] };
  return sources.map((source) =>
    relative(root, join(out, 'dist', source))
      .split(sep)
      .join('/'),
  );
}

/** Files that are loaded inside a host; the others are programs of their own. */
const hostFiles = async () =>
  (await readdir(join(out, 'dist'))).filter(
    (file) =>
      file.endsWith('.js') && !/^(simulator-main|store-thread|systems-thread|jsonata\.min)\.js$/.test(file),
  );

test('every module is in one file only, so that it exists once per host', async () => {
  const places = new Map<string, string[]>();
  for (const file of await hostFiles()) {
    for (const module of await modulesOf(file)) places.set(module, [...(places.get(module) ?? []), file]);
  }
  expect([...places.keys()]).toEqual(expect.arrayContaining(['lib/engine/engine.ts', 'lib/store/sqlite.ts']));
  expect([...places].filter(([, files]) => files.length > 1)).toEqual([]);
  // Simulated vendors work in a thread (docs/decisions/0035).
  expect([...places.keys()].filter((module) => module.startsWith('simulator/'))).toEqual([]);
});

/** Modules that Node.js has loaded after a program, run where the sets are. */
async function loadedBy(program: string): Promise<string[]> {
  const told = `${program}
console.log(JSON.stringify(Object.keys(require.cache).map((file) => require('node:path').basename(file))));`;
  const { stdout } = await run(process.execPath, ['-e', told], { cwd: join(out, 'dist') });
  return (await Promise.all((JSON.parse(stdout) as string[]).map(modulesOf))).flat();
}

test('before there is a node, hardly more is loaded than the names of the types', async () => {
  const program = `const app = { use() {} };
const RED = { httpAdmin: app, httpNode: app, nodes: { registerType() {} } };
for (const name of ${JSON.stringify(sets())}) require('./' + name + '.js').default(RED);`;
  // Besides what the build has written itself, which lies nowhere in the repository.
  const own = (await loadedBy(program)).filter((module) => !module.startsWith('..'));
  expect(own.sort()).toEqual([
    'lib/api/roots.ts',
    'nodes/_shared/load-gently.ts',
    'nodes/_shared/node-types.ts',
    'nodes/_shared/web.ts',
    'nodes/q2c-firm/web.ts',
    'nodes/q2c-mapping/web.ts',
  ]);
});

test('every type is registered with its credentials, and has code to make nodes of it', async () => {
  const program = `const app = { use() {} };
const known = {}, made = [];
const registerType = (type, make, options) => { known[type] = options.credentials; };
const RED = { httpAdmin: app, httpNode: app, nodes: { registerType } };
for (const name of ${JSON.stringify(sets())}) {
  require('./' + name + '.js').default(RED);
  made.push(...Object.keys(require('./' + name + '.nodes.js').default(RED)));
}
console.log(JSON.stringify({ known: Object.fromEntries(Object.entries(known).map(([type, credentials]) => [type, credentials ?? null])), made }));`;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: join(out, 'dist') });
  const { known, made } = JSON.parse(stdout) as { known: Record<string, unknown>; made: string[] };
  expect(made).toEqual(expect.arrayContaining(Object.keys(known)));
  expect(Object.keys(known)).toEqual(expect.arrayContaining(sets()));
  const password = { type: 'password' };
  expect(Object.entries(known).filter(([, credentials]) => credentials !== null)).toEqual(
    expect.arrayContaining([
      ['q2c-store', { url: password, password }],
      ['q2c-broker', { user: { type: 'text' }, password }],
      ['q2c-kantata-connection', expect.objectContaining({ accessToken: password })],
    ]),
  );
});

test('no node loads what only some hosts need: connectors, page, programs’ interface, simulator, brokers, servers', async () => {
  const loaded = await loadedBy(
    `for (const name of ${JSON.stringify(sets())}) require('./' + name + '.nodes.js');`,
  );
  // What registers the types of nodes is pure data.
  const allowed =
    /^lib\/(api\/roots|systems\/(index|[^/]+\/manifest|kit\/(custom-field|errors|tokens|poll-overlap)))\.ts$/;
  const late =
    /^(simulator|lib\/api|lib\/systems)\/|\/(console-page|routes|lookup-routes)\.ts$|node_modules\/(undici|pg|mqtt|prom-client|@opentelemetry)\//;
  expect(loaded).toContain('lib/engine/engine.ts');
  expect(loaded.filter((module) => late.test(module) && !allowed.test(module))).toEqual([]);
});

test('what the nodes and the web server need can be loaded file by file', async () => {
  const program = `const known = () => Object.keys(require.cache).length;
const counts = require('./load-order.json').map((file) => { const before = known(); require('./' + file); return known() - before; });
for (const name of ${JSON.stringify(sets())}) require('./' + name + '.nodes.js');
console.log(JSON.stringify({ counts, all: known() }));`;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: join(out, 'dist') });
  const { counts, all } = JSON.parse(stdout) as { counts: number[]; all: number };
  expect(counts.filter((count) => count !== 1)).toEqual([]);
  // Besides the list itself.
  expect(all).toBe(counts.length + 1);
});

test('every set loads with what Node.js has and the files beside it', async () => {
  const files = sets().flatMap((name) => [name, `${name}.nodes`]);
  const program = `for (const name of ${JSON.stringify(files)}) console.log(name, typeof require('./' + name + '.js').default);`;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: join(out, 'dist') });
  expect(stdout.trim().split('\n')).toEqual(files.map((name) => `${name} function`));
});

test('nothing is left to be required from packages', async () => {
  const texts = await Promise.all((await hostFiles()).map(read));
  const required = texts.flatMap((text) => [...text.matchAll(/\brequire\("([^"]+)"\)/g)]);
  expect(required.map(([, id]) => String(id)).filter((id) => !isBuiltin(id) && !id.startsWith('./'))).toEqual(
    [],
  );
});

test('files that the build writes are compared in a check and written otherwise', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'q2c-written-'));
  mkdirSync(join(elsewhere, 'lib/systems'), { recursive: true });
  mkdirSync(join(elsewhere, 'simulator'));
  writeFileSync(join(elsewhere, 'package.json'), '{ "name": "pack" }');
  const found = { ...sources, root: elsewhere };
  const all = ['lib/systems/index.ts', 'simulator/systems.ts', 'package.json'];
  expect(await updateWrittenFiles(found, false)).toEqual(all);
  expect(await updateWrittenFiles(found, true)).toEqual([]);
  expect(await updateWrittenFiles(found, false)).toEqual([]);
  expect(await readFile(join(elsewhere, 'lib/systems/index.ts'), 'utf8')).toBe(
    await readFile(join(root, 'lib/systems/index.ts'), 'utf8'),
  );
  rmSync(elsewhere, { recursive: true });
});
