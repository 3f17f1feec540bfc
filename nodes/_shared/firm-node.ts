import type { Node, NodeAPI } from 'node-red';
import { Q2cError } from '../../lib/model';
import type { Firm } from '../../lib/rules';
import { requireConfig } from './input';

/** A `q2c-firm` node as other nodes see it. */
export interface FirmNode extends Node {
  /** The validated set-up, or why there is none. */
  firm: Firm | Q2cError;
}

/** @throws Q2cError when no firm is chosen or its set-up is not valid. */
export function requireFirm(RED: NodeAPI, id: string): Firm {
  const { firm } = requireConfig<FirmNode>(RED, id, "firm's set-up", 'q2c-firm');
  if (firm instanceof Q2cError) throw firm;
  return firm;
}

/** As `requireFirm`, null when none is chosen: operations without lookups need none. */
export function optionalFirm(RED: NodeAPI, id: string | undefined): Firm | null {
  return id ? requireFirm(RED, id) : null;
}
