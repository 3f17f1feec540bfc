import type { SimRecord } from '../kit/types';
import { addDays, addMonths } from '../seed/dates';
import { product, quotient, sum } from './numbers';
import type { CompoundAddress, Org } from './org';
import type { SObject } from './schema';
import { CONTRACT_STATUSES } from './schema/contracts';
import { STAGES } from './schema/sales';
import type { FieldValue } from './values';

type Compute = (record: SimRecord, org: Org) => FieldValue | CompoundAddress;

/** Fields that the platform works out when a record is read (`calculated` in the schema), by object and field. */
const COMPUTED: Record<string, Compute> = {
  'Contact.Name': (contact) => fullName(contact),
  'User.Name': (user) => fullName(user),
  'Opportunity.IsClosed': (opportunity) => stageOf(opportunity)?.isClosed ?? false,
  'Opportunity.IsWon': (opportunity) => stageOf(opportunity)?.isWon ?? false,
  'Opportunity.ForecastCategory': (opportunity) => forecastCategory(opportunity),
  'Opportunity.ExpectedRevenue': ({ data }) =>
    typeof data.Amount === 'number' ? product(data.Amount, numberOf(data.Probability) / 100, 2) : null,
  'Opportunity.HasOpportunityLineItem': ({ id }, org) =>
    org.children('OpportunityLineItem', 'OpportunityId', id).length > 0,
  'Opportunity.FiscalQuarter': ({ data }) => Math.ceil(Number(String(data.CloseDate).slice(5, 7)) / 3),
  'Opportunity.FiscalYear': ({ data }) => Number(String(data.CloseDate).slice(0, 4)),
  'Opportunity.Fiscal': ({ data }) => {
    const [year, month] = String(data.CloseDate).split('-').map(Number);
    return `${year} ${Math.ceil((month ?? 1) / 3)}`;
  },
  'Opportunity.ContactId': ({ id }, org) => {
    const primary = org
      .children('OpportunityContactRole', 'OpportunityId', id)
      .find((role) => role.data.IsPrimary);
    return textOf(primary?.data.ContactId);
  },
  'PricebookEntry.Name': (entry, org) => textOf(org.parent(entry, 'Product2Id')?.data.Name),
  'PricebookEntry.ProductCode': (entry, org) => textOf(org.parent(entry, 'Product2Id')?.data.ProductCode),
  'OpportunityLineItem.ProductCode': (line, org) => textOf(org.parent(line, 'Product2Id')?.data.ProductCode),
  'OpportunityLineItem.Name': (line, org) =>
    `${org.parent(line, 'OpportunityId')?.data.Name} ${org.parent(line, 'Product2Id')?.data.Name}`.slice(
      0,
      376,
    ),
  'OpportunityLineItem.ListPrice': (line, org) => priceOf(org.parent(line, 'PricebookEntryId')),
  'OpportunityLineItem.HasRevenueSchedule': ({ id }, org) =>
    org
      .children('OpportunityLineItemSchedule', 'OpportunityLineItemId', id)
      .some((part) => part.data.Type !== 'Quantity'),
  'Contract.EndDate': ({ data }) =>
    typeof data.StartDate === 'string' && typeof data.ContractTerm === 'number'
      ? addDays(addMonths(data.StartDate, data.ContractTerm), -1)
      : null,
  'Contract.StatusCode': ({ data }) => CONTRACT_STATUSES[String(data.Status)] ?? 'Draft',
  'Quote.LineItemCount': (quote, org) => quoteLines(quote, org).length,
  'Quote.Subtotal': (quote, org) => sum(quoteLines(quote, org).map(subtotal)),
  'Quote.TotalPrice': (quote, org) => sum(quoteLines(quote, org).map(totalPrice)),
  'Quote.GrandTotal': (quote, org) =>
    sum([
      ...quoteLines(quote, org).map(totalPrice),
      numberOf(quote.data.Tax),
      numberOf(quote.data.ShippingHandling),
    ]),
  'Quote.Discount': (quote, org) => {
    const full = sum(quoteLines(quote, org).map(subtotal));
    const reduction = full - sum(quoteLines(quote, org).map(totalPrice));
    return full === 0 ? 0 : quotient(reduction * 100, full, 2);
  },
  'Quote.IsSyncing': (quote, org) => org.parent(quote, 'OpportunityId')?.data.SyncedQuoteId === quote.id,
  'QuoteLineItem.ListPrice': (line, org) => priceOf(org.parent(line, 'PricebookEntryId')),
  'QuoteLineItem.Subtotal': (line) => subtotal(line),
  'QuoteLineItem.TotalPrice': (line) => totalPrice(line),
};

export function computedValue(
  org: Org,
  object: SObject,
  record: SimRecord,
  field: string,
): FieldValue | CompoundAddress {
  const compute = COMPUTED[`${object.name}.${field}`];
  if (compute) return compute(record, org);
  if (field.endsWith('Address')) return compoundAddress(record, field.slice(0, -'Address'.length));
  throw new Error(`Nothing computes ${object.name}.${field}`);
}

export function stageOf(opportunity: SimRecord): (typeof STAGES)[number] | undefined {
  return stageNamed(opportunity.data.StageName);
}

export function stageNamed(name: unknown): (typeof STAGES)[number] | undefined {
  return STAGES.find((stage) => stage.name === name);
}

function forecastCategory({ data }: SimRecord): string {
  const name = String(data.ForecastCategoryName ?? 'Pipeline');
  if (name === 'Best Case') return 'BestCase';
  return name === 'Commit' ? 'Forecast' : name;
}

function fullName({ data }: SimRecord): string {
  return [data.FirstName, data.LastName].filter((part) => typeof part === 'string').join(' ');
}

function compoundAddress({ data }: SimRecord, prefix: string): CompoundAddress | null {
  const part = (name: string) => textOf(data[`${prefix}${name}`]);
  const parts = {
    city: part('City'),
    country: part('Country'),
    postalCode: part('PostalCode'),
    state: part('State'),
    street: part('Street'),
  };
  if (Object.values(parts).every((value) => value === null)) return null;
  return { ...parts, geocodeAccuracy: null, latitude: null, longitude: null };
}

function quoteLines(quote: SimRecord, org: Org): SimRecord[] {
  return org.children('QuoteLineItem', 'QuoteId', quote.id);
}

function subtotal({ data }: SimRecord): number {
  return product(numberOf(data.Quantity), numberOf(data.UnitPrice), 2);
}

function totalPrice(line: SimRecord): number {
  return product(subtotal(line), 1 - numberOf(line.data.Discount) / 100, 2);
}

function priceOf(entry: SimRecord | undefined): number | null {
  return typeof entry?.data.UnitPrice === 'number' ? entry.data.UnitPrice : null;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
