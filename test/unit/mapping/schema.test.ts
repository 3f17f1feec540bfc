import {
  connectorDefaults,
  type Layer,
  parseMapping,
  targetFields,
  unmappedFields,
} from '../../../lib/mapping';
import { schemaAt, systemOfTarget } from '../../../lib/mapping/fields';
import { type MappedEntityName, mappedEntityNames } from '../../../lib/mapping/records';
import shipped from '../../../nodes/q2c-mapping/default-mapping.json';
import { ruleOf, setOf } from './support';

const text = (...layers: Partial<Layer>[]) =>
  JSON.stringify({
    format: 1,
    label: 'x',
    layers: layers.map((layer, at) => ({ name: `L${at}`, ...layer })),
  });

test.each([
  ['no JSON', '{', /^The mapping set is not JSON/],
  ['no layer', JSON.stringify({ format: 1, label: 'x', layers: [] }), /layers: /],
  ['another format', JSON.stringify({ format: 2, label: 'x', layers: [{ name: 'L' }] }), /format: /],
  ['an entry that nobody knows', text({ rule: [] } as Partial<Layer>), /Unrecognized key: "rule"/],
  ['two layers of one name', text({ name: 'a' }, { name: 'a' }), /two layers have the same name/],
  [
    'a field that is not there',
    text({ rules: [ruleOf({ target: 'nmae' })] }),
    /"nmae" is not a field of opportunity/,
  ],
  [
    'the id',
    text({ rules: [ruleOf({ target: 'id' })] }),
    /"id" is not a field of opportunity that rules may fill/,
  ],
  [
    'a member of a list',
    text({ rules: [ruleOf({ entity: 'quote', target: 'lines.0.amount' })] }),
    /is not a field of quote/,
  ],
  ['the prototype', text({ rules: [ruleOf({ target: '__proto__.x' })] }), /is not a field/],
  [
    'a path to the prototype',
    text({ rules: [ruleOf({ source: { kind: 'path', path: 'constructor.name' } })] }),
    /must be names joined by dots/,
  ],
  [
    'a field of another system',
    text({ rules: [ruleOf({ target: 'extensions.kantata.title' })] }),
    /only rules that write to kantata/,
  ],
  [
    "a system's field while reading",
    text({ rules: [ruleOf({ direction: 'read', target: 'extensions.netsuite.memo' })] }),
    /only rules that write to netsuite/,
  ],
  [
    'our own key',
    text({ rules: [ruleOf({ target: 'extensions.netsuite.externalId' })] }),
    /holds the key by which netsuite/,
  ],
  [
    'a rule that never counts',
    text({ rules: [ruleOf({}), ruleOf({ when: 'true' })] }),
    /opportunity\.name has a rule without condition before this one/,
  ],
  ['an empty entry', text({ tables: { netsuite: { terms: { a: '' } } } }), /tables\.netsuite\.terms\.a/],
])('%s is refused with its place', (_, json, message) => {
  expect(() => parseMapping(json)).toThrow(
    expect.objectContaining({ code: 'MAPPING_INVALID', message: expect.stringMatching(message) }),
  );
});

test('the shipped set is valid', () => {
  expect(parseMapping(JSON.stringify(shipped)).layers).toHaveLength(1);
});

test.each(mappedEntityNames)('every field of %s that is offered can be filled', (entity) => {
  const fields = targetFields(entity);
  expect(fields.length).toBeGreaterThan(3);
  for (const { path, type } of fields) {
    expect({ path, known: schemaAt(entity, path) !== undefined }).toEqual({ path, known: true });
    expect(type).not.toBe('');
  }
});

test('what the connectors are said to fill are fields', () => {
  for (const [system, { fields }] of Object.entries(connectorDefaults)) {
    for (const [entity, targets] of Object.entries({ ...fields.read, ...fields.write })) {
      for (const target of Object.keys(targets)) {
        const owner = systemOfTarget(target);
        const known = schemaAt(entity as MappedEntityName, target) !== undefined;
        expect({ system, entity, target, known }).toEqual({ system, entity, target, known: true });
        if (owner !== undefined) expect(owner).toBe(system);
      }
    }
  }
});

test('required fields that nobody fills are listed until a rule does', () => {
  expect(unmappedFields(setOf({}), 'salesforce')).toEqual([]);
  const rule = ruleOf({ system: 'salesforce', direction: 'read', entity: 'project', target: 'name' });
  const missing = unmappedFields(setOf({ rules: [rule] }), 'salesforce').map(
    ({ entity, path }) => `${entity}.${path}`,
  );
  expect(missing).toContain('project.code');
  expect(missing).not.toContain('project.name');
  const filled = setOf({ rules: [rule, { ...rule, target: 'code' }] });
  expect(unmappedFields(filled, 'salesforce').map(({ path }) => path)).not.toContain('code');
});
