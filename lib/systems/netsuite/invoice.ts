import * as z from 'zod';
import { compare, type Draft, type Invoice, type JsonObject, subtract } from '../../model';
import { textOf } from '../kit';
import type { NetSuiteClient } from './client';
import { currencyCodes } from './find-invoices';
import { amount, listEntry, readEach } from './read-records';

/** What is read of an invoice; amounts keep the digits that NetSuite sent. */
const invoiceRecord = z.object({
  id: z.string(),
  externalId: z.string().nullish(),
  tranId: z.string(),
  tranDate: z.string(),
  dueDate: z.string().nullish(),
  currency: listEntry,
  total: amount,
  taxTotal: amount.nullish(),
  amountRemaining: amount,
  otherRefNum: z.string().nullish(),
  status: listEntry.nullish(),
  approvalStatus: listEntry.nullish(),
  entity: listEntry.nullish(),
  job: listEntry.nullish(),
  createdFrom: listEntry.nullish(),
});

export interface InvoiceData extends JsonObject {
  id: string;
  /** The canonical id that the record carries. */
  claims: string | null;
  number: string;
  issueDate: string;
  dueDate: string | null;
  currency: string;
  gross: string;
  tax: string;
  balance: string;
  poNumber: string | null;
  documentStatus: Invoice['documentStatus'];
  /** Whom it is sent to: a customer, or one of its projects. */
  billedTo: string | null;
  project: string | null;
  salesOrder: string | null;
}

/**
 * The invoices of the given internal ids, in that order.
 * @throws SystemError `SCHEMA_CHANGED` when one is not as expected.
 */
export async function readInvoiceData(
  client: NetSuiteClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<InvoiceData[]> {
  if (ids.length === 0) return [];
  const currencies = await currencyCodes(client, signal);
  const records = await readEach(client, 'invoice', ids, invoiceRecord, signal);
  return records.map((record) => ({
    id: record.id,
    claims: client.canonicalIdIn(record.externalId),
    number: record.tranId,
    issueDate: record.tranDate,
    dueDate: record.dueDate ?? null,
    currency: currencies.get(record.currency.id) ?? '',
    gross: record.total,
    tax: record.taxTotal ?? '0',
    balance: record.amountRemaining,
    poNumber: record.otherRefNum ?? null,
    documentStatus: documentStatusOf(record),
    billedTo: record.entity?.id ?? null,
    project: record.job?.id ?? null,
    salesOrder: record.createdFrom?.id ?? null,
  }));
}

/** What the record itself says of the invoice, in canonical fields. */
export function invoiceValues(invoice: InvoiceData) {
  return {
    type: 'invoice',
    number: invoice.number,
    currency: invoice.currency,
    issueDate: invoice.issueDate,
    dueDate: invoice.dueDate ?? undefined,
    poNumber: invoice.poNumber ?? undefined,
    totals: {
      net: subtract(invoice.gross, invoice.tax),
      tax: invoice.tax,
      gross: invoice.gross,
      payable: invoice.gross,
    },
    documentStatus: invoice.documentStatus,
    settlementStatus: settlementOf(invoice),
  } satisfies Partial<Draft<Invoice>>;
}

function settlementOf({ gross, balance }: InvoiceData): Invoice['settlementStatus'] {
  if (compare(balance, '0') === 0) return 'paid';
  return compare(balance, gross) < 0 ? 'partially_paid' : 'open';
}

/** An invoice is posted as soon as it is saved, unless the account has invoice approval (1 = pending, 3 = rejected). */
function documentStatusOf({
  status,
  approvalStatus,
}: z.infer<typeof invoiceRecord>): Invoice['documentStatus'] {
  if (textOf(status?.refName)?.toLowerCase() === 'voided') return 'cancelled';
  if (approvalStatus?.id === '1') return 'submitted';
  return approvalStatus?.id === '3' ? 'draft' : 'posted';
}
