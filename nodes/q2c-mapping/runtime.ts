import type { NodeAPI, NodeDef } from 'node-red';
import { Mapping, parseMapping } from '../../lib/mapping';
import { Q2cError } from '../../lib/model';
import type { MappingNode } from '../_shared/mapping-node';
import type { NodeTypes } from '../_shared/node-types';
import type { MappingProperties } from './types';

/** The firm's mapping set, compiled once. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function MappingConfig(this: MappingNode, config: NodeDef & MappingProperties) {
    RED.nodes.createNode(this, config);
    this.content = config.data;
    try {
      this.mapping = new Mapping(parseMapping(config.data));
    } catch (error) {
      if (!(error instanceof Q2cError)) throw error;
      this.mapping = error;
      this.error(error.message);
    }
  }

  return { 'q2c-mapping': MappingConfig };
}
