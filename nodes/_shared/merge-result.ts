import { type CanonicalId, type DealDocument, dealDocumentParts } from '../../lib/model';
import type { OperationResult } from '../../lib/systems/kit/types';

type Result = Pick<OperationResult, 'refs' | 'merge'>;

/** The deal with results merged in: fields of objects, elements of lists by id, cross-references by canonical id. */
export function mergeResults(deal: DealDocument, results: readonly Result[]): DealDocument {
  const merged: Record<string, unknown> = { ...deal };
  for (const { merge = {} } of results) {
    for (const [part, value] of Object.entries(merge)) {
      merged[part] = Array.isArray(value) ? mergeList(merged[part], value) : mergeObject(merged[part], value);
    }
  }
  const refs = results.flatMap((result) => result.refs);
  const refsOf = Map.groupBy(refs, ({ id }) => id);
  const entities = new Set<string>(refs.map(({ entity }) => entity));
  for (const [part, { entity, many }] of PARTS) {
    const value = merged[part];
    if (value === undefined || !entities.has(entity)) continue;
    merged[part] = many
      ? (value as Identified[]).map((element) => withRefs(element, refsOf))
      : withRefs(value as Identified, refsOf);
  }
  return merged;
}

const PARTS = Object.entries(dealDocumentParts);

type NewRef = OperationResult['refs'][number];

interface Identified {
  id: CanonicalId;
  externalRefs?: NewRef['ref'][];
}

/** A new reference takes the place of one of the same system, instance and type (invariant 8). */
function withRefs(entity: Identified, refsOf: Map<CanonicalId, NewRef[]>): Identified {
  const added = refsOf.get(entity.id);
  if (added === undefined) return entity;
  let externalRefs = entity.externalRefs ?? [];
  for (const { ref } of added) {
    const others = externalRefs.filter(
      ({ system, instance, type }) => system !== ref.system || instance !== ref.instance || type !== ref.type,
    );
    externalRefs = [...others, ref];
  }
  return { ...entity, externalRefs };
}

function mergeObject(old: unknown, value: unknown): unknown {
  return isObject(old) && isObject(value) ? { ...old, ...value } : value;
}

function mergeList(old: unknown, values: unknown[]): unknown[] {
  const list = Array.isArray(old) ? [...(old as Identified[])] : [];
  for (const value of values as Identified[]) {
    const index = list.findIndex(({ id }) => id === value.id);
    if (index < 0) list.push(value);
    else list[index] = { ...list[index], ...value };
  }
  return list;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
