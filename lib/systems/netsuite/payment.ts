import * as z from 'zod';
import { compare, type Draft, type JsonObject, type Payment } from '../../model';
import type { ReadContext, Reference } from '../kit';
import type { NetSuiteClient } from './client';
import { currencyCodes } from './find-invoices';
import { amount, listEntry, readEach } from './read-records';

const paymentRecord = z.object({
  id: z.string(),
  externalId: z.string().nullish(),
  tranId: z.string().nullish(),
  checkNum: z.string().nullish(),
  checkNumber: z.string().nullish(),
  tranDate: z.string(),
  currency: listEntry,
  payment: amount,
  unapplied: amount.nullish(),
  paymentMethod: listEntry.nullish(),
  apply: z
    .object({
      items: z.array(z.object({ doc: listEntry, apply: z.boolean().optional(), amount: amount.nullish() })),
    })
    .nullish(),
});

export interface PaymentData extends JsonObject {
  id: string;
  /** The canonical id that the record carries. */
  claims: string | null;
  bankReference: string;
  receivedDate: string;
  currency: string;
  amount: string;
  unapplied: string;
  method: string | null;
  /** By internal id of the invoice. */
  applied: { invoice: string; amount: string }[];
}

/**
 * The payments of the given internal ids, in that order.
 * @throws SystemError `SCHEMA_CHANGED` when one is not as expected.
 */
export async function readPaymentData(
  client: NetSuiteClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<PaymentData[]> {
  if (ids.length === 0) return [];
  const currencies = await currencyCodes(client, signal);
  const records = await readEach(client, 'customerPayment', ids, paymentRecord, signal);
  return records.map((record) => dataOf(record, currencies, client));
}

function dataOf(
  record: z.infer<typeof paymentRecord>,
  currencies: ReadonlyMap<string, string>,
  client: NetSuiteClient,
): PaymentData {
  const lines = record.apply?.items ?? [];
  return {
    id: record.id,
    claims: client.canonicalIdIn(record.externalId),
    bankReference: record.checkNum ?? record.checkNumber ?? record.tranId ?? record.id,
    receivedDate: record.tranDate,
    currency: currencies.get(record.currency.id) ?? '',
    amount: record.payment,
    unapplied: record.unapplied ?? '0',
    method: record.paymentMethod?.refName ?? null,
    // The sublist also lists open invoices that the payment does not settle.
    applied: lines.flatMap(({ doc, apply, amount: part }) =>
      apply === false || !part ? [] : [{ invoice: doc.id, amount: part }],
    ),
  };
}

/** What the record itself says of the payment, in canonical fields. */
export function paymentValues(payment: PaymentData) {
  const { currency } = payment;
  return {
    receivedDate: payment.receivedDate,
    amount: { amount: payment.amount, currency },
    method: payment.method ?? undefined,
    bankReference: payment.bankReference,
    unapplied: { amount: payment.unapplied, currency },
    status: statusOf(payment),
  } satisfies Partial<Draft<Payment>>;
}

export function settledInvoices({ applied }: PaymentData): Reference[] {
  return applied.map(({ invoice }) => ({ entity: 'invoice', type: 'invoice', id: invoice }));
}

/** What the payment settles, by the canonical ids of its `settledInvoices`. */
export function allocationsOf({ applied, currency }: PaymentData, idOf: ReadContext['idOf']) {
  return applied.map((part) => ({
    invoiceId: idOf('invoice', 'invoice', part.invoice),
    amount: { amount: part.amount, currency },
  }));
}

function statusOf({ unapplied, amount: total }: PaymentData): Payment['status'] {
  if (compare(unapplied, '0') === 0) return 'applied';
  return compare(unapplied, total) < 0 ? 'partially_applied' : 'received';
}
