import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { bundledPackages, noteBundled, packageFolder } from '../../../scripts/build/bundled';
import { thirdPartyNotices } from '../../../scripts/build/notices';

const run = promisify(execFile);
const root = join(__dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'q2c-notices-'));

beforeEach(() => bundledPackages.clear());
afterAll(() => rmSync(folder, { recursive: true }));

/** A package with these files. */
function makePackage(name: string, license: string, files: Record<string, string>): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.2.3', license }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

const names = () => [...bundledPackages].map((path) => path.replace(/^.*node_modules\//, ''));

test('the folder of a package is found, nested and scoped ones too', () => {
  expect(packageFolder('node_modules/zod/v4/core.js')).toBe('node_modules/zod');
  expect(packageFolder('/x/node_modules/@a/b/node_modules/@c/d/index.js')).toBe(
    '/x/node_modules/@a/b/node_modules/@c/d',
  );
  expect(packageFolder('lib/model/index.ts')).toBeNull();
  expect(packageFolder('\0/x/node_modules/zod/index.js?commonjs-proxy')).toBeNull();
});

test('esbuild tells whose code is in its output, and not whose was left out', async () => {
  await esbuild({
    stdin: {
      contents: "import { ulid } from 'ulid'; import { Kysely } from 'kysely'; console.log(ulid());",
      resolveDir: root,
    },
    bundle: true,
    write: false,
    platform: 'node',
    plugins: [noteBundled],
  });
  expect(names()).toEqual(['ulid']);
});

/** In a process of its own: Vite is an ES module, which Jest does not load. */
test('Vite tells whose modules it took in', async () => {
  const program = `
    import { build } from 'vite';
    import { noteBundledByVite } from './scripts/build/bundled.ts';
    const entry = { name: 'entry', resolveId: (id) => (id === 'entry' ? id : null), load: (id) => id === 'entry'
      ? "import { ulid } from '${root}/node_modules/ulid/dist/browser/index.js'; console.log(ulid());" : null };
    const { output } = await build({ configFile: false, logLevel: 'silent', plugins: [entry, noteBundledByVite],
      build: { write: false, rollupOptions: { input: 'entry' } } });
    console.log(output.find(({ fileName }) => fileName === 'bundled-packages.json').source);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
  for (const folder of JSON.parse(stdout) as string[]) bundledPackages.add(folder);
  expect(names()).toEqual(['ulid']);
});

test('every licence text comes once per version, with the notices that go with it', async () => {
  const { text, problems } = await thirdPartyNotices([
    makePackage('apache', 'Apache-2.0', { LICENSE: 'Apache text', NOTICE: 'made by Apache people' }),
    makePackage('in-readme', 'MIT', {
      'README.md':
        '# It\n\nUse it.\n\n## License\n\nCopyright (c) Ann\n\nPermission is hereby granted\n\n# Thanks\n\nto Bob',
    }),
    makePackage('apache', 'Apache-2.0', {}),
  ]);
  expect(problems).toEqual([]);
  expect(text.match(/^apache 1\.2\.3 \(Apache-2\.0\)$/gm)).toHaveLength(1);
  expect(text).toContain('Apache text\n\nmade by Apache people');
  expect(text).toContain('in-readme 1.2.3 (MIT)\n\nCopyright (c) Ann\n\nPermission is hereby granted\n');
  expect(text).not.toContain('to Bob');
});

test('a licence that is not allowed, and one without its text, are problems', async () => {
  const { problems } = await thirdPartyNotices([
    makePackage('copyleft', 'GPL-3.0', { 'LICENSE.md': 'GPL' }),
    makePackage('nameless', 'MIT', { 'readme.md': '## License\n\nMIT' }),
  ]);
  expect(problems).toEqual([
    'copyleft 1.2.3 is bundled, and its licence "GPL-3.0" is not allowed',
    'nameless 1.2.3 is bundled, and it brings no text of its licence',
  ]);
});
