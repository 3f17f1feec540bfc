import { connectorDefaults } from './defaults';
import { targetFields } from './fields';
import { type MappedEntityName, mappedEntityNames } from './records';
import type { MappingSet } from './schema';

/** A field without which a record is not complete, and which nothing fills. */
export interface UnmappedField {
  entity: MappedEntityName;
  path: string;
}

/** Required fields of the records that a system hands over which neither its connector nor a rule fills. */
export function unmappedFields({ layers }: MappingSet, system: string): UnmappedField[] {
  const read = connectorDefaults[system]?.fields.read ?? {};
  const rules = layers
    .flatMap((layer) => layer.rules)
    .filter((rule) => rule.system === system && rule.direction === 'read');
  return mappedEntityNames.flatMap((entity) => {
    const ruled = rules.filter((rule) => rule.entity === entity).map(({ target }) => target);
    if (read[entity] === undefined && ruled.length === 0) return [];
    const filled = new Set([...Object.keys(read[entity] ?? {}), ...ruled]);
    return targetFields(entity)
      .filter(({ path, required }) => required && !isFilled(path, filled))
      .map(({ path }) => ({ entity, path }));
  });
}

/** By itself, or with an object around it that is filled as a whole. */
function isFilled(path: string, filled: ReadonlySet<string>): boolean {
  if (filled.has(path)) return true;
  const end = path.lastIndexOf('.');
  return end > 0 && isFilled(path.slice(0, end), filled);
}
