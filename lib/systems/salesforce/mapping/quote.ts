import {
  type CanonicalId,
  type CommercialModel,
  commercialModels,
  type Draft,
  type Quantity,
  type Quote,
  type QuoteLine,
  type QuoteSchedule,
  type Retainer,
  taxCategories,
} from '../../../model';
import { decimalOf, textOf, wordOf } from '../../kit';
import type { Home } from '../client';
import type { LineRow, OpportunityRow, ScheduleRow } from '../records';
import { masterRef, moneyOf, originOf, partOf } from './values';

/** The products of an opportunity as a quote: Salesforce sells by line items whether or not it has quote records. */
export function quoteOf(
  deal: OpportunityRow,
  lines: readonly LineRow[],
  schedules: readonly ScheduleRow[],
  ids: { quote: CanonicalId; opportunity: CanonicalId },
  home: Home,
): Draft<Quote> {
  return {
    id: ids.quote,
    externalRefs: [],
    ...partOf<Partial<Quote>>({
      ...originOf(deal),
      opportunityId: ids.opportunity,
      lines: lines.map((line, index) => lineOf(line, index + 1, schedulesOf(line, schedules), home)),
      total: moneyOf(deal.Amount, deal.CurrencyIsoCode),
    }),
  };
}

function lineOf(row: LineRow, lineNo: number, schedule: QuoteSchedule[], home: Home): QuoteLine {
  const model = wordOf(row.Q2C_Commercial_Model__c, commercialModels);
  const serviceCode = textOf(row.ProductCode);
  return partOf<QuoteLine>({
    lineNo,
    description: textOf(row.Description) ?? textOf(row.Product2?.Name),
    serviceCode,
    // A word that is none of the models is passed on for the readiness check to name.
    commercialModel: model ?? textOf(row.Q2C_Commercial_Model__c),
    quantity: quantityOf(row, model, serviceCode),
    unitPrice: decimalOf(row.UnitPrice),
    amount: decimalOf(row.TotalPrice),
    capAmount: decimalOf(row.Q2C_Cap_Amount__c),
    retainer: model === 'retainer' ? retainerOf(row) : undefined,
    markup: decimalOf(row.Q2C_Markup__c),
    schedule: schedule.length > 0 ? schedule : undefined,
    taxCategory: taxCategoryOf(row),
    externalRefs: [masterRef(home, 'OpportunityLineItem', row)],
  });
}

/** What one piece of a line is, by its commercial model: Salesforce line items have no unit. */
function quantityOf(row: LineRow, model: CommercialModel | undefined, serviceCode: string | undefined) {
  const value = decimalOf(row.Quantity);
  return value === undefined ? undefined : partOf<Quantity>({ value, unit: unitOf(model, serviceCode) });
}

function unitOf(model: CommercialModel | undefined, serviceCode: string | undefined): string {
  if (model === 'time_and_materials') return 'hour';
  if (model === 'retainer') return 'month';
  if (model === 'usage' && serviceCode !== undefined)
    return `usage:${serviceCode.replace(/[^A-Za-z0-9_.-]/g, '_')}`;
  return 'each';
}

/** The unit price is the monthly fee; hours above the included ones cost the overage rate. */
function retainerOf(row: LineRow): Retainer {
  const included = decimalOf(row.Q2C_Included_Quantity__c);
  return partOf<Retainer>({
    period: 'month',
    fee: decimalOf(row.UnitPrice),
    includedQuantity: included === undefined ? undefined : { value: included, unit: 'hour' },
    overageRate: decimalOf(row.Q2C_Overage_Rate__c),
  });
}

/** Empty means standard; another word is passed on for the readiness check to name. */
function taxCategoryOf(row: LineRow): string {
  const written = textOf(row.Q2C_Tax_Category__c);
  return wordOf(written, taxCategories) ?? written ?? 'standard';
}

function schedulesOf(line: LineRow, schedules: readonly ScheduleRow[]): QuoteSchedule[] {
  return schedules
    .filter((row) => row.OpportunityLineItemId === line.Id && decimalOf(row.Revenue) !== undefined)
    .map((row, index) =>
      partOf<QuoteSchedule>({
        description: textOf(row.Description) ?? `${index + 1}`,
        date: textOf(row.ScheduleDate),
        amount: decimalOf(row.Revenue),
      }),
    );
}
