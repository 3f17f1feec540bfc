import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadSystem, manifests, type SystemId } from '../../../lib/systems';

const systemIds = Object.keys(manifests) as SystemId[];

const folders = readdirSync(join(__dirname, '../../../lib/systems'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'kit')
  .map(({ name }) => name);

test('every folder of lib/systems is listed in its index, and nothing else', () => {
  expect(systemIds.toSorted()).toEqual(folders.sort());
});

describe.each(systemIds)('%s', (id) => {
  const manifest = manifests[id];

  test('is named as its folder', () => {
    expect(manifest.id).toBe(id);
  });

  test('its code has exactly the operations and events of its manifest', async () => {
    const system = await loadSystem(id);
    const declared = Object.entries(manifest.entities ?? {}).flatMap(([entity, { operations }]) =>
      Object.keys(operations).map((verb) => `${entity}.${verb}`),
    );
    expect(system.manifest).toBe(manifest);
    expect(system.operations.map(({ entity, verb }) => `${entity}.${verb}`).sort()).toEqual(declared.sort());
    expect(system.events.map((event) => event.id).sort()).toEqual(Object.keys(manifest.events ?? {}).sort());
  });

  test('everything that writes can probe', async () => {
    const { operations } = await loadSystem(id);
    const blind = operations.filter(
      ({ duplicateSafety, probe }) => duplicateSafety !== 'read-only' && !probe,
    );
    expect(blind.map(({ entity, verb }) => `${entity}.${verb}`)).toEqual([]);
  });

  test('the manifest is pure data', () => {
    expect(structuredClone(manifest)).toEqual(manifest);
  });
});
