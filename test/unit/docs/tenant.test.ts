import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { manifests, type SystemId } from '../../../lib/systems';
import { zipOf } from '../../../scripts/build/zip';
import { tenantFiles } from '../../../scripts/tenant/files';

const folder = join(__dirname, '../../../tenant');

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');

/** Texts of an element, wherever it stands. */
const texts = (xml: string, element: string) =>
  [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, text]) => text);

/** What stands inside each element of that name. */
const parts = (xml: string, element: string) =>
  [...xml.matchAll(new RegExp(`<${element}>\\n([\\s\\S]*?)\\n  </${element}>`, 'g'))].map(([, text]) =>
    String(text),
  );

test.each(Object.keys(manifests) as SystemId[])(
  'the metadata of %s is what `npm run docs` would write',
  (id) => {
    const files = tenantFiles(manifests[id]);
    expect(files.size === 0 || filesIn(join(folder, id)).join()).toEqual(
      files.size === 0 || [...files.keys()].sort().join(),
    );
    for (const [path, text] of files) expect(read(id, path)).toBe(text);
  },
);

describe('Salesforce', () => {
  const { customFields, access } = manifests.salesforce;

  test('every custom field of the manifest is there with its type, and no other', () => {
    const found = filesIn(join(folder, 'salesforce/objects')).flatMap((file) =>
      parts(read('salesforce/objects', file), 'fields').map((field) => ({
        object: file.replace('.object', ''),
        name: texts(field, 'fullName')[0],
        type: texts(field, 'type')[0],
        length: texts(field, 'length')[0],
        key: [texts(field, 'externalId')[0], texts(field, 'unique')[0]].join(),
        precision: texts(field, 'precision')[0],
        scale: texts(field, 'scale')[0],
        values: texts(field, 'fullName').slice(1),
      })),
    );
    const names = {
      text: 'Text',
      picklist: 'Picklist',
      number: 'Number',
      currency: 'Currency',
      percent: 'Percent',
    };
    const wanted = customFields.map(({ object, name, type }) => ({
      object,
      name,
      type: names[type.kind],
      length: type.kind === 'text' ? String(type.length) : undefined,
      key: type.kind === 'text' ? `${type.key === true},${type.key === true}` : ',',
      precision: 'precision' in type ? String(type.precision) : undefined,
      scale: 'scale' in type ? String(type.scale) : undefined,
      values: type.kind === 'picklist' ? [...type.values] : [],
    }));
    const byName = (a: { object: string; name?: string }, b: typeof a) =>
      `${a.object}.${a.name}` < `${b.object}.${b.name}` ? -1 : 1;
    expect(found.sort(byName)).toEqual(wanted.sort(byName));
    expect(texts(read('salesforce/package.xml'), 'members').slice(0, -1).sort()).toEqual(
      customFields.map(({ object, name }) => `${object}.${name}`).sort(),
    );
  });

  test('the permission set gives the rights of the manifest, and edits what we write', () => {
    const xml = read('salesforce/permissionsets/Q2C_Integration.permissionset');
    const objects = parts(xml, 'objectPermissions').map((part) => [
      texts(part, 'object')[0],
      texts(part, 'allowCreate')[0],
      texts(part, 'allowEdit')[0],
    ]);
    expect(objects).toEqual(
      access
        .filter(({ permissionKey }) => permissionKey !== undefined)
        .map(({ object, rights }) => [
          object,
          String(rights.includes('create')),
          String(rights.includes('update')),
        ]),
    );
    const fields = parts(xml, 'fieldPermissions').map((part) => [
      texts(part, 'field')[0],
      texts(part, 'editable')[0],
    ]);
    expect(fields).toEqual(
      customFields.map(({ object, name, written }) => [`${object}.${name}`, String(written)]),
    );
  });
});

describe('NetSuite', () => {
  test('the role has the permission of every record type, the field its name and length', () => {
    const { access, customFields } = manifests.netsuite;
    const role = read('netsuite/src/Objects/customrole_q2c_integration.xml');
    const permissions = [...role.matchAll(/<permkey>(\w+)<\/permkey>\s*<permlevel>(\w+)<\/permlevel>/g)].map(
      ([, key, level]) => [key, level],
    );
    for (const { permissionKey, rights } of access) {
      expect(permissions).toContainEqual([permissionKey, rights.includes('create') ? 'FULL' : 'VIEW']);
    }
    for (const { name, type } of customFields) {
      const xml = read('netsuite/src/Objects', `${name}.xml`);
      expect(xml).toContain(`scriptid="${name}"`);
      expect(texts(xml, 'maxlength')).toEqual(type.kind === 'text' ? [String(type.length)] : []);
    }
  });
});

test('an archive holds the files, and is the same on every day', () => {
  const files = new Map([
    ['a.xml', 'Ähm <a/>\n'],
    ['folder/b.xml', 'b'.repeat(500)],
  ]);
  const archive = zipOf(files);
  expect(archive.equals(zipOf(files))).toBe(true);
  const found = new Map<string, string>();
  for (let at = 0; archive.readUInt32LE(at) === 0x04034b50; ) {
    const [packed, length] = [archive.readUInt32LE(at + 18), archive.readUInt16LE(at + 26)];
    const begin = at + 30 + length;
    const text = inflateRawSync(archive.subarray(begin, begin + packed)).toString('utf8');
    found.set(archive.subarray(at + 30, begin).toString('utf8'), text);
    at = begin + packed;
  }
  expect(found).toEqual(files);
});
