import type { CanonicalId, Contract, DealDocument, Draft, Project } from '../../model';
import { type MappingContext, required } from '../kit';
import type { NetSuiteClient } from './client';
import { recordIdOf } from './mapping';
import { type Row, sqlText } from './suiteql';

/** The deal's records in NetSuite that invoices refer to; at least one is there. */
export interface BilledRecords {
  salesOrderId: string | null;
  projectId: string | null;
}

/** What invoices and payments are read for: the contract, else the project. */
export function billedItem({ contract, project }: DealDocument): (Draft<Contract> | Draft<Project>)[] {
  const item = contract ?? project;
  return item ? [item] : [];
}

/** @throws MappingError `MANDATORY_FIELD_MISSING` when NetSuite knows neither an order nor a project of the deal. */
export function billedRecords(_item: { id: CanonicalId }, context: MappingContext): BilledRecords {
  const { contract, project } = context.deal;
  const salesOrderId = recordIdOf(contract, 'salesOrder', context) ?? null;
  const projectId = recordIdOf(project, 'job', context) ?? null;
  required(salesOrderId ?? projectId, 'A sales order or project in NetSuite', 'invoices can be read');
  return { salesOrderId, projectId };
}

/** Internal ids of the invoices that were made from the order, or that bill the project on a line. */
export async function findInvoices(
  client: NetSuiteClient,
  { salesOrderId, projectId }: BilledRecords,
  signal: AbortSignal,
): Promise<string[]> {
  const origins = [
    salesOrderId && `createdfrom = ${sqlText(salesOrderId)}`,
    projectId && `entity = ${sqlText(projectId)}`,
  ].filter(Boolean);
  const lines = await client.query(
    `SELECT DISTINCT transaction FROM transactionline WHERE ${origins.join(' OR ')} ORDER BY transaction`,
    signal,
  );
  const rows = await inChunks(
    lines,
    ({ transaction }) => transaction,
    (ids) =>
      client.query(
        `SELECT id FROM transaction WHERE type = 'CustInvc' AND id IN (${ids}) ORDER BY id`,
        signal,
      ),
  );
  return rows.flatMap(({ id }) => id ?? []);
}

/** Internal ids of the payments that settle any of the invoices. */
export async function findPayments(
  client: NetSuiteClient,
  invoiceIds: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const rows = await inChunks(
    invoiceIds.map((id) => ({ id })),
    ({ id }) => id,
    (ids) =>
      client.query(
        `SELECT DISTINCT nextdoc FROM nexttransactionlink WHERE linktype = 'Payment' AND previousdoc IN (${ids}) ORDER BY nextdoc`,
        signal,
      ),
  );
  return [...new Set(rows.flatMap(({ nextdoc }) => nextdoc ?? []))];
}

/** ISO 4217 code by internal id: an account may call its euro `Euro`, but the symbol is the code. */
export async function currencyCodes(
  client: NetSuiteClient,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const rows = await client.query('SELECT id, symbol FROM currency ORDER BY id', signal);
  return new Map(rows.map(({ id = '', symbol = '' }) => [id, symbol]));
}

/** Ids per `IN` list: SuiteQL allows 1,000. */
const IDS_PER_QUERY = 500;

async function inChunks<T>(
  items: readonly T[],
  idOf: (item: T) => string | undefined,
  query: (ids: string) => Promise<Row[]>,
): Promise<Row[]> {
  const ids = items.flatMap((item) => idOf(item) ?? []).map(sqlText);
  const rows: Row[] = [];
  for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
    rows.push(...(await query(ids.slice(start, start + IDS_PER_QUERY).join(', '))));
  }
  return rows;
}
