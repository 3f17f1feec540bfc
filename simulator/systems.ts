// Written by the build from the folders beside it; do not edit.
import type { SimulatedSystem } from './kit/types';
import { system as kantata } from './kantata';
import { system as netsuite } from './netsuite';

export const systems: readonly SimulatedSystem[] = [kantata, netsuite];
