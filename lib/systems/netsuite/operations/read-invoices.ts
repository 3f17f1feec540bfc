import type { Contract, Draft, Invoice, Project } from '../../../model';
import { defineOperation, type ReadContext } from '../../kit';
import type { NetSuiteClient } from '../client';
import { type BilledRecords, billedItem, billedRecords, findInvoices } from '../find-invoices';
import { type InvoiceData, invoiceValues, readInvoiceData } from '../invoice';
import { refTo } from '../mapping';

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

  call: async (client, wire, { signal }) =>
    readInvoiceData(client, await findInvoices(client, wire, signal), signal),

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
    legalEntityId: contract?.legalEntityId ?? project?.legalEntityId,
    customerId: customer?.id ?? contract?.customerId,
    contractId: contract?.id ?? project?.contractId,
    ...invoiceValues(invoice),
  };
}

const refOf = (id: string, recordId: string, context: ReadContext) =>
  refTo(context, { id, entity: 'invoice', type: 'invoice', recordId, role: 'master' });
