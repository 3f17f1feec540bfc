import * as z from 'zod';
import { type Customer, compare, type JsonObject } from '../../model';
import { SystemError } from '../kit';
import type { NetSuiteClient } from './client';
import { currencyCodes } from './find-invoices';
import { amount, listEntry } from './read-records';
import type { NetSuiteRecord } from './record-service';

/** What NetSuite says about the credit of a customer; part of a step's reply. */
export interface Credit extends JsonObject {
  /** Field "Hold": `on` and `off` are a person's word, `auto` goes by the limit. */
  hold: 'on' | 'off' | 'auto';
  /** In the customer's primary currency; null when there is none. */
  limit: string | null;
  currency: string | null;
  balance: string | null;
}

/** Fields of the customer that `readCredit` looks at. */
export const CREDIT_FIELDS = 'creditHoldOverride,creditLimit,balance,currency';

const creditRecord = z.object({
  creditHoldOverride: listEntry.nullish(),
  creditLimit: amount.nullish(),
  balance: amount.nullish(),
  currency: listEntry.nullish(),
});

/**
 * The credit of a customer record that was read with `CREDIT_FIELDS`.
 * @throws SystemError `SCHEMA_CHANGED` when it is not as expected
 */
export async function readCredit(
  client: NetSuiteClient,
  record: NetSuiteRecord,
  signal: AbortSignal,
): Promise<Credit> {
  const parsed = creditRecord.safeParse(record);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SystemError({
      system: client.system,
      kind: 'rejected',
      code: 'SCHEMA_CHANGED',
      reason: `the credit of customer ${record.id} is not as expected at ${issue?.path.join('.')}: ${issue?.message}`,
    });
  }
  const { creditHoldOverride, creditLimit, balance, currency } = parsed.data;
  const hold = creditHoldOverride?.id === 'ON' ? 'on' : creditHoldOverride?.id === 'OFF' ? 'off' : 'auto';
  const isLimited = creditLimit !== null && creditLimit !== undefined;
  const code = isLimited ? (await currencyCodes(client, signal)).get(currency?.id ?? '') : undefined;
  return { hold, limit: creditLimit ?? null, currency: code ?? null, balance: balance ?? null };
}

/**
 * Credit status and limit in canonical form. Whether NetSuite holds a customer who is over the limit depends on a
 * preference of the account ("Customer Credit Limit Handling"), so such a customer is for finance to review.
 */
export function creditValues(
  credit: Credit | undefined,
): Partial<Pick<Customer, 'creditStatus' | 'creditLimit'>> {
  if (credit === undefined) return {};
  const { hold, limit, currency, balance } = credit;
  const isOver = limit !== null && balance !== null && compare(balance, limit) > 0;
  const creditStatus = hold === 'on' ? 'hold' : hold === 'off' || !isOver ? 'ok' : 'review';
  return {
    creditStatus,
    ...(limit !== null && currency !== null && { creditLimit: { amount: limit, currency } }),
  };
}
