import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startSimulator } from '../../../simulator';
import { systems } from '../../../simulator/systems';

const folder = join(__dirname, '../../../simulator');

it('every folder with a system is listed; the build writes the list', () => {
  const folders = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'index.ts')));
  expect(systems.map(({ id }) => id)).toEqual(folders.sort());
});

it('refuses a system that does not exist', async () => {
  await expect(startSimulator({ port: 0, systems: ['nothing'] })).rejects.toThrow(
    'no simulator for "nothing"',
  );
});
