import type { NodeAPI, NodeDef } from 'node-red';
import { Mapping, parseMapping } from '../../lib/mapping';
import { Q2cError } from '../../lib/model';
import type { MappingNode } from '../_shared/mapping-node';
import { atFirstRequest } from '../_shared/web';
import type { MappingProperties } from './types';

let registered = false;

/** What the form asks the host. Registered once per process: express never forgets a route. */
function registerRoutes(RED: NodeAPI): void {
  if (registered) return;
  registered = true;
  atFirstRequest(RED.httpAdmin, '/q2c/mapping', async () =>
    (await import('./routes')).registerMappingRoutes(RED),
  );
}

/** The firm's mapping set, compiled once. */
export default function register(RED: NodeAPI): void {
  registerRoutes(RED);

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

  RED.nodes.registerType('q2c-mapping', MappingConfig);
}
