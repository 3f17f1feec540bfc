import {
  type Layer,
  Mapping,
  type MappingRequest,
  type MappingSet,
  mappingSetSchema,
  type Rule,
} from '../../../lib/mapping';
import { wonDeal } from '../../support/deals';

/** A rule that writes to NetSuite; by default the name of the opportunity. */
export const ruleOf = (fields: Partial<Rule>): Rule => ({
  system: 'netsuite',
  direction: 'write',
  entity: 'opportunity',
  target: 'name',
  source: { kind: 'path', path: 'name' },
  ...fields,
});

export const setOf = (...layers: Partial<Layer>[]): MappingSet =>
  mappingSetSchema.parse({
    format: 1,
    label: 'test',
    layers: layers.map((layer, at) => ({ name: `Layer ${at + 1}`, ...layer })),
  });

export const mappingOf = (...rules: Partial<Rule>[]): Mapping =>
  new Mapping(setOf({ rules: rules.map(ruleOf) }));

/** Maps a won deal, or another one, on its way to NetSuite. */
export const mapDeal = (mapping: Mapping, request: Partial<MappingRequest> = {}) =>
  mapping.map({ deal: wonDeal(), system: 'netsuite', direction: 'write', ...request });
