import type { DealDocument } from '../model';
import {
  type Conserved,
  type Direction,
  type Layer,
  type MappingSet,
  type Measure,
  measures,
  type Rule,
  ruleKey,
} from './schema';

/** Which layers count for a deal, and which of their rules and entries win. */

/** Which deals are meant: all that a layer's scope asks for must be equal. */
export interface Scope {
  /** Its id, and its key in the firm's set-up if it has one; none while the deal has no legal entity. */
  legalEntities: readonly string[];
  region: string | undefined;
}

/** A rule with the layer that it comes from. */
export interface EffectiveRule extends Rule {
  origin: string;
}

/** An entry of a lookup table with the layer that it comes from. */
export interface EffectiveEntry {
  value: string;
  origin: string;
}

export function scopeOf(deal: DealDocument, keyOf: (legalEntityId: string) => string | undefined): Scope {
  const id = deal.contract?.legalEntityId ?? deal.customer?.legalEntityId ?? deal.project?.legalEntityId;
  const key = id === undefined ? undefined : keyOf(id);
  return {
    legalEntities: [id, key].filter((each) => each !== undefined),
    region: deal.opportunity?.region,
  };
}

/** The layers for a scope, the most general first. */
export function layersFor({ layers }: MappingSet, scope: Scope): Layer[] {
  return layers.filter(({ scope: { legalEntity, region } = {} }) => {
    if (legalEntity !== undefined && !scope.legalEntities.includes(legalEntity)) return false;
    return region === undefined || region === scope.region;
  });
}

/** True when something for the system counts for one legal entity only. */
export const dependsOnLegalEntity = ({ layers }: MappingSet, system: string): boolean =>
  layers.some(
    ({ scope, rules, tables }) =>
      scope?.legalEntity !== undefined &&
      (tables[system] !== undefined || rules.some((rule) => rule.system === system)),
  );

/**
 * The rules of one system and direction by what they fill, the first to be tried first: rules of later layers before
 * those of earlier ones, within a layer in its order. Behind a rule without condition comes none.
 */
export function effectiveRules(
  layers: readonly Layer[],
  system: string,
  direction: Direction,
): Map<string, EffectiveRule[]> {
  const found = new Map<string, EffectiveRule[]>();
  for (const { name, rules } of layers.toReversed()) {
    for (const rule of rules) {
      if (rule.system !== system || rule.direction !== direction) continue;
      const key = ruleKey(rule);
      const candidates = found.get(key) ?? [];
      if (candidates.at(-1)?.when === undefined && candidates.length > 0) continue;
      found.set(key, [...candidates, { ...rule, origin: name }]);
    }
  }
  return found;
}

/** The lookup tables of a system, entry by entry of the latest layer that has it. */
export function effectiveTables(
  layers: readonly Layer[],
  system: string,
): Map<string, Map<string, EffectiveEntry>> {
  const tables = new Map<string, Map<string, EffectiveEntry>>();
  for (const layer of layers) {
    for (const [table, entries] of Object.entries(layer.tables[system] ?? {})) {
      const merged = tables.get(table) ?? new Map<string, EffectiveEntry>();
      for (const [key, value] of Object.entries(entries)) merged.set(key, { value, origin: layer.name });
      tables.set(table, merged);
    }
  }
  return tables;
}

/** What the mapping must conserve: the latest declaration, else every measure. */
export function effectiveConserved(layers: readonly Layer[]): readonly Conserved[] {
  return (
    layers.findLast(({ conserves }) => conserves !== undefined)?.conserves ??
    (measures satisfies readonly Measure[])
  );
}
