import { between, pick, type Random } from '../kit/random';
import { addDays, addMonths, endOfTerm, firstOfNextMonth } from './dates';
import { SERVICES } from './vocabulary';
import {
  COMMERCIAL_MODELS,
  type CommercialModel,
  SERVICE_LINES,
  type SeedAccount,
  type SeedDeal,
  type SeedDealLine,
  type ServiceLine,
} from './world';

/** Short form of a commercial model in a service code, for example `IMP-MS`. */
export const MODEL_CODES: Record<CommercialModel, string> = {
  fixed_fee: 'FF',
  milestone: 'MS',
  time_and_materials: 'TM',
  retainer: 'RT',
  usage: 'US',
  cost_plus: 'CP',
};

export function serviceCode(serviceLine: ServiceLine, model: CommercialModel): string {
  return `${SERVICES[serviceLine].code}-${MODEL_CODES[model]}`;
}

/**
 * The n-th deal (1, 2, 3 …) of the simulated firm: complete and consistent, so that it passes every check.
 * The amount is the exact sum of the lines, a schedule the exact sum of its line. The commercial model of the
 * first line goes round with n, so that six deals in a row show all six.
 */
export function generateDeal(random: Random, n: number, accounts: readonly SeedAccount[]): SeedDeal {
  const account = pick(random, accounts);
  const serviceLine = pick(random, SERVICE_LINES);
  const months = pick(random, [3, 6, 6, 9, 12, 12]);
  const closeDate = addDays('2026-01-05', between(random, 0, 330));
  const startDate = firstOfNextMonth(closeDate);
  const models = modelsOf(random, n);
  const lines = models.map((model) => generateLine(random, { model, serviceLine, startDate, months }));
  return {
    key: `deal-${String(n).padStart(4, '0')}`,
    name: `${account.name.split(' ').slice(0, -1).join(' ')} – ${pick(random, SERVICES[serviceLine].engagements)}`,
    accountKey: account.key,
    serviceLine,
    region: account.address.country === 'US' ? 'AMER' : 'EMEA',
    currency: account.currency,
    amount: decimal(lines.reduce((total, line) => total + cents(line.amount), 0)),
    closeDate,
    startDate,
    endDate: endOfTerm(startDate, months),
    paymentTerms: account.paymentTerms,
    ...(random() < 0.6 ? { poNumber: `PO-${between(random, 4_500_000, 4_599_999)}` } : {}),
    lines,
  };
}

function modelsOf(random: Random, n: number): CommercialModel[] {
  const first = COMMERCIAL_MODELS[(n - 1) % COMMERCIAL_MODELS.length] ?? 'fixed_fee';
  const others = COMMERCIAL_MODELS.filter((model) => model !== first && random() < 0.3);
  return [first, ...others].slice(0, 4);
}

interface LineTerms {
  model: CommercialModel;
  serviceLine: ServiceLine;
  startDate: string;
  months: number;
}

function generateLine(random: Random, terms: LineTerms): SeedDealLine {
  const { model, serviceLine } = terms;
  const service = SERVICES[serviceLine];
  const base = {
    serviceCode: serviceCode(serviceLine, model),
    description: pick(random, service.lines[model]),
    commercialModel: model,
  };
  switch (model) {
    case 'fixed_fee': {
      const fee = between(random, 24, 360) * 500_00;
      return { ...base, ...priced(1, fee), schedule: instalments(random, fee, terms) };
    }
    case 'milestone': {
      const fee = between(random, 40, 500) * 500_00;
      return { ...base, ...priced(1, fee), schedule: milestones(fee, terms) };
    }
    case 'time_and_materials': {
      const price = priced(between(random, 8, 120) * 8, between(random, 22, 48) * 5_00);
      return { ...base, ...price, capAmount: price.amount };
    }
    case 'retainer': {
      const overage = between(random, 24, 44) * 5_00;
      const retainer = {
        period: 'month' as const,
        includedHours: String(between(random, 4, 20) * 4),
        overageRate: decimal(overage),
      };
      return { ...base, ...priced(terms.months, between(random, 10, 60) * 250_00), retainer };
    }
    case 'usage':
      return { ...base, ...priced(between(random, 20, 400) * 100, between(random, 5, 95)) };
    case 'cost_plus': {
      const price = priced(1, between(random, 10, 120) * 250_00);
      return {
        ...base,
        ...price,
        capAmount: price.amount,
        markupPercent: pick(random, ['5', '8', '10', '12.5']),
      };
    }
  }
}

/** Half at the start and half at the end, or thirds; odd cents go to the last. */
function instalments(
  random: Random,
  fee: number,
  { startDate, months }: LineTerms,
): SeedDealLine['schedule'] {
  const parts = pick(random, [
    [50, 50],
    [40, 30, 30],
    [33.34, 33.33, 33.33],
  ]);
  const amounts = split(fee, parts);
  return amounts.map((amount, i) => ({
    description: `Instalment ${i + 1} of ${amounts.length}`,
    date: addMonths(startDate, Math.round((i * months) / amounts.length)),
    amount: decimal(amount),
  }));
}

function milestones(fee: number, { serviceLine, startDate, months }: LineTerms): SeedDealLine['schedule'] {
  const { phases } = SERVICES[serviceLine];
  const amounts = split(fee, phases.length === 3 ? [30, 40, 30] : [20, 30, 35, 15]);
  return phases.map((description, i) => ({
    description,
    date: addDays(addMonths(startDate, Math.ceil(((i + 1) * months) / phases.length)), -1),
    amount: decimal(amounts[i] ?? 0),
  }));
}

/** Parts of `total` by percentages that sum to 100; they sum to the total. */
function split(total: number, percentages: readonly number[]): number[] {
  const parts = percentages.map((percent) => Math.floor((total * percent) / 100));
  const rest = total - parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part, i) => (i === parts.length - 1 ? part + rest : part));
}

function priced(
  quantity: number,
  unitPriceCents: number,
): { quantity: string; unitPrice: string; amount: string } {
  return {
    quantity: String(quantity),
    unitPrice: decimal(unitPriceCents),
    amount: decimal(quantity * unitPriceCents),
  };
}

/** Whole cents as text with two decimals. */
function decimal(wholeCents: number): string {
  return `${Math.trunc(wholeCents / 100)}.${String(wholeCents % 100).padStart(2, '0')}`;
}

function cents(amount: string): number {
  return Number(amount.replace('.', ''));
}
