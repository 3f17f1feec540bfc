import type { SimRecord } from '../../kit/types';
import { saveError } from '../errors';
import { product, quotient, sum } from '../numbers';
import type { Org } from '../org';
import { objectNamed } from '../schema';
import type { Data } from '../validation';
import type { ObjectRules } from './types';

export const opportunityLineItemRules: ObjectRules = {
  beforeInsert(org, data, given) {
    const opportunity = requiredParent(org, 'Opportunity', data, 'OpportunityId');
    const entry = entryFor(org, opportunity, data);
    data.PricebookEntryId = entry.id;
    data.Product2Id = String(entry.data.Product2Id);
    data.CurrencyIsoCode = String(opportunity.data.CurrencyIsoCode);
    if (!opportunity.data.Pricebook2Id)
      org.write(opportunity, { Pricebook2Id: String(entry.data.Pricebook2Id) });
    price(data, given);
  },
  beforeUpdate(_org, _before, data, changes) {
    if ('Quantity' in changes || 'UnitPrice' in changes || 'TotalPrice' in changes) price(data, changes);
  },
  afterChange(org, line) {
    rollUpOpportunity(org, String(line.data.OpportunityId));
  },
};

/** One of unit price and total price is given, the other follows from the quantity. */
function price(data: Data, given: Data): void {
  const { Quantity: quantity } = data;
  if (typeof quantity !== 'number') return; // reported as missing with the other required fields
  const hasUnit = typeof given.UnitPrice === 'number';
  const hasTotal = typeof given.TotalPrice === 'number';
  if (hasUnit && hasTotal) {
    const message = 'field integrity exception: UnitPrice, TotalPrice (only one of them may be specified)';
    throw saveError('FIELD_INTEGRITY_EXCEPTION', message, ['UnitPrice', 'TotalPrice']);
  }
  if (hasTotal && typeof data.TotalPrice === 'number') {
    data.UnitPrice = quantity === 0 ? 0 : quotient(data.TotalPrice, quantity, 2);
  } else if (typeof data.UnitPrice === 'number') {
    data.TotalPrice = product(quantity, data.UnitPrice, 2);
  } else {
    throw saveError('REQUIRED_FIELD_MISSING', 'Required fields are missing: [UnitPrice]', ['UnitPrice']);
  }
}

/** The price book entry of a line: named, or found by product in the price book and currency of the opportunity. */
function entryFor(org: Org, opportunity: SimRecord, data: Data): SimRecord {
  if (!data.PricebookEntryId && !data.Product2Id) {
    throw saveError('REQUIRED_FIELD_MISSING', 'Required fields are missing: [PricebookEntryId]', [
      'PricebookEntryId',
    ]);
  }
  const entry = data.PricebookEntryId
    ? requiredParent(org, 'PricebookEntry', data, 'PricebookEntryId')
    : entryOfProduct(org, opportunity, String(data.Product2Id));
  const { Pricebook2Id: book, CurrencyIsoCode: currency } = opportunity.data;
  if (book && entry.data.Pricebook2Id !== book) {
    throw integrity('pricebook entry is in a different pricebook than the one assigned to the opportunity');
  }
  if (entry.data.CurrencyIsoCode !== currency) {
    throw integrity('the pricebook entry currency code does not match the opportunity currency code');
  }
  if (!entry.data.IsActive) throw integrity('pricebook entry is inactive');
  return entry;
}

function entryOfProduct(org: Org, opportunity: SimRecord, productId: string): SimRecord {
  const { Pricebook2Id: book, CurrencyIsoCode: currency } = opportunity.data;
  const entry = org
    .children('PricebookEntry', 'Product2Id', productId)
    .find(
      ({ data }) => data.CurrencyIsoCode === currency && (book ? data.Pricebook2Id === book : data.IsActive),
    );
  if (!entry) throw integrity('no price book entry for this product in the price book of the opportunity');
  return entry;
}

function integrity(reason: string) {
  return saveError('FIELD_INTEGRITY_EXCEPTION', `field integrity exception: PricebookEntryId (${reason})`, [
    'PricebookEntryId',
  ]);
}

/** Amount and quantity of an opportunity are the sums over its lines; without lines the last Amount stays. */
function rollUpOpportunity(org: Org, id: string): void {
  const opportunity = org.find(objectNamed('Opportunity'), id);
  const lines = org.children('OpportunityLineItem', 'OpportunityId', id);
  if (!opportunity || lines.length === 0) return;
  org.write(opportunity, {
    Amount: sum(lines.map((line) => Number(line.data.TotalPrice))),
    TotalOpportunityQuantity: sum(lines.map((line) => Number(line.data.Quantity))),
  });
}

export const opportunityLineItemScheduleRules: ObjectRules = {
  beforeInsert(org, data) {
    const line = requiredParent(org, 'OpportunityLineItem', data, 'OpportunityLineItemId');
    if (!org.parent(line, 'Product2Id')?.data.CanUseRevenueSchedule) {
      throw saveError(
        'FIELD_INTEGRITY_EXCEPTION',
        'field integrity exception: Type (revenue schedules are not enabled for the product)',
        ['Type'],
      );
    }
    if (data.Type !== 'Quantity' && typeof data.Revenue !== 'number') {
      throw saveError('REQUIRED_FIELD_MISSING', 'Required fields are missing: [Revenue]', ['Revenue']);
    }
    data.CurrencyIsoCode = String(line.data.CurrencyIsoCode);
  },
  /** A line with a revenue schedule is worth what its schedule adds up to. */
  afterChange(org, part) {
    const line = org.find(objectNamed('OpportunityLineItem'), String(part.data.OpportunityLineItemId));
    if (!line) return;
    const parts = org.children('OpportunityLineItemSchedule', 'OpportunityLineItemId', line.id);
    if (parts.length === 0) return;
    const total = sum(parts.map(({ data }) => (typeof data.Revenue === 'number' ? data.Revenue : 0)));
    const quantity = Number(line.data.Quantity);
    org.write(line, { TotalPrice: total, UnitPrice: quantity === 0 ? 0 : quotient(total, quantity, 2) });
    rollUpOpportunity(org, String(line.data.OpportunityId));
  },
};

export const pricebookEntryRules: ObjectRules = {
  beforeInsert(org, data) {
    const siblings = org
      .children('PricebookEntry', 'Product2Id', String(data.Product2Id))
      .filter((entry) => entry.data.CurrencyIsoCode === data.CurrencyIsoCode);
    if (siblings.some((entry) => entry.data.Pricebook2Id === data.Pricebook2Id)) {
      throw saveError('DUPLICATE_VALUE', 'This price definition already exists in this price book', []);
    }
    const book = org.find(objectNamed('Pricebook2'), String(data.Pricebook2Id));
    const hasStandard = siblings.some((entry) => org.parent(entry, 'Pricebook2Id')?.data.IsStandard);
    if (book && !book.data.IsStandard && !hasStandard) {
      const message = 'Before creating a custom price, create a standard price.';
      throw saveError('STANDARD_PRICE_NOT_DEFINED', message, []);
    }
  },
};

/** @throws ApiError 400 when the parent is not named or does not exist. */
export function requiredParent(org: Org, type: string, data: Data, lookup: string): SimRecord {
  const id = data[lookup];
  if (typeof id !== 'string') {
    throw saveError('REQUIRED_FIELD_MISSING', `Required fields are missing: [${lookup}]`, [lookup]);
  }
  const parent = org.find(objectNamed(type), id);
  if (!parent) throw saveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', []);
  return parent;
}
