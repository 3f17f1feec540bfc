import shippedMapping from './default-mapping.json';

/** Configuration node: what the firm maps differently from the connectors, as versioned data. */
export interface MappingProperties {
  name: string;
  /** The mapping set as JSON text. */
  data: string;
}

export const defaults: MappingProperties = { name: '', data: JSON.stringify(shippedMapping, null, 2) };

/** Where a mapping works: behind reading from a system, or before writing to one. `<system>.<direction>`. */
export const stages = ['salesforce.read', 'netsuite.write', 'kantata.write'] as const;
export type Stage = (typeof stages)[number];

/** System and direction of a stage. */
export function partsOf(stage: string): { system: string; direction: 'read' | 'write' } {
  const [system = '', direction] = stage.split('.');
  return { system, direction: direction === 'read' ? 'read' : 'write' };
}
