import {
  type ConnectorDefaults,
  connectorDefaults,
  mappedEntityNames,
  targetFields,
} from '../../lib/mapping';
import type { MappingCatalogue } from './replies';
import { partsOf, stages } from './types';

export function mappingCatalogue(): MappingCatalogue {
  const known = stages.map((stage) => {
    const { system, direction } = partsOf(stage);
    return { stage, system, label: connectorDefaults[system]?.label ?? system, direction };
  });
  return {
    stages: known,
    fields: Object.fromEntries(mappedEntityNames.map((entity) => [entity, targetFields(entity)])),
    filled: Object.fromEntries(
      known.map(({ stage, system, direction }) => {
        const { fields } = connectorDefaults[system] ?? { fields: {} as ConnectorDefaults['fields'] };
        return [stage, fields[direction] ?? {}];
      }),
    ),
    tables: Object.fromEntries(known.map(({ system }) => [system, connectorDefaults[system]?.tables ?? {}])),
  };
}
