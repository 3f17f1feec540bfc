import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { type Data, isObject, linesOf } from '../records/data';
import { titleOf } from '../records/title';
import { countryName } from '../records/values';
import { anyType, indexedFields, RECORD_TYPES, typeOf } from '../schema';
import type { Field, RecordType } from '../schema/fields';
import { UNSERVED } from '../schema/lists';
import { transactionTables } from './transaction-tables';
import { SqlDate, type SqlValue } from './values';

/** One row of a table: a record, or a line of it. */
export interface Row {
  record: SimRecord;
  line: Data;
}

export interface Column {
  read(row: Row, env: Env): SqlValue;
  /** What BUILTIN.DF shows when that is not the value itself. */
  display?(row: Row, env: Env): string | null;
}

export interface Table {
  columns: ReadonlyMap<string, Column>;
  scan(env: Env): Row[];
  /** Rows whose column equals the value, when an index can tell; null otherwise. */
  lookup(column: string, value: string, env: Env): Row[] | null;
  /** As `lookup`, in any case of the letters. */
  lookupAnyCase?(column: string, value: string, env: Env): Row[] | null;
}

/** Names of record tables that differ from the name of the record type. */
const TABLE_NAMES: Readonly<Record<string, string>> = {
  serviceSaleItem: 'item',
  customerStatus: 'entitystatus',
};

/** In the catalogue of the record service, but not a column of the table. */
const HIDDEN: ReadonlySet<string> = new Set(['balance', 'defaultaddress']);

/** Transactions are rows of `transaction`; they have no tables of their own. */
const isTransaction = (type: RecordType): boolean => type.sequence === 'transaction';

const indexed = new Set(indexedFields());

const tables = new Map<string, Table>([
  ...RECORD_TYPES.filter((type) => !isTransaction(type) && !UNSERVED.has(type.name)).map(
    (type) => [TABLE_NAMES[type.name] ?? type.name.toLowerCase(), recordTable(type)] as const,
  ),
  ...transactionTables(),
  ['customeraddressbook', addressBookTable()],
  ['customeraddressbookentityaddress', addressTable()],
  ['deletedrecord', deletedRecordTable()],
]);

/** The table of a name in lower case. */
export function tableOf(name: string): Table | undefined {
  return tables.get(name);
}

export const rowOf = (record: SimRecord): Row => ({ record, line: record.data });

export function column(read: Column['read'], display?: Column['display']): Column {
  return display ? { read, display } : { read };
}

/** Column of a stored field, with the value forms of SuiteQL: `T`/`F`, dates, ids of references. */
export function fieldColumn(name: string, field: Field): Column {
  return {
    read: ({ line }) => sqlValue(field, line[name]),
    ...(hasDisplay(field) && { display: ({ line }: Row, env: Env) => displayText(field, line[name], env) }),
  };
}

export function sqlValue(field: Field, value: unknown): SqlValue {
  if (field.kind === 'boolean') return value === true ? 'T' : 'F';
  if (value === undefined || value === null) return null;
  if (field.kind === 'date' || field.kind === 'dateTime') return SqlDate.ofDay(String(value));
  return typeof value === 'number' ? value : String(value);
}

function hasDisplay(field: Field): boolean {
  return ['reference', 'choice', 'country', 'boolean'].includes(field.kind);
}

function displayText(field: Field, value: unknown, env: Env): string | null {
  if (field.kind === 'boolean') return value === true ? 'Yes' : 'No';
  if (value === undefined || value === null) return null;
  const id = String(value);
  if (field.kind === 'choice') return field.values?.[id] ?? id;
  if (field.kind === 'country') return countryName(id) ?? id;
  return displayOf(id, field.to ?? [], env);
}

/** Title of the record with the id, of whichever of the types has it. */
export function displayOf(id: string, types: readonly string[], env: Env): string {
  for (const name of types) {
    const record = env.db.get(name, id);
    const type = anyType(name);
    if (record && type) return titleOf(type, record);
  }
  return id;
}

export function stampColumns(type: RecordType): [string, Column][] {
  const stamps: [string, Column][] = [];
  if (type.created)
    stamps.push([type.created.toLowerCase(), column(({ record }) => new SqlDate(record.created))]);
  if (type.modified) stamps.push(['lastmodifieddate', column(({ record }) => new SqlDate(record.modified))]);
  return stamps;
}

function recordTable(type: RecordType): Table {
  const fields = Object.entries(type.fields).filter(([name]) => !HIDDEN.has(name.toLowerCase()));
  const names = new Map(fields.map(([name]) => [name.toLowerCase(), name]));
  const columns = new Map<string, Column>([
    ['id', column(({ record }) => Number(record.id))],
    ...stampColumns(type),
    ...fields.map(([name, field]) => [name.toLowerCase(), fieldColumn(name, field)] as const),
  ]);
  for (const [alias, name] of Object.entries(type.aliases ?? {})) {
    const target = columns.get(name.toLowerCase());
    if (target) columns.set(alias.toLowerCase(), target);
  }
  const byIndex = (name: string, value: string, env: Env, anyCase: boolean): Row[] | null => {
    const field = names.get(name);
    if (field === undefined || !indexed.has(`${type.name}.${field}`)) return null;
    return env.db.findBy(type.name, field, value, { anyCase }).map(rowOf);
  };
  return {
    columns,
    scan: (env) => env.db.list(type.name).map(rowOf),
    lookup: (name, value, env) =>
      name === 'id' ? some(env.db.get(type.name, value)) : byIndex(name, value, env, false),
    lookupAnyCase: (name, value, env) => byIndex(name, value, env, true),
  };
}

function some(record: SimRecord | undefined): Row[] {
  return record ? [rowOf(record)] : [];
}

/** One row per address book line; `addressbookaddress` is the key of the address. */
function addressBookTable(): Table {
  const columns = new Map<string, Column>([
    ['entity', column(({ record }) => Number(record.id))],
    ['internalid', column(({ line }) => Number(line.internalId))],
    ['addressbookaddress', column(addressKey)],
    ['defaultbilling', column(({ line }) => (line.defaultBilling === true ? 'T' : 'F'))],
    ['defaultshipping', column(({ line }) => (line.defaultShipping === true ? 'T' : 'F'))],
    ['label', column(({ line }) => (typeof line.label === 'string' ? line.label : null))],
  ]);
  return { columns, scan: addressRows, lookup: lookupByEntity };
}

function addressTable(): Table {
  const fields = typeOf('customer').sublists.addressBook?.subrecords?.addressBookAddress?.fields ?? {};
  const columns = new Map<string, Column>([
    ['nkey', column(addressKey)],
    ...Object.entries(fields).map(([name, field]) => {
      const read = ({ line }: Row): SqlValue => {
        const address = line.addressBookAddress;
        return sqlValue(field, isObject(address) ? address[name] : undefined);
      };
      return [name.toLowerCase(), column(read)] as const;
    }),
  ]);
  return { columns, scan: addressRows, lookup: () => null };
}

function addressKey({ record, line }: Row): SqlValue {
  return `${record.id}${String(line.internalId).padStart(3, '0')}`;
}

function addressRows(env: Env): Row[] {
  return env.db
    .list('customer')
    .flatMap((record) => linesOf(record.data, 'addressBook').map((line) => ({ record, line })));
}

function lookupByEntity(name: string, value: string, env: Env): Row[] | null {
  if (name !== 'entity') return null;
  const record = env.db.get('customer', value);
  return record ? linesOf(record.data, 'addressBook').map((line) => ({ record, line })) : [];
}

function deletedRecordTable(): Table {
  const columns = new Map<string, Column>([
    ['recordid', column(({ record }) => Number(record.id))],
    ['type', column(({ record }) => record.type)],
    ['name', column(({ record }) => titleOf(typeOf(record.type), record))],
    ['deleteddate', column(({ record }) => new SqlDate(record.modified))],
  ]);
  const scan = (env: Env): Row[] =>
    RECORD_TYPES.flatMap(({ name }) => env.db.list(name, { deleted: true }))
      .filter(({ deleted }) => deleted)
      .map(rowOf);
  return { columns, scan, lookup: () => null };
}
