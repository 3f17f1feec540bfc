import { seededRandom } from '../kit/random';
import { generateAccounts, generateNewAccount } from './accounts';
import { generateDeal } from './deals';
import { LEGAL_ENTITIES, type SeedAccount, type SeedDeal, type SeedWorld } from './world';

const OPEN_DEALS = 66;

/** The same world for the same seed, on every machine. */
export function generateWorld(seed: number): SeedWorld {
  const accounts = seededAccounts(seed);
  const deals = Array.from({ length: OPEN_DEALS }, (_, i) => seededDeal(seed, i + 1, accounts));
  return { seed, legalEntities: LEGAL_ENTITIES, accounts, deals };
}

/** The accounts of the world of a seed. */
export function seededAccounts(seed: number): SeedAccount[] {
  return generateAccounts(seededRandom(seed));
}

/** The n-th account after those of the world of a seed, from 1. */
export function newAccount(seed: number, n: number): SeedAccount {
  return generateNewAccount(seededRandom(Math.imul(seed + 1, 0x85ebca6b) + n), n);
}

/** The n-th deal of the world of a seed, also beyond those the world is born with. */
export function seededDeal(seed: number, n: number, accounts: readonly SeedAccount[]): SeedDeal {
  return generateDeal(seededRandom(Math.imul(seed + 1, 0x9e3779b1) + n), n, accounts);
}
