import type { SimRecord } from '../../kit/types';
import { badRequest } from '../errors';
import type { Org } from '../org';
import type { SObject } from '../schema';
import type { Ordering, Query } from './ast';
import { candidates, compileCondition } from './condition';
import { type Comparable, comparableValue, resolvePath } from './fields';

/**
 * Records a query finds, in its order; in order of creation when it names none.
 * @param withDeleted `queryAll`: also what lies in the recycle bin.
 * @param among Only these, for the children of one parent.
 */
export function selectRecords(
  org: Org,
  query: Query,
  object: SObject,
  withDeleted: boolean,
  among?: readonly SimRecord[],
): SimRecord[] {
  const all = among ?? source(org, query, object, withDeleted);
  const holds = query.where ? compileCondition(org, object, query.where) : null;
  const found = holds ? all.filter(holds) : [...all];
  sort(org, found, object, query.orderBy);
  return found.slice(query.offset, query.limit === null ? undefined : query.offset + query.limit);
}

function source(org: Org, query: Query, object: SObject, withDeleted: boolean): SimRecord[] {
  if (withDeleted) return org.context.db.list(object.name, { deleted: true });
  return candidates(org, object, query.where) ?? org.context.db.list(object.name);
}

function sort(org: Org, records: SimRecord[], object: SObject, orderings: readonly Ordering[]): void {
  if (orderings.length === 0) return;
  const keys = orderings.map((ordering) => {
    const path = resolvePath(org, object, ordering.path);
    if (!path.field.filterable || path.field.type === 'address') {
      throw badRequest('INVALID_FIELD', `field '${path.field.name}' can not be sorted in a query call`);
    }
    return { ordering, path };
  });
  const decorated = records.map((record) => ({
    record,
    values: keys.map(({ path }) => comparableValue(org, record, path)),
  }));
  decorated.sort((a, b) => {
    for (const [i, { ordering }] of keys.entries()) {
      const order = compare(a.values[i] ?? null, b.values[i] ?? null, ordering);
      if (order !== 0) return order;
    }
    return 0;
  });
  for (const [i, { record }] of decorated.entries()) records[i] = record;
}

function compare(a: Comparable, b: Comparable, { descending, nullsLast }: Ordering): number {
  if (a === b) return 0;
  if (a === null) return nullsLast ? 1 : -1;
  if (b === null) return nullsLast ? -1 : 1;
  return a < b === descending ? 1 : -1;
}
