import type { Layer, MappingSet, Rule } from './schema';

/** What two versions of a mapping set differ in, as data. */

export interface Change {
  kind: 'added' | 'removed' | 'changed';
  what: 'label' | 'layer' | 'rule' | 'entry';
  /** The layer's name; empty for the label. */
  layer: string;
  /** The rule's or entry's name within the layer. */
  name: string;
  before: string | null;
  after: string | null;
}

type Item = Pick<Change, 'what' | 'layer' | 'name'> & { value: string };

/** Changes from one version to another, none when they are equal. */
export function diffMappings(before: MappingSet, after: MappingSet): Change[] {
  const [old, now] = [itemsOf(before), itemsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    const item = was ?? is;
    if (item === undefined || was?.value === is?.value) return [];
    const { what, layer, name } = item;
    const kind = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    return { kind, what, layer, name, before: was?.value ?? null, after: is?.value ?? null };
  });
}

function itemsOf({ label, layers }: MappingSet): Map<string, Item> {
  const items: Item[] = [{ what: 'label', layer: '', name: '', value: label }, ...layers.flatMap(layerItems)];
  return new Map(items.map((item) => [JSON.stringify([item.what, item.layer, item.name]), item]));
}

/** A layer's place among the layers is part of it: it decides which one wins. */
function layerItems({ name: layer, scope, conserves, rules, tables }: Layer, position: number): Item[] {
  const own = JSON.stringify({ position: position + 1, scope, conserves });
  const entries = Object.entries(tables).flatMap(([system, ofSystem]) =>
    Object.entries(ofSystem).flatMap(([table, values]) =>
      Object.entries(values).map(
        ([key, value]): Item => ({ what: 'entry', layer, name: `${system}.${table}: ${key}`, value }),
      ),
    ),
  );
  return [{ what: 'layer', layer, name: '', value: own }, ...ruleItems(layer, rules), ...entries];
}

/** Rules for one target are told apart by their order, which decides which of them is asked first. */
function ruleItems(layer: string, rules: readonly Rule[]): Item[] {
  const counts = new Map<string, number>();
  return rules.map((rule) => {
    const { system, direction, entity, target, ...rest } = rule;
    const target_ = `${system} ${direction}: ${entity}.${target}`;
    const count = (counts.get(target_) ?? 0) + 1;
    counts.set(target_, count);
    const name = count === 1 ? target_ : `${target_} (${count})`;
    return { what: 'rule', layer, name, value: sorted(rest) };
  });
}

const sorted = (value: object): string =>
  JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
