import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { type Data, linesOf, numberOf, textOf } from '../records/data';
import { typeOf } from '../schema';
import type { Fields } from '../schema/fields';
import type { Column, Row, Table } from './tables';
import { SqlDate, type SqlValue } from './values';

/** Value of `type` by record type. */
export const TRANSACTION_CODES: Readonly<Record<string, string>> = {
  salesOrder: 'SalesOrd',
  invoice: 'CustInvc',
  customerPayment: 'CustPymt',
  creditMemo: 'CustCred',
  expenseReport: 'ExpRept',
};

const TYPES = Object.keys(TRANSACTION_CODES);

/** `transaction`, `transactionline` and the links between documents. */
export function transactionTables(): [string, Table][] {
  return [
    ['transaction', transactionTable()],
    ['transactionline', lineTable()],
    ['nexttransactionlink', linkTable()],
    ['previoustransactionlink', linkTable()],
  ];
}

function transactionTable(): Table {
  const columns = new Map<string, Column>([
    ['id', { read: ({ record }) => Number(record.id) }],
    [
      'type',
      { read: ({ record }) => TRANSACTION_CODES[record.type] ?? null, display: ({ record }) => record.type },
    ],
    ['recordtype', { read: ({ record }) => record.type.toLowerCase() }],
    ['tranid', text('tranId')],
    ['externalid', text('externalId')],
    ['trandate', day('tranDate')],
    ['duedate', day('dueDate')],
    ['entity', reference('entity', 'customer')],
    ['currency', reference('currency')],
    ['terms', reference('terms')],
    ['exchangerate', numeric('exchangeRate')],
    ['memo', text('memo')],
    ['otherrefnum', text('otherRefNum')],
    ['status', { read: status, display: statusName }],
    ['foreigntotal', numeric('total')],
    ['foreignamountpaid', numeric('amountPaid', 'applied')],
    ['foreignamountunpaid', numeric('amountRemaining', 'unapplied')],
    ['posting', { read: ({ record }) => (record.type === 'salesOrder' ? 'F' : 'T') }],
    ['voided', { read: () => 'F' }],
    ['createddate', { read: ({ record }) => new SqlDate(record.created) }],
    ['lastmodifieddate', { read: ({ record }) => new SqlDate(record.modified) }],
  ]);
  return { columns, scan: (env) => transactions(env).map(toRow), lookup: lookupTransactions };
}

/**
 * Main line 0 and the item lines. Amounts of sales lines are negative: they credit income, as the analytics
 * tables of NetSuite show them.
 */
function lineTable(): Table {
  const columns = new Map<string, Column>([
    ['transaction', { read: ({ record }) => Number(record.id) }],
    ['id', { read: ({ line }) => numberOf(line, 'line') ?? 0 }],
    ['linesequencenumber', { read: ({ line }) => numberOf(line, 'line') ?? 0 }],
    ['mainline', { read: (row) => (isMain(row) ? 'T' : 'F') }],
    ['taxline', { read: () => 'F' }],
    ['entity', { read: ({ record, line }) => sql(line.job ?? record.data.entity ?? record.data.customer) }],
    ['createdfrom', { read: ({ record }) => sql(record.data.createdFrom) }],
    ['subsidiary', { read: ({ record }) => sql(record.data.subsidiary) }],
    ['item', { read: ({ line }) => sql(line.item) }],
    ['memo', { read: ({ line }) => sql(line.description ?? line.memo) }],
    ['quantity', { read: (row) => (isMain(row) ? null : negative(numberOf(row.line, 'quantity'))) }],
    ['rate', { read: (row) => (isMain(row) ? null : sql(row.line.rate)) }],
    ['foreignamount', { read: foreignAmount }],
    ['netamount', { read: (row) => scaled(foreignAmount(row), numberOf(row.record.data, 'exchangeRate')) }],
    ['department', { read: ({ line }) => sql(line.department) }],
    ['class', { read: ({ line }) => sql(line.class) }],
    ['location', { read: ({ line }) => sql(line.location) }],
    ['billingschedule', { read: ({ line }) => sql(line.billingSchedule) }],
    ['isclosed', { read: ({ line }) => (line.isClosed === true ? 'T' : 'F') }],
  ]);
  return {
    columns,
    scan: (env) => transactions(env).flatMap(linesWithMain),
    lookup(name, value, env) {
      if (name === 'transaction')
        return lookupTransactions('id', value, env)?.flatMap(({ record }) => linesWithMain(record)) ?? null;
      if (name !== 'createdfrom') return null;
      return ['invoice', 'creditMemo']
        .flatMap((type) => env.db.findBy(type, 'createdFrom', value))
        .flatMap(linesWithMain);
    },
  };
}

/** Order → invoice (`OrdBill`), invoice → payment or credit memo (`Payment`). */
function linkTable(): Table {
  const columns = new Map<string, Column>([
    ['previousdoc', { read: ({ line }) => sql(line.previousdoc) }],
    ['previoustype', { read: ({ line }) => sql(line.previoustype) }],
    ['nextdoc', { read: ({ line }) => sql(line.nextdoc) }],
    ['nexttype', { read: ({ line }) => sql(line.nexttype) }],
    ['linktype', { read: ({ line }) => sql(line.linktype) }],
    ['foreignamount', { read: ({ line }) => sql(line.foreignamount) }],
  ]);
  return { columns, scan: links, lookup: () => null };
}

function links(env: Env): Row[] {
  const link = (
    record: SimRecord,
    linktype: string,
    previousdoc: unknown,
    previoustype: string,
    foreignamount: unknown,
  ): Row => ({
    record,
    line: {
      previousdoc: Number(previousdoc),
      previoustype,
      nextdoc: Number(record.id),
      nexttype: TRANSACTION_CODES[record.type],
      linktype,
      foreignamount,
    },
  });
  const billed = env.db
    .list('invoice')
    .filter(({ data }) => data.createdFrom !== undefined)
    .map((invoice) => link(invoice, 'OrdBill', invoice.data.createdFrom, 'SalesOrd', invoice.data.total));
  const applied = [...env.db.list('customerPayment'), ...env.db.list('creditMemo')].flatMap((record) =>
    linesOf(record.data, 'apply').map((line) => link(record, 'Payment', line.doc, 'CustInvc', line.amount)),
  );
  return [...billed, ...applied];
}

function transactions(env: Env): SimRecord[] {
  return TYPES.flatMap((type) => env.db.list(type));
}

function lookupTransactions(name: string, value: string, env: Env): Row[] | null {
  if (name === 'id') {
    return TYPES.map((type) => env.db.get(type, value))
      .filter((record) => record !== undefined)
      .map(toRow);
  }
  if (name === 'type') {
    const type = TYPES.find((candidate) => TRANSACTION_CODES[candidate] === value);
    return type === undefined ? [] : env.db.list(type).map(toRow);
  }
  const field = { externalid: 'externalId', entity: 'entity', tranid: 'tranId' }[name];
  if (field === undefined) return null;
  return TYPES.flatMap((type) => {
    const own = field === 'entity' && type === 'customerPayment' ? 'customer' : field;
    return env.db.findBy(type, own, value);
  }).map(toRow);
}

function toRow(record: SimRecord): Row {
  return { record, line: record.data };
}

function linesWithMain(record: SimRecord): Row[] {
  const { item: _item, ...main } = record.data;
  return [
    { record, line: { ...main, job: undefined, line: 0 } },
    ...linesOf(record.data, 'item').map((line) => ({ record, line })),
  ];
}

function isMain({ line }: Row): boolean {
  return line.line === 0;
}

function foreignAmount(row: Row): SqlValue {
  return isMain(row) ? sql(row.record.data.total) : negative(numberOf(row.line, 'amount'));
}

function negative(value: number | undefined): SqlValue {
  return value === undefined ? null : -value;
}

function scaled(value: SqlValue, rate: number | undefined): SqlValue {
  return typeof value === 'number' ? Math.round(value * (rate ?? 1) * 100) / 100 : value;
}

/** `CustInvc:A`: the type and the letter of the status. */
function status({ record }: Row): SqlValue {
  const letter = textOf(record.data, 'status') ?? textOf(record.data, 'approvalStatus');
  return letter === undefined ? null : `${TRANSACTION_CODES[record.type]}:${letter}`;
}

function statusName({ record }: Row): string | null {
  const letter = textOf(record.data, 'status');
  const fields: Fields = typeOf(record.type).fields;
  return letter === undefined ? null : (fields.status?.values?.[letter] ?? letter);
}

function text(field: string): Column {
  return { read: ({ line }) => sql(line[field]) };
}

function numeric(...fields: string[]): Column {
  return { read: ({ line }) => sql(fields.map((field) => line[field]).find((value) => value !== undefined)) };
}

function day(field: string): Column {
  return {
    read: ({ line }) => {
      const value = textOf(line, field);
      return value === undefined ? null : SqlDate.ofDay(value);
    },
  };
}

function reference(...fields: string[]): Column {
  const read = (line: Data): SqlValue =>
    sql(fields.map((field) => line[field]).find((value) => value !== undefined));
  return {
    read: ({ line }) => read(line),
    display: ({ record, line }, env) => {
      const name = fields.find((field) => line[field] !== undefined);
      const field = name === undefined ? undefined : typeOf(record.type).fields[name];
      const id = read(line);
      if (id === null || !field) return null;
      const target = (field.to ?? [])
        .map((type) => env.db.get(type, String(id)))
        .find((found) => found !== undefined);
      const parts = target ? typeOf(target.type).title.map((part) => target.data[part]) : [id];
      return parts.filter((part) => part !== undefined).join(' ');
    },
  };
}

function sql(value: unknown): SqlValue {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' ? value : String(value);
}
