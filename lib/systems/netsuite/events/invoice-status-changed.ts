import { defineEventSource, type Reference, type SourceEvent } from '../../kit';
import type { NetSuiteClient } from '../client';
import { type InvoiceData, invoiceValues, readInvoiceData } from '../invoice';
import { sqlText } from '../suiteql';
import { type Change, scan } from './scan';

const INVOICES = { type: 'CustInvc', news: ['status', 'foreigntotal', 'foreignamountunpaid'] };

/** A posted invoice, and again whenever its status, its total or its open balance is another. */
export const invoiceStatusChanged = defineEventSource<NetSuiteClient, Pick<InvoiceData, 'salesOrder'>>({
  id: 'invoice-status-changed',
  async poll(client, stored, context) {
    const { changes, cursor, more } = await scan(client, stored, INVOICES, context);
    const ids = changes.map(({ id }) => id);
    const invoices = await readInvoiceData(client, ids, context.signal);
    const projects = await projectsAmong(client, invoices, context.signal);
    return {
      events: invoices.flatMap((invoice, index) => {
        const change = changes[index];
        return change ? [eventOf(change, invoice, projects)] : [];
      }),
      cursor,
      more,
    };
  },
  link: ({ salesOrder }, idOf) =>
    salesOrder === null ? {} : { contractId: idOf('contract', 'salesOrder', salesOrder) },
});

/** Customers and projects share their ids, and an invoice goes to either: which of them are projects? */
async function projectsAmong(
  client: NetSuiteClient,
  invoices: InvoiceData[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const ids = new Set(invoices.flatMap(({ project, billedTo }) => project ?? billedTo ?? []));
  if (ids.size === 0) return new Set();
  const list = [...ids].map(sqlText).join(', ');
  const rows = await client.query(`SELECT id FROM job WHERE id IN (${list}) ORDER BY id`, signal);
  return new Set(rows.flatMap(({ id }) => id ?? []));
}

function eventOf(
  { id, stamp, digest }: Change,
  invoice: InvoiceData,
  projects: ReadonlySet<string>,
): SourceEvent {
  const job = invoice.project ?? invoice.billedTo;
  const project: Reference[] =
    job !== null && projects.has(job) ? [{ entity: 'project', type: 'job', id: job }] : [];
  const order: Reference[] =
    invoice.salesOrder === null ? [] : [{ entity: 'contract', type: 'salesOrder', id: invoice.salesOrder }];
  return {
    id: `${id}:${digest}:${stamp}`,
    type: 'q2c.invoice.status_changed.v1',
    time: stamp,
    stamp,
    subject: { entity: 'invoice', type: 'invoice', id, claims: invoice.claims },
    data: invoiceValues(invoice),
    references: [...project, ...order],
    record: { salesOrder: invoice.salesOrder },
  };
}
