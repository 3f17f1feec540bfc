import type { Node, NodeAPI } from 'node-red';
import type { Mapping } from '../../lib/mapping';
import { type DealDocument, Q2cError } from '../../lib/model';
import type { Firm } from '../../lib/rules';
import { requireConfig } from './input';
import type { Q2cMessage } from './message';

/** A `q2c-mapping` node as other nodes see it. */
export interface MappingNode extends Node {
  /** The compiled mapping set, or why there is none. */
  mapping: Mapping | Q2cError;
  /** The set as JSON text. */
  content: string;
}

/** What an operation needs to know of the mapping that its deal went through. */
export interface MappingInUse {
  version: string;
  lookUp(deal: DealDocument, system: string, table: string, key: string): string | undefined;
}

/** @throws Q2cError when no mapping set is chosen or it is not valid. */
export function requireMapping(RED: NodeAPI, id: string): Mapping {
  const { mapping } = requireConfig<MappingNode>(RED, id, 'mapping set', 'q2c-mapping');
  if (mapping instanceof Q2cError) throw mapping;
  return mapping;
}

/**
 * The mapping that a message went through; undefined = none. A message that waited while the mapping set was changed
 * takes its lookup values, and records its version, from the set as it is now.
 * @throws Q2cError when the mapping set is no longer there, or is not valid any more.
 */
export function mappingInUse(RED: NodeAPI, { q2c }: Q2cMessage, firm: Firm | null): MappingInUse | undefined {
  if (q2c?.mapping === undefined) return undefined;
  if (!RED.nodes.getNode(q2c.mapping.set)) {
    throw new Q2cError(
      'CONFIG_MISSING',
      `The mapping set of version ${q2c.mapping.version}, through which this deal went, is no longer in the flows. Deploy it again, or take the node that maps out and retry the run.`,
    );
  }
  const mapping = requireMapping(RED, q2c.mapping.set);
  return {
    version: mapping.version,
    lookUp: (deal, system, table, key) => mapping.lookUp(deal, system, table, key, legalEntityKeyIn(firm)),
  };
}

/** The short names that the firm gives its legal entities. */
export const legalEntityKeyIn = (firm: Firm | null) => (id: string) =>
  firm?.legalEntities.find((entity) => entity.id === id)?.key;
