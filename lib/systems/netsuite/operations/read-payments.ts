import * as z from 'zod';
import {
  type Contract,
  compare,
  type Draft,
  type JsonObject,
  type Payment,
  type Project,
} from '../../../model';
import { defineOperation, type ReadContext } from '../../kit';
import type { NetSuiteClient } from '../client';
import {
  type BilledRecords,
  billedItem,
  billedRecords,
  currencyCodes,
  findInvoices,
  findPayments,
} from '../find-invoices';
import { refTo } from '../mapping';
import { amount, listEntry, readEach } from '../read-records';

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

interface PaymentData extends JsonObject {
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

/** Payments that settle an invoice of the deal, each with everything it settles. */
export const readPayments = defineOperation<
  NetSuiteClient,
  Draft<Contract> | Draft<Project>,
  BilledRecords,
  PaymentData[]
>({
  entity: 'payment',
  verb: 'read',
  recordType: 'customerPayment',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: billedItem,

  toSystem: billedRecords,

  async call(client, wire, { signal }) {
    const ids = await findPayments(client, await findInvoices(client, wire, signal), signal);
    if (ids.length === 0) return [];
    const currencies = await currencyCodes(client, signal);
    const records = await readEach(client, 'customerPayment', ids, paymentRecord, signal);
    return records.map((record) => dataOf(record, currencies, client));
  },

  references: (payments) => [
    ...payments.map(({ id, claims }) => ({
      entity: 'payment' as const,
      type: 'customerPayment',
      id,
      claims,
    })),
    ...payments.flatMap(({ applied }) =>
      applied.map(({ invoice }) => ({ entity: 'invoice' as const, type: 'invoice', id: invoice })),
    ),
  ],

  fromSystem(payments, _item, context) {
    const drafts = payments.map((payment) => draftOf(payment, context));
    return {
      refs: drafts.map(({ id }, index) => refOf(id, payments[index]?.id ?? '', context)),
      merge: { payments: drafts },
      evidence: { payments: payments.length },
    };
  },
});

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

function draftOf(payment: PaymentData, context: ReadContext): Draft<Payment> {
  const { contract, customer, project } = context.deal;
  const { currency } = payment;
  const id = context.idOf('payment', 'customerPayment', payment.id);
  return {
    id,
    externalRefs: [refOf(id, payment.id, context).ref],
    legalEntityId: contract?.legalEntityId ?? project?.legalEntityId,
    customerId: customer?.id ?? contract?.customerId,
    receivedDate: payment.receivedDate,
    amount: { amount: payment.amount, currency },
    method: payment.method ?? undefined,
    bankReference: payment.bankReference,
    unapplied: { amount: payment.unapplied, currency },
    status: statusOf(payment),
    allocations: payment.applied.map((part) => ({
      invoiceId: context.idOf('invoice', 'invoice', part.invoice),
      amount: { amount: part.amount, currency },
    })),
  };
}

const refOf = (id: string, recordId: string, context: ReadContext) =>
  refTo(context, { id, entity: 'payment', type: 'customerPayment', recordId, role: 'master' });

function statusOf({ unapplied, amount: total }: PaymentData): Payment['status'] {
  if (compare(unapplied, '0') === 0) return 'applied';
  return compare(unapplied, total) < 0 ? 'partially_applied' : 'received';
}
