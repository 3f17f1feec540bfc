import { LEGAL_ENTITIES, type SeedWorld } from './world';

/** The same world for the same seed, on every machine. */
export function generateWorld(seed: number): SeedWorld {
  return { seed, legalEntities: LEGAL_ENTITIES, accounts: [], deals: [] };
}
