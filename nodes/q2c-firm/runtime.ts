import type { NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../lib/model';
import { parseFirm } from '../../lib/rules';
import { casePolicies } from '../_shared/case-policies';
import type { FirmNode } from '../_shared/firm-node';
import { atFirstRequest } from '../_shared/web';
import type { FirmProperties } from './types';

let registered = false;

/** What the form asks the host. Registered once per process: express never forgets a route. */
function registerRoutes(RED: NodeAPI): void {
  if (registered) return;
  registered = true;
  atFirstRequest(RED.httpAdmin, '/q2c/firm', async () => (await import('./routes')).registerFirmRoutes(RED));
}

/** The firm's own set-up: legal entities, selling rules, planning, lookup tables. */
export default function register(RED: NodeAPI): void {
  registerRoutes(RED);

  function FirmConfig(this: FirmNode, config: NodeDef & FirmProperties) {
    RED.nodes.createNode(this, config);
    try {
      this.firm = parseFirm(config.data);
      casePolicies.use(this.id, this.firm.casePolicy);
    } catch (error) {
      if (!(error instanceof Q2cError)) throw error;
      this.firm = error;
      this.error(error.message);
    }
    this.on('close', () => casePolicies.release(this.id));
  }

  RED.nodes.registerType('q2c-firm', FirmConfig);
}
