// Written by the build from the folders beside it; do not edit.
import { system as kantata } from './kantata';
import type { SimulatedSystem } from './kit/types';
import { system as netsuite } from './netsuite';
import { system as salesforce } from './salesforce';

const all = {
  kantata,
  netsuite,
  salesforce,
};
export const systems: readonly SimulatedSystem[] = Object.values(all);
