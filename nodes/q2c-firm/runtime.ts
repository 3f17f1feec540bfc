import type { NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../lib/model';
import { parseFirm } from '../../lib/rules';
import { casePolicies } from '../_shared/case-policies';
import type { FirmNode } from '../_shared/firm-node';
import type { NodeTypes } from '../_shared/node-types';
import type { FirmProperties } from './types';

/** The firm's own set-up: legal entities, selling rules, planning, lookup tables. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
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

  return { 'q2c-firm': FirmConfig };
}
