import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RegisteredType, registeredTypes } from '../../scripts/build/inspect';
import { makeUserDir } from '../support/pack';

/** What is in the tarball, and what is not; the rules of the Flow Library (guides §5) that need no registry. */

const run = promisify(execFile);
const root = join(__dirname, '../..');

let pack: string;
let files: string[];
let manifest: Record<string, unknown>;

beforeAll(async () => {
  pack = join(await makeUserDir(), 'node_modules/@quote-to-cash/node-red');
  files = readdirSync(pack, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(pack, file)).isFile(),
  );
  manifest = JSON.parse(read('package.json'));
});

const read = (file: string) => readFileSync(join(pack, file), 'utf8');
const at = (...path: string[]) =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], manifest);

describe('files', () => {
  test('only what a host uses, and what a reader of the package looks for', () => {
    const allowed = [
      /^(package\.json|README\.md|LICENSE|THIRD-PARTY-NOTICES\.txt)$/,
      /^dist\/[\w.-]+\.(js|html)$/,
      /^dist\/load-order\.json$/,
      /^dist\/bin\/[\w-]+\.js$/,
      /^dist\/icons\/[\w-]+\.svg$/,
      /^dist\/locales\/[\w-]+\/[\w-]+\.(json|html)$/,
      /^examples\/\d [\w ]+\/[\w ,]+\.json$/,
      /^resources\/[\w/.-]+\.(js|css|html|svg|woff2?|json)$/,
      /^resources\/tenant\/[\w-]+\.zip$/,
    ];
    expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const file of [
      'README.md',
      'LICENSE',
      'THIRD-PARTY-NOTICES.txt',
      'dist/q2c-store.js',
      'dist/load-order.json',
    ]) {
      expect(files).toContain(file);
    }
  });

  test('no tests and no sources by another name', () => {
    expect(
      files.filter((file) => /\.(test|spec)\.|__(tests|mocks)__|fixture|\.tsx?$|\.map$/.test(file)),
    ).toEqual([]);
  });

  test('no secrets and no paths of the machine that built them', () => {
    const suspects: Record<string, RegExp> = {
      'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(\\n)?[A-Za-z0-9+/]{40}/,
      'cloud key': /\bAKIA[0-9A-Z]{16}\b/,
      'registry token': /_authToken|\bnpm_[A-Za-z0-9]{36}\b/,
      'repository token': /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
    };
    const found = files.flatMap((file) => {
      const text = read(file);
      if (text.includes(root)) return [`${file}: path of this machine`];
      return Object.keys(suspects)
        .filter((name) => suspects[name]?.test(text))
        .map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });

  test('nothing runs when it is installed', () => {
    const scripts = Object.keys(at('scripts') as object);
    const atInstall = /^(pre|post)?(install|uninstall|prepare)$|^(pre|post)?publish$|^dependencies$/;
    expect(scripts.filter((name) => atInstall.test(name))).toEqual([]);
    // npm builds whatever has this file.
    expect(files).not.toContain('binding.gyp');
    expect(at('dependencies')).toBeUndefined();
  });

  test('the command of the package starts with what is in it', async () => {
    const command = join(pack, String(at('bin', 'q2c-store')));
    const ended = await run(process.execPath, [command, 'explode', '--json'], { cwd: pack }).catch(
      (error) => error,
    );
    expect(JSON.parse(String(ended.stdout))).toMatchObject({ error: { code: 'USAGE' } });
  });
});

describe('licences', () => {
  test('every package whose code is in the files is named, with its text', () => {
    const notices = read('THIRD-PARTY-NOTICES.txt');
    // Their source maps, which stay in the repository, say which modules are in them.
    const modules = files
      .filter((file) => /^dist\/(bin\/)?[\w.-]+\.js$/.test(file) && file !== 'dist/jsonata.min.js')
      .flatMap((file) => {
        const map = readFileSync(join(root, `${file}.map`), 'utf8');
        return (JSON.parse(map) as { sources: string[] }).sources;
      });
    const names = modules.map((module) => /^.*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//.exec(module)?.[1]);
    const bundled = new Set(names.filter((name) => name !== undefined));
    expect(bundled.size).toBeGreaterThan(20);
    const named = [...notices.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \([\w.-]+\)$/gm)].map(([, name]) => name);
    expect([...bundled].filter((name) => !named.includes(name))).toEqual([]);
    expect(notices).toMatch(/^zod [\d.]+ \(MIT\)\n\nMIT License\n\nCopyright/m);
  });

  test('the same holds for the pages', () => {
    const scripts = files.filter((file) => /^resources\/.*\.js$/.test(file));
    const notices = read('THIRD-PARTY-NOTICES.txt');
    const expected = scripts.length === 0 ? [] : ['vue', 'vuetify', 'vue-router', 'chart.js'];
    expect(expected.filter((name) => !notices.includes(`\n${name} `))).toEqual([]);
  });
});

describe('the Flow Library', () => {
  const registered = (): RegisteredType[] =>
    files.filter((file) => /^dist\/[\w-]+\.html$/.test(file)).flatMap((file) => registeredTypes(read(file)));

  test('P01, P03: licence, repository and where to report bugs', () => {
    expect(at('license')).toBe('Apache-2.0');
    expect(at('repository', 'url')).toMatch(/^git\+https:/);
    expect(at('bugs', 'url') ?? at('bugs')).toMatch(/^https:/);
  });

  test('P04, P05: scoped name and keyword', () => {
    expect(at('name')).toMatch(/^@[\w-]+\/[\w-]+$/);
    expect(at('keywords')).toContain('node-red');
  });

  test('P06: versions of Node-RED; Node.js as old as its built-in SQLite needs', () => {
    expect(at('node-red', 'version')).toBe('>=4.1.0');
    // P07 warns: Node-RED 5.0 accepts 22.9, where node:sqlite is still behind a flag.
    expect(at('engines', 'node')).toBe('>=22.13');
  });

  test('D01 to D03: no dependencies that could be too many, bad or old', () => {
    expect(Object.keys((at('dependencies') as object | undefined) ?? {})).toEqual([]);
  });

  test('N01: every type has our prefix, and the parser reads it', () => {
    expect(registered().length).toBeGreaterThan(20);
    expect(registered().filter(({ type }) => !type.startsWith('q2c-'))).toEqual([]);
  });

  test('N02: every node type occurs in an example', () => {
    const examples = files.filter((file) => file.startsWith('examples/'));
    const used = new Set(
      examples.flatMap((file) => (JSON.parse(read(file)) as { type: string }[]).map(({ type }) => type)),
    );
    const unused = registered().filter(({ type, category }) => category !== 'config' && !used.has(type));
    expect(unused.map(({ type }) => type)).toEqual([]);
  });
});
