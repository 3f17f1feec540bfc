import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('shared code is in lib.js and nowhere else, so that it exists once per host', async () => {
  const shared = /^\/\/ (lib|nodes\/_shared|nodes\/_system)\//m;
  expect(await read('lib.js')).toMatch(shared);
  for (const name of sets()) expect(await read(`${name}.js`)).not.toMatch(shared);
});

test('every set loads with what Node.js has and the files beside it', async () => {
  const program = `for (const name of ${JSON.stringify(sets())}) console.log(name, typeof require('./' + name + '.js').default);`;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: join(out, 'dist') });
  expect(stdout.trim().split('\n')).toEqual(sets().map((name) => `${name} function`));
});

test('nothing in the library is left to be required from packages', async () => {
  const required = [...(await read('lib.js')).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, id]) =>
    String(id),
  );
  // The parts that are loaded at first use lie beside it.
  expect(required.filter((id) => !isBuiltin(id) && !id.startsWith('./'))).toEqual([]);
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
