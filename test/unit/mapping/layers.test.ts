import fc from 'fast-check';
import {
  diffMappings,
  type Layer,
  Mapping,
  type MappingSet,
  mappingSetSchema,
  versionOf,
} from '../../../lib/mapping';
import { effectiveTables, layersFor } from '../../../lib/mapping/layers';
import { wonDeal } from '../../support/deals';
import { mapDeal, ruleOf, setOf } from './support';

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const target = fc.constantFrom('name', 'serviceLine', 'engagementType', 'region', 'extensions.netsuite.memo');
const rule = fc.record({ target, value: word, when: fc.constantFrom(undefined, 'true', 'false') });
const scope = fc.constantFrom(undefined, { region: 'EMEA' }, { region: 'AMER' });
const layer = fc.record({
  scope,
  rules: fc.uniqueArray(rule, { selector: ({ target: each }) => each, maxLength: 4 }),
  table: fc.dictionary(word, word, { maxKeys: 4 }),
});

function setFrom(
  layers: readonly {
    scope?: Layer['scope'];
    rules: { target: string; value: string; when?: string }[];
    table: Record<string, string>;
  }[],
): MappingSet {
  return setOf(
    ...layers.map(({ scope: limited, rules, table }) => ({
      ...(limited && { scope: limited }),
      rules: rules.map(({ target: filled, value, when }) =>
        ruleOf({ target: filled, source: { kind: 'constant', value }, ...(when && { when }) }),
      ),
      tables: { netsuite: { words: table } },
    })),
  );
}

const set = fc.array(layer, { minLength: 1, maxLength: 4 }).map(setFrom);

test('the last layer for the deal whose condition is true wins, field by field, and says so', async () => {
  await fc.assert(
    fc.asyncProperty(set, async (made) => {
      const { values, problems } = await mapDeal(new Mapping(made));
      expect(problems).toEqual([]);
      for (const { target: filled, after, origin, before } of values) {
        const winner = made.layers.findLast(
          ({ scope: limited, rules }) =>
            (limited?.region ?? 'EMEA') === 'EMEA' &&
            rules.some((each) => each.target === filled && each.when !== 'false'),
        );
        const counted = winner?.rules.find((each) => each.target === filled);
        expect(origin).toBe(winner?.name ?? null);
        expect(after).toBe(counted?.source.kind === 'constant' ? counted.source.value : before);
      }
    }),
    { numRuns: 60 },
  );
}, 30_000);

test('tables are layered entry by entry, and nothing that no layer has is made up', () => {
  fc.assert(
    fc.property(set, (made) => {
      const layers = layersFor(made, { legalEntities: [], region: 'EMEA' });
      const merged = effectiveTables(layers, 'netsuite').get('words') ?? new Map();
      const keys = new Set(layers.flatMap(({ tables }) => Object.keys(tables.netsuite?.words ?? {})));
      expect(new Set(merged.keys())).toEqual(keys);
      for (const [key, { value, origin }] of merged) {
        const last = layers.findLast(({ tables }) => tables.netsuite?.words?.[key] !== undefined);
        expect([value, origin]).toEqual([last?.tables.netsuite?.words?.[key], last?.name]);
      }
      const deal = wonDeal();
      const mapping = new Mapping(made);
      for (const [key, { value }] of merged)
        expect(mapping.lookUp(deal, 'netsuite', 'words', key)).toBe(value);
    }),
    { numRuns: 60 },
  );
}, 30_000);

test('within a layer the first rule whose condition is true counts', async () => {
  const constant = (value: string) => ({ kind: 'constant' as const, value });
  const rules = [
    ruleOf({ source: constant('a'), when: 'region = "AMER"' }),
    ruleOf({ source: constant('b'), when: 'region = "EMEA"' }),
    ruleOf({ source: constant('c') }),
  ];
  expect((await mapDeal(new Mapping(setOf({ rules })))).deal.opportunity?.name).toBe('b');
});

// ---------------------------------------------------------------- versions

test('a version is its label and its content: the same for equal sets, another for any difference', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const reread = mappingSetSchema.parse(JSON.parse(JSON.stringify(a)));
      expect(versionOf(reread)).toBe(versionOf(a));
      expect(versionOf(a) === versionOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b) || isSame(a, b));
    }),
  );
});

/** Equal but for the order of keys in tables. */
const isSame = (a: MappingSet, b: MappingSet): boolean => {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
};

test('a constant that is written otherwise is another version: it is sent as it is written', () => {
  const version = (value: string) =>
    versionOf(setOf({ rules: [ruleOf({ source: { kind: 'constant', value } })] }));
  expect(version('1.0')).not.toBe(version('1'));
  const labelled = { ...setOf({}), label: 'other' };
  expect(versionOf(labelled)).toMatch(/^other\+/);
  expect(versionOf(labelled).split('+')[1]).toBe(versionOf(setOf({})).split('+')[1]);
});

test('a diff is empty for equal sets, and the mirror of the diff the other way round', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      expect(diffMappings(a, structuredClone(a))).toEqual([]);
      const there = diffMappings(a, b);
      expect(there.length === 0).toBe(versionOf(a) === versionOf(b));
      const mirrored = { added: 'removed', removed: 'added', changed: 'changed' } as const;
      const back = diffMappings(b, a).map(({ kind, before, after, ...rest }) => ({
        ...rest,
        kind: mirrored[kind],
        before: after,
        after: before,
      }));
      const sorted = (changes: object[]) =>
        changes.map((each) => JSON.stringify(Object.entries(each).sort())).sort();
      expect(sorted(back)).toEqual(sorted(there));
    }),
  );
});

test('a diff names rule, layer, and both values', () => {
  const before = setOf({ rules: [ruleOf({})], tables: { netsuite: { terms: { net_30: '2' } } } });
  const after = setOf({ rules: [ruleOf({ note: 'why' })], tables: { netsuite: { terms: { net_30: '9' } } } });
  expect(diffMappings(before, after)).toEqual([
    {
      kind: 'changed',
      what: 'rule',
      layer: 'Layer 1',
      name: 'netsuite write: opportunity.name',
      before: '{"source":{"kind":"path","path":"name"}}',
      after: '{"note":"why","source":{"kind":"path","path":"name"}}',
    },
    {
      kind: 'changed',
      what: 'entry',
      layer: 'Layer 1',
      name: 'netsuite.terms: net_30',
      before: '2',
      after: '9',
    },
  ]);
});
