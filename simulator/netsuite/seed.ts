import type { SimContext } from '../kit/types';
import { NETSUITE_LISTS, type SeedAccount, type SeedWorld } from '../seed/world';
import { createSecrets } from './auth/keys';
import { seedAccount } from './control';
import { type Env, envOf } from './env';
import type { Data } from './records/data';
import { createRecord } from './records/save';
import { typeOf } from './schema';

/**
 * Accounts of the world that NetSuite knows already, without an external id: what a connector must find by their
 * tax number in `vatRegNumber`, which is stored as the administrators typed it.
 */
const EXISTING_CUSTOMERS = 3;

/** Fills the account: set-up lists with the internal ids of the world, the firm's entities, a few customers. */
export async function seed(context: SimContext, world: SeedWorld): Promise<void> {
  await createSecrets(context.db);
  const env = envOf(context);
  seedAccount(env);
  seedLists(env);
  for (const entity of world.legalEntities) {
    insert(env, 'subsidiary', entity.netsuiteSubsidiary, {
      name: entity.name,
      legalName: entity.name,
      country: entity.country,
      currency: currencyId(entity.currency),
      federalIdNumber: entity.taxNumber,
    });
    insertEmployee(env, entity.netsuiteSubsidiary, entity.country);
  }
  for (const account of world.accounts.slice(0, EXISTING_CUSTOMERS)) seedCustomer(env, account, world);
}

const CURRENCIES = {
  USD: { name: 'US Dollar', displaySymbol: '$', exchangeRate: 1 },
  GBP: { name: 'British Pound', displaySymbol: '£', exchangeRate: 1.27 },
  EUR: { name: 'Euro', displaySymbol: '€', exchangeRate: 1.08 },
  CHF: { name: 'Swiss Franc', displaySymbol: 'Fr', exchangeRate: 1.12 },
};

const TERMS = {
  due_on_receipt: { name: 'Due on receipt', daysUntilNetDue: 0 },
  net_15: { name: 'Net 15', daysUntilNetDue: 15 },
  net_30: { name: 'Net 30', daysUntilNetDue: 30 },
  net_45: { name: 'Net 45', daysUntilNetDue: 45 },
  net_60: { name: 'Net 60', daysUntilNetDue: 60 },
  eom_30: { name: 'End of month + 30', daysUntilNetDue: 30, dateDriven: true },
  '2_10_net_30': { name: '2% 10 Net 30', daysUntilNetDue: 30, discountPercent: 2, daysUntilExpiry: 10 },
};

/** Rates of the home country of the German entity; the others are zero rates. */
const TAX_RATES: Readonly<Record<string, number>> = { standard: 19, reduced: 7 };

function seedLists(env: Env): void {
  for (const [symbol, id] of Object.entries(NETSUITE_LISTS.currency)) {
    const currency = CURRENCIES[symbol as keyof typeof CURRENCIES];
    insert(env, 'currency', id, {
      ...currency,
      symbol,
      currencyPrecision: 2,
      isBaseCurrency: symbol === 'USD',
    });
  }
  for (const [key, id] of Object.entries(NETSUITE_LISTS.terms))
    insert(env, 'term', id, TERMS[key as keyof typeof TERMS]);
  for (const [key, id] of Object.entries(NETSUITE_LISTS.department))
    insert(env, 'department', id, { name: titled(key) });
  for (const [key, id] of Object.entries(NETSUITE_LISTS.taxCode)) {
    insert(env, 'salesTaxItem', id, { name: titled(key), rate: TAX_RATES[key] ?? 0 });
  }
  for (const [key, id] of Object.entries(NETSUITE_LISTS.item)) seedItem(env, key, id);
  for (const [key, id] of Object.entries(NETSUITE_LISTS.jobStatus))
    insert(env, 'jobStatus', id, { name: titled(key) });
  for (const [key, id] of Object.entries(NETSUITE_LISTS.projectExpenseType)) {
    insert(env, 'projectExpenseType', id, { name: titled(key) });
  }
  insertNames(env, 'customerStatus', {
    6: 'LEAD-Unqualified',
    7: 'LEAD-Qualified',
    13: 'CUSTOMER-Closed Won',
    16: 'CUSTOMER-Lost Customer',
  });
  insertNames(env, 'chargeType', {
    '-19': 'Milestone',
    '-18': 'Fixed Date',
    '-17': 'Expense',
    '-16': 'Time',
  });
  insertNames(env, 'expenseCategory', { 1: 'Travel', 2: 'Lodging', 3: 'Meals', 4: 'Software' });
  insertNames(env, 'jobType', { 1: 'External', 2: 'Internal' });
  insertNames(env, 'ledgerAccount', {
    116: 'Undeposited Funds',
    119: 'Accounts Receivable',
    1: 'Checking',
    54: 'Consulting Revenue',
  });
  insertNames(env, 'location', { 1: 'Berlin', 2: 'New York' });
  insertNames(env, 'classification', { 1: 'Services' });
}

function seedItem(env: Env, key: string, id: string): void {
  const [serviceLine = '', model = ''] = key.split(':');
  const department = Object.entries(NETSUITE_LISTS.department).find(([line]) => line === serviceLine)?.[1];
  const itemId = `${titled(serviceLine)} - ${titled(model)}`;
  insert(env, 'serviceSaleItem', id, { itemId, displayName: itemId, department });
}

/** A customer that a person entered before there was any integration. */
function seedCustomer(env: Env, account: SeedAccount, world: SeedWorld): void {
  const home = world.legalEntities.find(
    ({ country }) => (country === 'US') === (account.address.country === 'US'),
  );
  const { address } = account;
  const body: Data = {
    companyName: account.name,
    subsidiary: { id: home?.netsuiteSubsidiary },
    currency: { id: currencyId(account.currency) },
    terms: { id: NETSUITE_LISTS.terms[account.paymentTerms] },
    vatRegNumber: account.taxNumber,
    url: account.website,
    email: account.contacts.find(({ role }) => role === 'billing')?.email,
    addressBook: {
      items: [
        {
          defaultBilling: true,
          defaultShipping: true,
          addressBookAddress: {
            addressee: account.name,
            addr1: address.street,
            city: address.city,
            zip: address.postalCode,
            ...(address.region !== undefined && { state: address.region }),
            country: { id: address.country },
          },
        },
      ],
    },
  };
  createRecord(
    typeOf('customer'),
    Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)),
    env,
  );
}

function insertEmployee(env: Env, subsidiary: string, country: string): void {
  const [firstName, lastName] = country === 'US' ? ['Dana', 'Reed'] : ['Jonas', 'Keller'];
  createRecord(
    typeOf('employee'),
    {
      firstName,
      lastName,
      email: `${firstName}.${lastName}@meridian.example`.toLowerCase(),
      subsidiary: { id: subsidiary },
    },
    env,
  );
}

function currencyId(symbol: string): string {
  const id = Object.entries(NETSUITE_LISTS.currency).find(([known]) => known === symbol)?.[1];
  if (id === undefined) throw new Error(`The NetSuite simulator has no currency ${symbol}`);
  return id;
}

function insertNames(env: Env, type: string, names: Readonly<Record<string, string>>): void {
  for (const [id, name] of Object.entries(names)) insert(env, type, id, { name });
}

function insert(env: Env, type: string, id: string, data: Data): void {
  env.db.insert(type, id, { isInactive: false, ...data });
}

function titled(key: string): string {
  return key.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
}
