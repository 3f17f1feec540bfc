export { readTable, writeTable } from './csv';
export { connectorDefaults } from './defaults';
export { type Change, diffMappings } from './diff';
export {
  type Mapped,
  type MappedValue,
  Mapping,
  type MappingProblem,
  type MappingRequest,
} from './evaluate';
export { systemOfTarget, type TargetField, targetFields } from './fields';
export { type UnmappedField, unmappedFields } from './missing';
export { type MappedEntityName, mappedEntityNames } from './records';
export {
  type Direction,
  type Layer,
  type MappingSet,
  mappingSetSchema,
  parseMapping,
  type Rule,
  type Source,
} from './schema';
export { contentHash, versionOf } from './version';
