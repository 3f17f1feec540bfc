import { stdnum } from 'stdnum';
import { generateWorld, newAccount, seededDeal } from '../../../simulator/seed/generate';
import {
  COMMERCIAL_MODELS,
  NETSUITE_LISTS,
  SERVICE_LINES,
  type SeedAccount,
} from '../../../simulator/seed/world';

const SEEDS = [1, 2, 42, 4_000_000_000];
const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;
const AMOUNT = /^\d+\.\d{2}$/;

const cents = (amount: string) => BigInt(amount.replace('.', ''));
const sum = (amounts: string[]) => amounts.reduce((total, amount) => total + cents(amount), 0n);

it('is the same for the same seed and differs between seeds', () => {
  expect(generateWorld(7)).toEqual(generateWorld(7));
  expect(generateWorld(7).deals).not.toEqual(generateWorld(8).deals);
});

describe.each(SEEDS)('world of seed %i', (seed) => {
  const world = generateWorld(seed);

  it('has 40 accounts in six countries, with nothing shared that should be unique', () => {
    const { accounts } = world;
    expect(accounts).toHaveLength(40);
    expect(new Set(accounts.map((a) => a.address.country))).toEqual(
      new Set(['DE', 'AT', 'FR', 'GB', 'CH', 'US']),
    );
    for (const of of [
      accounts.map((a) => a.key),
      accounts.map((a) => a.name),
      accounts.map((a) => a.website),
      accounts.map((a) => a.taxNumber),
    ]) {
      expect(new Set(of).size).toBe(40);
    }
    const emails = accounts.flatMap((account) => account.contacts.map((contact) => contact.email));
    expect(new Set(emails).size).toBe(emails.length);
    expect(emails.every((email) => /^[a-z]+\.[a-z]+@[a-z0-9-]+\.example$/.test(email))).toBe(true);
    expect(accounts.every((a) => a.contacts.length >= 2 && a.contacts.length <= 3)).toBe(true);
  });

  it('has tax numbers that pass the check of their country', () => {
    for (const { address, taxNumber } of world.accounts) {
      const validators = { DE: 'vat', AT: 'uid', FR: 'tva', GB: 'vat', CH: 'uid', US: 'ein' }[
        address.country
      ];
      const result = stdnum[address.country]?.[validators ?? '']?.validate(taxNumber);
      expect({ taxNumber, isValid: result?.isValid }).toEqual({ taxNumber, isValid: true });
    }
  });

  it('has open deals of every service line, commercial model and three currencies', () => {
    const lines = world.deals.flatMap((deal) => deal.lines);
    expect(world.deals.length).toBeGreaterThanOrEqual(60);
    expect(new Set(world.deals.map((deal) => deal.key)).size).toBe(world.deals.length);
    expect(new Set(lines.map((line) => line.commercialModel))).toEqual(new Set(COMMERCIAL_MODELS));
    expect(new Set(world.deals.map((deal) => deal.serviceLine))).toEqual(new Set(SERVICE_LINES));
    expect(new Set(world.deals.map((deal) => deal.currency))).toEqual(new Set(['EUR', 'GBP', 'USD']));
  });

  it('has sums that match to the cent, also in deals beyond the first', () => {
    const more = Array.from({ length: 200 }, (_, i) =>
      seededDeal(seed, world.deals.length + 1 + i, world.accounts),
    );
    for (const deal of [...world.deals, ...more]) {
      expect(sum(deal.lines.map((line) => line.amount))).toBe(cents(deal.amount));
      for (const line of deal.lines) {
        expect(line.amount).toMatch(AMOUNT);
        expect(BigInt(line.quantity) * cents(line.unitPrice)).toBe(cents(line.amount));
        if (line.schedule) expect(sum(line.schedule.map((part) => part.amount))).toBe(cents(line.amount));
      }
    }
  });

  it('has deals that fit their account and their own period', () => {
    for (const deal of world.deals) {
      const account = world.accounts.find(({ key }) => key === deal.accountKey);
      expect(account).toBeDefined();
      expect(deal.currency).toBe(account?.currency);
      expect(deal.region === 'AMER').toBe(account?.address.country === 'US');
      expect(deal.paymentTerms in NETSUITE_LISTS.terms).toBe(true);
      expect([deal.closeDate, deal.startDate, deal.endDate].every((date) => ISO_DATE.test(date))).toBe(true);
      expect(deal.closeDate < deal.startDate && deal.startDate < deal.endDate).toBe(true);
      for (const part of deal.lines.flatMap((line) => line.schedule ?? [])) {
        expect(part.date >= deal.startDate && part.date <= deal.endDate).toBe(true);
      }
      for (const line of deal.lines) {
        expect(line.retainer !== undefined).toBe(line.commercialModel === 'retainer');
        expect(line.markupPercent !== undefined).toBe(line.commercialModel === 'cost_plus');
      }
    }
  });

  it('has new accounts that nobody takes for one another', () => {
    const accounts = [...world.accounts, ...Array.from({ length: 1_000 }, (_, i) => newAccount(seed, i + 1))];
    for (const of of [
      (account: SeedAccount) => account.key,
      (account: SeedAccount) => account.name,
      (account: SeedAccount) => account.website,
    ])
      expect(new Set(accounts.map(of)).size).toBe(accounts.length);
  });
});
