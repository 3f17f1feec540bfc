import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSystem, manifests, type SystemId } from '../../../lib/systems';
import { systemReference, withReference } from '../../../scripts/docs/system-page';

const folder = join(__dirname, '../../../docs/systems');
const systemIds = Object.keys(manifests) as SystemId[];

test('every system has a page, and every page a system', () => {
  expect(readdirSync(folder).sort()).toEqual(systemIds.map((id) => `${id}.md`).sort());
});

test.each(systemIds)('the page of %s is what `npm run docs` would write', async (id) => {
  const page = readFileSync(join(folder, `${id}.md`), 'utf8');
  expect(withReference(page, systemReference(await loadSystem(id)))).toBe(page);
});

test.each(systemIds)('the reference of %s names every operation, event, field and setting', async (id) => {
  const system = await loadSystem(id);
  const { entities, events, customFields, classifiedFields, settings, auth } = system.manifest;
  const reference = systemReference(system);
  const names = [
    ...Object.entries(entities).flatMap(([entity, { operations }]) =>
      Object.keys(operations).map((verb) => `${entity}.${verb}`),
    ),
    ...Object.keys(events),
    ...customFields.map(({ name }) => name),
    ...Object.keys(classifiedFields),
    ...[...settings, ...auth.flatMap(({ fields }) => fields)].map((field) => field.id),
  ];
  expect(names.filter((name) => !reference.includes(`\`${name}\``))).toEqual([]);
});

test('what is written by hand stays', async () => {
  const page = readFileSync(join(folder, 'kantata.md'), 'utf8');
  const changed = withReference(page, 'other');
  const reference = systemReference(await loadSystem('kantata'));
  expect(changed).not.toBe(page);
  expect(changed.length).toBe(page.length - reference.length + 'other'.length);
});

test('a page without markers is refused', () => {
  expect(() => withReference('# Kantata OX\n', 'reference')).toThrow('needs these two lines');
});
