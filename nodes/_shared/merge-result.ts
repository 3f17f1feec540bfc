import { type CanonicalId, type DealDocument, dealDocumentParts } from '../../lib/model';
import type { OperationResult } from '../../lib/systems/kit/types';

/** The deal with a result merged in: fields of objects, elements of lists by id, cross-references by canonical id. */
export function mergeResult(
  deal: DealDocument,
  { merge = {}, refs }: Pick<OperationResult, 'refs' | 'merge'>,
): DealDocument {
  const merged: Record<string, unknown> = { ...deal };
  for (const [part, value] of Object.entries(merge)) {
    merged[part] = Array.isArray(value) ? mergeList(merged[part], value) : mergeObject(merged[part], value);
  }
  if (refs.length === 0) return merged;

  const refsOf = Map.groupBy(refs, ({ id }) => id);
  for (const [part, { many }] of Object.entries(dealDocumentParts)) {
    const value = merged[part];
    if (value === undefined) continue;
    const isTouched = many
      ? (value as Identified[]).some(({ id }) => refsOf.has(id))
      : refsOf.has((value as Identified).id);
    if (!isTouched) continue;
    merged[part] = many
      ? (value as Identified[]).map((element) => withRefs(element, refsOf))
      : withRefs(value as Identified, refsOf);
  }
  return merged;
}

type NewRef = OperationResult['refs'][number];

interface Identified {
  id: CanonicalId;
  externalRefs?: NewRef['ref'][];
}

/** A new reference takes the place of one of the same system, instance and type (invariant 8). */
function withRefs(entity: Identified, refsOf: Map<CanonicalId, NewRef[]>): Identified {
  const added = refsOf.get(entity.id)?.map(({ ref }) => ref);
  if (added === undefined) return entity;
  const replaced = (known: NewRef['ref']) =>
    added.some(
      ({ system, instance, type }) =>
        known.system === system && known.instance === instance && known.type === type,
    );
  const kept = (entity.externalRefs ?? []).filter((known) => !replaced(known));
  return { ...entity, externalRefs: [...kept, ...added] };
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
