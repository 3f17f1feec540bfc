import * as z from 'zod';
import {
  type Contract,
  compare,
  type Draft,
  type Invoice,
  type JsonObject,
  type Project,
  subtract,
} from '../../../model';
import { defineOperation, type ReadContext, textOf } from '../../kit';
import type { NetSuiteClient } from '../client';
import { type BilledRecords, billedItem, billedRecords, currencyCodes, findInvoices } from '../find-invoices';
import { refTo } from '../mapping';
import { amount, listEntry, readEach } from '../read-records';

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
});

interface InvoiceData extends JsonObject {
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
}

/** Status, totals and open balance of the deal's invoices. The balances are also the rows, for the flow. */
export const readInvoices = defineOperation<
  NetSuiteClient,
  Draft<Contract> | Draft<Project>,
  BilledRecords,
  InvoiceData[]
>({
  entity: 'invoice',
  verb: 'read',
  recordType: 'invoice',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: billedItem,

  toSystem: billedRecords,

  async call(client, wire, { signal }) {
    const ids = await findInvoices(client, wire, signal);
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
    }));
  },

  references: (invoices) =>
    invoices.map(({ id, claims }) => ({ entity: 'invoice', type: 'invoice', id, claims })),

  fromSystem(invoices, _item, context) {
    const drafts = invoices.map((invoice) => draftOf(invoice, context));
    return {
      refs: drafts.map(({ id }, index) => refOf(id, invoices[index]?.id ?? '', context)),
      merge: { invoices: drafts },
      rows: invoices.map(({ number, currency, gross, balance, dueDate }) => ({
        number,
        currency,
        gross,
        balance,
        dueDate,
      })),
      evidence: { invoices: invoices.length },
    };
  },
});

function draftOf(invoice: InvoiceData, context: ReadContext): Draft<Invoice> {
  const { contract, customer, project } = context.deal;
  const id = context.idOf('invoice', 'invoice', invoice.id);
  return {
    id,
    externalRefs: [refOf(id, invoice.id, context).ref],
    type: 'invoice',
    number: invoice.number,
    legalEntityId: contract?.legalEntityId ?? project?.legalEntityId,
    customerId: customer?.id ?? contract?.customerId,
    contractId: contract?.id ?? project?.contractId,
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
  };
}

const refOf = (id: string, recordId: string, context: ReadContext) =>
  refTo(context, { id, entity: 'invoice', type: 'invoice', recordId, role: 'master' });

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
