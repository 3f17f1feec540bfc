import type { SimContext } from '../kit/types';
import { serviceCode } from '../seed/deals';
import { SERVICES } from '../seed/vocabulary';
import { COMMERCIAL_MODELS, type CommercialModel, SERVICE_LINES, type SeedAccount } from '../seed/world';
import { INTEGRATION_USERNAME } from './auth';
import { makeId } from './ids';
import type { Org } from './org';
import { SALES_USERNAME } from './person';
import { objectNamed } from './schema';
import { CORPORATE_CURRENCY, CURRENCIES } from './schema/currencies';
import { STAGES } from './schema/sales';

/** What administrators enter before anybody sells: users, currencies, stages, products and prices. */

const PRICE_BOOK = 'Professional Services';
/** Currencies with prices from the start. */
const PRICED_CURRENCIES = ['EUR', 'GBP', 'USD'] as const;

const UNITS: Record<CommercialModel, { price: number; unit: string }> = {
  fixed_fee: { price: 50_000, unit: 'Each' },
  milestone: { price: 80_000, unit: 'Each' },
  time_and_materials: { price: 165, unit: 'Hours' },
  retainer: { price: 7_500, unit: 'Months' },
  usage: { price: 0.25, unit: 'Units' },
  cost_plus: { price: 10_000, unit: 'Each' },
};

const RATES: Record<(typeof CURRENCIES)[number], number> = {
  EUR: 1,
  USD: 1.09,
  GBP: 0.84,
  CHF: 0.94,
  JPY: 163.5,
};

/** Records that no save could make: they are there before the first user. */
export function insertSetUp(context: SimContext): void {
  const insert = inserter(context);
  insert('Organization', {
    Name: 'Meridian Consulting',
    Country: 'DE',
    InstanceName: 'SIM1',
    IsSandbox: true,
    OrganizationType: 'Enterprise Edition',
    FiscalYearStartMonth: 1,
  });
  insert('User', userData('Integration', 'Quote-to-Cash', INTEGRATION_USERNAME));
  insert('User', userData('Sam', 'Sales', SALES_USERNAME));
  for (const code of CURRENCIES) {
    insert('CurrencyType', {
      IsoCode: code,
      ConversionRate: RATES[code],
      DecimalPlaces: code === 'JPY' ? 0 : 2,
      IsActive: true,
      IsCorporate: code === CORPORATE_CURRENCY,
    });
  }
  for (const [i, stage] of STAGES.entries()) {
    insert('OpportunityStage', {
      MasterLabel: stage.name,
      ApiName: stage.name,
      IsActive: true,
      SortOrder: i + 1,
      IsClosed: stage.isClosed,
      IsWon: stage.isWon,
      ForecastCategory: stage.forecast,
      ForecastCategoryName: stage.forecast,
      DefaultProbability: stage.probability,
    });
  }
  insert('Pricebook2', { Name: 'Standard Price Book', IsActive: true, IsArchived: false, IsStandard: true });
}

function inserter({ db }: SimContext): (type: string, data: Record<string, unknown>) => void {
  let userId: string | null = null;
  return (type, data) => {
    const id = makeId(objectNamed(type).keyPrefix, db.next(`id.${type}`));
    if (type === 'User') userId ??= id;
    db.insert(type, id, { ...data, CreatedById: userId, LastModifiedById: userId });
  };
}

function userData(firstName: string, lastName: string, username: string): Record<string, unknown> {
  return {
    Username: username,
    FirstName: firstName,
    LastName: lastName,
    Email: username,
    IsActive: true,
    TimeZoneSidKey: 'Europe/Berlin',
    UserType: 'Standard',
    DefaultCurrencyIsoCode: CORPORATE_CURRENCY,
  };
}

/** One product for each service line and commercial model, priced in three currencies. */
export function insertProducts(org: Org): void {
  org.create(objectNamed('Pricebook2'), { Name: PRICE_BOOK, IsActive: true });
  for (const line of SERVICE_LINES) {
    for (const model of COMMERCIAL_MODELS) {
      org.create(objectNamed('Product2'), {
        Name: SERVICES[line].lines[model][0],
        ProductCode: serviceCode(line, model),
        Family: line,
        IsActive: true,
        QuantityUnitOfMeasure: UNITS[model].unit,
        CanUseRevenueSchedule: true,
      });
      for (const currency of PRICED_CURRENCIES) priceBookEntry(org, serviceCode(line, model), currency);
    }
  }
}

export function priceBookId(org: Org): string {
  return bookNamed(org, PRICE_BOOK);
}

/**
 * Id of the entry that prices a service in a currency; prices it, as an administrator would, when it is the first
 * sale in that currency. Null when there is no such product.
 */
export function priceBookEntry(org: Org, code: string, currency: string): string | null {
  const product = org.context.db.list('Product2').find(({ data }) => data.ProductCode === code);
  if (!product) return null;
  const bookId = priceBookId(org);
  const existing = org
    .children('PricebookEntry', 'Product2Id', product.id)
    .find(({ data }) => data.CurrencyIsoCode === currency && data.Pricebook2Id === bookId);
  if (existing) return existing.id;
  const model =
    COMMERCIAL_MODELS.find((m) => code.endsWith(serviceCode('strategy', m).slice(-2))) ?? 'fixed_fee';
  const entry = {
    Product2Id: product.id,
    UnitPrice: UNITS[model].price,
    IsActive: true,
    CurrencyIsoCode: currency,
  };
  org.create(objectNamed('PricebookEntry'), {
    ...entry,
    Pricebook2Id: bookNamed(org, 'Standard Price Book'),
  });
  return org.create(objectNamed('PricebookEntry'), { ...entry, Pricebook2Id: bookId }).id;
}

function bookNamed(org: Org, name: string): string {
  const [book] = org.context.db.findBy('Pricebook2', 'Name', name);
  if (!book) throw new Error(`The org has no price book "${name}"`);
  return book.id;
}

/** An account with its contacts. Its key is kept beside the record, see `deals.ts`. */
export function insertAccount(org: Org, account: SeedAccount): string {
  const { address } = account;
  const place = (prefix: string) => ({
    [`${prefix}Street`]: address.street,
    [`${prefix}City`]: address.city,
    [`${prefix}State`]: address.region ?? null,
    [`${prefix}PostalCode`]: address.postalCode,
    [`${prefix}Country`]: address.country,
  });
  const { id } = org.create(objectNamed('Account'), {
    Name: account.name,
    Type: 'Prospect',
    ...place('Billing'),
    Website: account.website,
    CurrencyIsoCode: account.currency,
    Q2C_Tax_Registration__c: account.taxNumber,
    Q2C_Tax_Status__c: 'registered',
    Q2C_Payment_Terms__c: account.paymentTerms,
  });
  for (const contact of account.contacts) {
    org.create(objectNamed('Contact'), {
      AccountId: id,
      FirstName: contact.firstName,
      LastName: contact.lastName,
      Email: contact.email,
      Title: contact.title,
      ...place('Mailing'),
      CurrencyIsoCode: account.currency,
      Q2C_Role__c: contact.role,
    });
  }
  return id;
}
