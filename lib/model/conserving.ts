import type { DealDocument } from './draft';
import type { CanonicalId, EntityName } from './ids';
import { add, compare } from './money';
import { type Decimal, isDecimal } from './primitives';

/** Sums that hold in every deal (guides §15, invariants 1 and 2). */

/** Parts that do not add up to their total. */
export interface BrokenSum {
  entity: EntityName;
  /** The record that is wrong, as far as one can say which one is. */
  subject: CanonicalId;
  /** `The lines`, `The schedule`. */
  parts: string;
  /** What they are parts of, as people call it. */
  document: string;
  sum: Decimal;
  total: Decimal;
  currency: string | undefined;
  /** Fields of the subject that take part, with dots. */
  fields: string[];
}

/** Amounts that are missing or no decimal numbers cannot be summed: what they are part of is left out. */
export function brokenSums(deal: DealDocument): BrokenSum[] {
  const { opportunity, quote, contract } = deal;
  if (quote === undefined) return [];
  const lines = quote.lines ?? [];
  const amounts = lines.map(({ amount }) => amount);
  const ofQuote = { entity: 'quote', subject: quote.id } as const;
  const currency = quote.total?.currency ?? opportunity?.amount?.currency;
  const sums: (Omit<BrokenSum, 'sum' | 'total'> & { amounts: unknown[]; total: unknown })[] = [];

  for (const [index, line] of lines.entries()) {
    if (line.schedule === undefined) continue;
    sums.push({
      ...ofQuote,
      parts: 'The schedule',
      document: nameOfLine(line, index),
      amounts: line.schedule.map(({ amount }) => amount),
      total: line.amount,
      currency,
      fields: [
        `lines.${index}.amount`,
        ...line.schedule.map((_, at) => `lines.${index}.schedule.${at}.amount`),
      ],
    });
  }
  sums.push({
    ...ofQuote,
    parts: 'The lines',
    document: opportunity?.name ?? 'the deal',
    amounts,
    total: opportunity?.amount?.amount,
    currency,
    fields: amounts.map((_, index) => `lines.${index}.amount`),
  });
  const sold = contract?.currency ?? contract?.totalValue?.currency;
  // Amounts in different currencies cannot be compared: that they differ is a mistake of its own.
  if (contract !== undefined && (sold === undefined || sold === opportunity?.amount?.currency)) {
    sums.push({
      entity: 'contract',
      subject: contract.id,
      parts: 'The lines',
      document: `contract ${contract.number ?? ''}`.trim(),
      amounts,
      total: contract.totalValue?.amount,
      currency: sold,
      fields: ['totalValue.amount'],
    });
  }
  return sums.flatMap(({ amounts: parts, total, ...about }) => {
    if (parts.length === 0 || !parts.every(isDecimal) || !isDecimal(total)) return [];
    const sum = add(...parts);
    return compare(sum, total) === 0 ? [] : [{ ...about, sum, total }];
  });
}

/** A line as people call it: `Line 5 (Tickets)`. */
export const nameOfLine = (
  { lineNo, description }: { lineNo?: number | undefined; description?: string | undefined },
  index: number,
): string => `Line ${lineNo ?? index + 1}${description ? ` (${description})` : ''}`;
