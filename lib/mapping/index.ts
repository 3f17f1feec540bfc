export { readTable, writeTable } from './csv';
export { type ConnectorDefaults, connectorDefaults } from './defaults';
export { type Change, diffMappings } from './diff';
export { type Mapped, Mapping, type MappingRequest } from './evaluate';
export { systemOfTarget, type TargetField, targetFields } from './fields';
export { type UnmappedField, unmappedFields } from './missing';
export type { MappedValue, MappingProblem } from './outcome';
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
