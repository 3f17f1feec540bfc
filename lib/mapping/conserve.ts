import { add, compare, type DealDocument, type Decimal, isDecimal, type JsonValue } from '../model';
import { pathParts } from './paths';
import type { Conserved, Measure } from './schema';

/** Amounts and quantities that a mapping must not change. All arithmetic is exact. */

export interface Difference {
  /** What differs, in words: `quote lines (EUR)`. */
  what: string;
  before: string;
  after: string;
}

/** Everything that a mapping has changed although it is declared to be conserved; none = it conserves. */
export function differences(
  before: DealDocument,
  after: DealDocument,
  conserved: readonly Conserved[],
): Difference[] {
  return conserved.flatMap((declaration) =>
    typeof declaration === 'string'
      ? changedTotals(totalsOf(before, declaration), totalsOf(after, declaration))
      : unequalSum(after, declaration),
  );
}

type Totals = Map<string, string>;

function changedTotals(before: Totals, after: Totals): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [old, now] = [before.get(what) ?? '0', after.get(what) ?? '0'];
    return isEqual(old, now) ? [] : [{ what, before: old, after: now }];
  });
}

function isEqual(a: string, b: string): boolean {
  return a === b || (isDecimal(a) && isDecimal(b) && compare(a, b) === 0);
}

function unequalSum(deal: DealDocument, { parts, total }: Exclude<Conserved, Measure>): Difference[] {
  const sum = sumOf(valuesAt(deal, parts));
  const [whole = '0', ...more] = valuesAt(deal, total).map(String);
  if (more.length === 0 && isEqual(sum, whole)) return [];
  return [{ what: `the sum of ${parts}, which must be ${total}`, before: whole, after: sum }];
}

/** The values at a path that may go through lists. */
function valuesAt(value: unknown, path: string): JsonValue[] {
  let found: unknown[] = [value];
  for (const part of pathParts(path) ?? []) {
    found = found.flat().flatMap((each) => {
      const member =
        typeof each === 'object' && each !== null ? (each as Record<string, unknown>)[part] : undefined;
      return member === undefined ? [] : [member];
    });
  }
  return found.flat() as JsonValue[];
}

const MEASURED: Record<Measure, (totals: Summary, deal: DealDocument) => void> = {
  line_sums: lineSums,
  tax_groups: taxGroups,
  quantities,
};

function totalsOf(deal: DealDocument, measure: Measure): Totals {
  const summary = new Summary();
  MEASURED[measure](summary, deal);
  return summary.totals();
}

/** Sums by name. A value that is no decimal cannot be summed; it is compared as it stands. */
class Summary {
  private readonly values = new Map<string, unknown[]>();

  add(what: string, value: unknown): void {
    if (value === undefined) return;
    const known = this.values.get(what);
    if (known === undefined) this.values.set(what, [value]);
    else known.push(value);
  }

  totals(): Totals {
    return new Map([...this.values].map(([what, values]) => [what, sumOf(values)]));
  }
}

function sumOf(values: readonly unknown[]): string {
  const decimals = values.filter((value): value is Decimal => isDecimal(value));
  const others = values.filter((value) => !isDecimal(value)).map((value) => JSON.stringify(value));
  const sum = decimals.length > 0 ? add(...decimals) : '0';
  return others.length === 0 ? sum : [sum, ...others].join(' and ');
}

function lineSums(summary: Summary, deal: DealDocument): void {
  const { opportunity, quote, contract, contractLines = [], milestones = [], billingSchedule = [] } = deal;
  const { invoices = [], payments = [] } = deal;
  summary.add(`opportunity (${opportunity?.amount?.currency})`, opportunity?.amount?.amount);
  summary.add(`total of the quote (${quote?.total?.currency})`, quote?.total?.amount);
  for (const { amount, capAmount } of quote?.lines ?? []) {
    summary.add(`quote lines (${quote?.total?.currency})`, amount);
    summary.add(`caps of the quote lines (${quote?.total?.currency})`, capAmount);
  }
  summary.add(`value of the contract (${contract?.totalValue?.currency})`, contract?.totalValue?.amount);
  const lists = {
    'contract lines': contractLines,
    milestones,
    'billing schedule': billingSchedule,
    payments,
  };
  for (const [name, records] of Object.entries(lists)) {
    for (const { amount } of records) summary.add(`${name} (${amount?.currency})`, amount?.amount);
  }
  for (const { capAmount } of contractLines)
    summary.add(`caps of the contract lines (${capAmount?.currency})`, capAmount?.amount);
  for (const { id, currency, lines = [], totals } of invoices) {
    for (const { net } of lines) summary.add(`lines of invoice ${id} (${currency})`, net);
    for (const [name, amount] of Object.entries(totals ?? {}))
      summary.add(`${name} of invoice ${id} (${currency})`, amount);
  }
}

function taxGroups(summary: Summary, { invoices = [] }: DealDocument): void {
  for (const { id, lines = [], taxBreakdown = [] } of invoices) {
    for (const { taxCategory, taxRate, net } of lines)
      summary.add(`lines of invoice ${id} with ${taxCategory} tax of ${taxRate} %`, net);
    for (const { category, rate, base, tax } of taxBreakdown) {
      summary.add(`base of ${category} tax of ${rate} % on invoice ${id}`, base);
      summary.add(`${category} tax of ${rate} % on invoice ${id}`, tax);
    }
  }
}

function quantities(summary: Summary, deal: DealDocument): void {
  const { quote, contractLines = [], tasks = [], timeEntries = [], invoices = [] } = deal;
  for (const { quantity } of quote?.lines ?? [])
    summary.add(`quote lines (${quantity?.unit})`, quantity?.value);
  for (const { quantity } of contractLines)
    summary.add(`contract lines (${quantity?.unit})`, quantity?.value);
  for (const { budgetHours } of tasks) summary.add('hours of the tasks', budgetHours);
  for (const { hours } of timeEntries) summary.add('hours worked', hours);
  for (const { id, lines = [] } of invoices)
    for (const { quantity } of lines)
      summary.add(`lines of invoice ${id} (${quantity?.unit})`, quantity?.value);
}
