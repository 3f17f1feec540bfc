import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { breakages, broken } from '../../crash/breakages';

const root = join(__dirname, '../../..');

// The crash harness is broken on purpose by hand only, as that takes long; code moves on in between.
it.each(breakages.map(({ name, changes }) => [name, changes] as const))(
  'takes the protection out of the code as it is: %s',
  async (_, changes) => {
    for (const file of new Set(changes.map((change) => change.file))) {
      let text = await readFile(join(root, file), 'utf8');
      for (const change of changes.filter((other) => other.file === file)) text = broken(text, change);
      await expect(transform(text, { loader: 'ts' })).resolves.toMatchObject({ warnings: [] });
    }
  },
);

it('says what no longer fits', () => {
  const change = { file: 'a.ts', from: 'guard();', to: '' };
  expect(() => broken('work();', change)).toThrow('0 times in a.ts: guard();');
  expect(() => broken('guard(); guard();', change)).toThrow('2 times in a.ts: guard();');
});
