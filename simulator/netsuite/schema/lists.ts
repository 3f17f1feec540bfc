import {
  boolean,
  country,
  date,
  externalId,
  type Fields,
  indexed,
  integer,
  number,
  type RecordType,
  reference,
  required,
  text,
  url,
} from './fields';

/** A set-up list: named values with internal ids that other records point to. */
function list(name: string, fields: Fields = {}, title: readonly string[] = ['name']): RecordType {
  const common: Fields = { externalId, name: indexed(required(text(83))), isInactive: boolean };
  return {
    name,
    sequence: name,
    title,
    modified: false,
    heldBy: [],
    sublists: {},
    fields: { ...common, ...fields },
  };
}

export const lists: readonly RecordType[] = [
  list('subsidiary', {
    parent: reference('subsidiary'),
    legalName: text(83),
    country,
    currency: required(reference('currency')),
    federalIdNumber: text(40),
    url,
    email: { kind: 'email', max: 254 },
  }),
  list('currency', {
    symbol: required(text(4)),
    isBaseCurrency: boolean,
    displaySymbol: text(4),
    exchangeRate: required(number),
    currencyPrecision: integer,
  }),
  list('term', {
    daysUntilNetDue: integer,
    dateDriven: boolean,
    dayOfMonthNetDue: integer,
    discountPercent: number,
    daysUntilExpiry: integer,
  }),
  list('department', { parent: reference('department') }),
  list('classification', { parent: reference('classification') }),
  list('location', { parent: reference('location') }),
  list('salesTaxItem', { rate: number, description: text(300), effectiveFrom: date }),
  list('jobStatus', { description: text(300) }),
  list('jobType', { parent: reference('jobType') }),
  list('customerStatus', { description: text(300) }),
  list('projectExpenseType', { description: text(300) }),
  list('chargeType', { description: text(300) }),
  list('expenseCategory', { description: text(300) }),
  list('ledgerAccount', { acctNumber: text(60) }),
  {
    name: 'serviceSaleItem',
    sequence: 'item',
    title: ['itemId'],
    created: 'createdDate',
    modified: true,
    heldBy: [],
    sublists: {},
    fields: {
      externalId,
      itemId: indexed(required(text(60))),
      displayName: text(60),
      salesDescription: text(4000),
      department: reference('department'),
      isInactive: boolean,
    },
  },
];

/** Lists that forms offer but the record service does not serve under a name of their own. */
export const UNSERVED: ReadonlySet<string> = new Set(['ledgerAccount', 'projectExpenseType', 'chargeType']);
