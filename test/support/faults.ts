import type { Fault } from '../../simulator/kit/types';
import { SYSTEMS, type SystemName, type VendorControl } from './vendors';

/** A fault that strikes a share of all calls. */
export interface SeededFault extends Omit<Fault, 'id' | 'seed' | 'times'> {
  probability: number;
  only?: SystemName[];
}

/** Shares of all calls that meet a fault, as high as they may be while deals still come through within a minute. */
export const FAULTS: readonly SeededFault[] = [
  { kind: 'commit-then-drop', probability: 0.05 },
  { kind: 'commit-then-timeout', probability: 0.02, ms: 400 },
  { kind: 'rate-limit', probability: 0.03 },
  { kind: 'status', probability: 0.03, status: 500 },
  { kind: 'status', probability: 0.03, status: 503 },
  { kind: 'reset', probability: 0.03 },
  // Kantata's token does not expire: it is revoked by a person, and then a person gives a new one.
  { kind: 'expire-token', probability: 0.03, only: ['salesforce', 'netsuite'] },
  { kind: 'partial-page', probability: 0.1 },
];

/** These faults in every vendor, each with a seed of its own drawn from the given one. */
export async function armFaults(
  simulator: VendorControl,
  seed: number,
  faults: readonly SeededFault[] = FAULTS,
): Promise<void> {
  for (const [index, system] of SYSTEMS.entries()) {
    for (const [number, { only, ...fault }] of faults.entries()) {
      if (only?.includes(system) === false) continue;
      await simulator.fault(system, { ...fault, seed: seed + index * faults.length + number });
    }
  }
}
