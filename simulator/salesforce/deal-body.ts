import { ControlError } from '../kit/types';
import { COMMERCIAL_MODELS, SERVICE_LINES, type SeedDeal, type SeedDealLine } from '../seed/world';
import { sum } from './numbers';
import { PAYMENT_TERMS } from './schema/sales';

/** Body of `POST /_control/deals`, read. */
export interface DealBody {
  deal: SeedDeal;
  /** Fields of the records as the org names them, to enter what a SeedDeal cannot say (or should not). */
  opportunity: Record<string, unknown>;
  contract: Record<string, unknown>;
}

const DEAL_FIELDS = [
  'key',
  'name',
  'accountKey',
  'serviceLine',
  'region',
  'currency',
  'amount',
  'closeDate',
  'startDate',
  'endDate',
  'paymentTerms',
  'poNumber',
  'lines',
];

/**
 * A SeedDeal, of which everything may be left out: it is taken from `generated`. An amount that is left out beside
 * given lines is their sum; a given one stays even when it is not. `opportunity` and `contract` hold raw field values.
 * @throws ControlError `INVALID_DEAL` naming the field.
 */
export function readDeal(body: Record<string, unknown>, generated: SeedDeal): DealBody {
  const { opportunity = {}, contract = {}, ...given } = body;
  const unknown = Object.keys(given).find((name) => !DEAL_FIELDS.includes(name));
  if (unknown)
    throw invalid(
      `${unknown} is not a field of a deal; known are ${DEAL_FIELDS.join(', ')}, opportunity, contract`,
    );
  const lines = given.lines === undefined ? generated.lines : readLines(given.lines);
  const amountOfLines = String(sum(lines.map((line) => Number(line.quantity) * Number(line.unitPrice))));
  const deal: SeedDeal = {
    key: text(given, 'key', generated.key),
    name: text(given, 'name', generated.name),
    accountKey: text(given, 'accountKey', generated.accountKey),
    serviceLine: oneOf(given, 'serviceLine', SERVICE_LINES, generated.serviceLine),
    region: oneOf(given, 'region', ['EMEA', 'AMER'], generated.region),
    currency: text(given, 'currency', generated.currency),
    amount: decimal(given, 'amount', given.lines === undefined ? generated.amount : amountOfLines),
    closeDate: text(given, 'closeDate', generated.closeDate),
    startDate: text(given, 'startDate', generated.startDate),
    endDate: text(given, 'endDate', generated.endDate),
    paymentTerms: oneOf(given, 'paymentTerms', PAYMENT_TERMS, generated.paymentTerms),
    lines,
  };
  const poNumber = text(given, 'poNumber', generated.poNumber ?? '');
  if (poNumber !== '') deal.poNumber = poNumber;
  return { deal, opportunity: object(opportunity, 'opportunity'), contract: object(contract, 'contract') };
}

function readLines(value: unknown): SeedDealLine[] {
  if (!Array.isArray(value)) throw invalid('lines must be an array');
  return value.map((item, i) => readLine(object(item, `lines[${i}]`)));
}

function readLine(given: Record<string, unknown>): SeedDealLine {
  const quantity = decimal(given, 'quantity', '1');
  const unitPrice = decimal(given, 'unitPrice');
  const line: SeedDealLine = {
    serviceCode: text(given, 'serviceCode'),
    description: text(given, 'description', ''),
    commercialModel: oneOf(given, 'commercialModel', COMMERCIAL_MODELS),
    quantity,
    unitPrice,
    amount: decimal(given, 'amount', String(Number(quantity) * Number(unitPrice))),
  };
  if (given.capAmount !== undefined) line.capAmount = decimal(given, 'capAmount');
  if (given.markupPercent !== undefined) line.markupPercent = decimal(given, 'markupPercent');
  if (given.retainer !== undefined) line.retainer = readRetainer(object(given.retainer, 'retainer'));
  if (given.schedule !== undefined) line.schedule = readSchedule(given.schedule);
  return line;
}

function readRetainer(given: Record<string, unknown>): NonNullable<SeedDealLine['retainer']> {
  return {
    period: 'month',
    includedHours: decimal(given, 'includedHours'),
    overageRate: decimal(given, 'overageRate'),
  };
}

function readSchedule(value: unknown): NonNullable<SeedDealLine['schedule']> {
  if (!Array.isArray(value)) throw invalid('schedule must be an array');
  return value.map((item) => {
    const part = object(item, 'schedule[]');
    return {
      description: text(part, 'description', ''),
      date: text(part, 'date'),
      amount: decimal(part, 'amount'),
    };
  });
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} must be an object`);
  return Object.fromEntries(Object.entries(value));
}

function text(given: Record<string, unknown>, name: string, fallback?: string): string {
  const value = given[name] ?? fallback;
  if (typeof value !== 'string') throw invalid(`${name} must be a text`);
  return value;
}

function decimal(given: Record<string, unknown>, name: string, fallback?: string): string {
  const value = text(given, name, fallback);
  if (!/^-?\d+(\.\d+)?$/.test(value))
    throw invalid(`${name} must be a decimal as text, for example "1200.00"`);
  return value;
}

function oneOf<T extends string>(
  given: Record<string, unknown>,
  name: string,
  values: readonly T[],
  fallback?: T,
): T {
  const value = given[name] ?? fallback;
  const known = values.find((candidate) => candidate === value);
  if (known === undefined) throw invalid(`${name} must be one of ${values.join(', ')}`);
  return known;
}

function invalid(message: string): ControlError {
  return new ControlError('INVALID_DEAL', message);
}
