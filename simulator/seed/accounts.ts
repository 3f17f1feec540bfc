import { between, pick, type Random } from '../kit/random';
import { type SeedCountry, taxNumber } from './tax-numbers';
import { CONTACT_TITLES, COUNTRIES } from './vocabulary';
import type { SeedAccount, SeedAddress } from './world';

const TERMS = ['net_30', 'net_30', 'net_30', 'net_45', 'net_60', 'eom_30', 'net_15'] as const;
const ROLES = ['buyer', 'billing', 'approver'] as const;

/** Accounts of each world. */
const WORLD_ACCOUNTS = Object.values(COUNTRIES).reduce((count, { stems }) => count + stems.length, 0);

/** 40 accounts in six countries with distinct names, websites, tax numbers and e-mail addresses. */
export function generateAccounts(random: Random): SeedAccount[] {
  const accounts: SeedAccount[] = [];
  for (const country of Object.keys(COUNTRIES).filter(isCountry)) {
    for (const stem of COUNTRIES[country].stems) {
      accounts.push(generateAccount(random, country, stem, accounts.length + 1));
    }
  }
  return accounts;
}

/**
 * The n-th account after those of the world, from 1: its number in its name makes name, website and e-mail addresses its
 * own.
 */
export function generateNewAccount(random: Random, n: number): SeedAccount {
  const number = WORLD_ACCOUNTS + n;
  const country = pick(random, Object.keys(COUNTRIES).filter(isCountry));
  return generateAccount(random, country, `${pick(random, COUNTRIES[country].stems)} ${number}`, number);
}

function isCountry(text: string): text is SeedCountry {
  return text in COUNTRIES;
}

function generateAccount(random: Random, country: SeedCountry, stem: string, n: number): SeedAccount {
  const words = COUNTRIES[country];
  const trade = pick(random, words.trades);
  const domain = `${slug(stem)}-${slug(trade)}.example`;
  return {
    key: `acc-${String(n).padStart(3, '0')}`,
    name: `${stem} ${trade} ${pick(random, words.legalForms)}`,
    address: generateAddress(random, country),
    taxNumber: taxNumber(random, country),
    currency: words.currency,
    paymentTerms: pick(random, TERMS),
    website: `https://www.${domain}`,
    contacts: generateContacts(random, country, domain),
  };
}

function generateAddress(random: Random, country: SeedCountry): SeedAddress {
  const words = COUNTRIES[country];
  const [city, postalCode, region] = pick(random, words.cities);
  const street = pick(random, words.streets);
  const number = between(random, 1, 180);
  const line = words.numberFirst ? `${number} ${street}` : `${street} ${number}`;
  return { street: line, city, postalCode, country, ...(region === undefined ? {} : { region }) };
}

function generateContacts(random: Random, country: SeedCountry, domain: string): SeedAccount['contacts'] {
  const { firstNames, lastNames } = COUNTRIES[country];
  const offset = between(random, 0, firstNames.length - 1);
  return ROLES.slice(0, between(random, 2, 3)).map((role, i) => {
    // Neighbours in the list differ, so two contacts of one account never share their address.
    const firstName = firstNames[(offset + i) % firstNames.length] ?? '';
    const lastName = pick(random, lastNames);
    const email = `${slug(firstName)}.${slug(lastName)}@${domain}`;
    return { firstName, lastName, email, title: CONTACT_TITLES[role], role };
  });
}

/** Letters and digits of a name as they stand in a host name: ü becomes ue, é becomes e. */
function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/ä/g, 'ae')
    .replace(/ö/g, 'oe')
    .replace(/ü/g, 'ue')
    .replace(/ß/g, 'ss')
    .normalize('NFD')
    .replace(/[^a-z0-9]/g, '');
}
