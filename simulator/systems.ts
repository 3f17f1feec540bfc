// One line per folder of `simulator/` that holds a system. Written by scripts/generate-simulators.mjs.
import type { SimulatedSystem } from './kit/types';
import { system as netsuite } from './netsuite';

export const systems: readonly SimulatedSystem[] = [netsuite];
