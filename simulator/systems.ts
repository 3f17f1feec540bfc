// One line per folder of `simulator/` that holds a system. Written by scripts/generate-simulators.mjs.
import type { SimulatedSystem } from './kit/types';
import { system as salesforce } from './salesforce';

export const systems: readonly SimulatedSystem[] = [salesforce];
