import { billingSchedule, charge, expenseReport, timeBill } from './billing';
import { contact, customer, employee, job, projectTask } from './entities';
import type { Field, Fields, RecordType, Sublist } from './fields';
import { lists, UNSERVED } from './lists';
import { creditMemo, customerPayment, invoice, salesOrder } from './transactions';

export const RECORD_TYPES: readonly RecordType[] = [
  customer,
  contact,
  job,
  projectTask,
  employee,
  billingSchedule,
  charge,
  timeBill,
  expenseReport,
  salesOrder,
  invoice,
  creditMemo,
  customerPayment,
  ...lists,
];

const byName = new Map(RECORD_TYPES.map((type) => [type.name.toLowerCase(), type]));

/** Types the record service serves; names match in any case. */
export function servedType(name: string): RecordType | undefined {
  const type = byName.get(name.toLowerCase());
  return type && !UNSERVED.has(type.name) ? type : undefined;
}

/** Any type of the account, by exact name. @throws Error when the schema has no such type. */
export function typeOf(name: string): RecordType {
  const type = byName.get(name.toLowerCase());
  if (!type) throw new Error(`The schema has no record type ${name}`);
  return type;
}

export function anyType(name: string): RecordType | undefined {
  return byName.get(name.toLowerCase());
}

/** `type.field` pairs that the store indexes. */
export function indexedFields(): string[] {
  return RECORD_TYPES.flatMap((type) =>
    Object.entries(type.fields)
      .filter(([, field]) => field.indexed)
      .map(([name]) => `${type.name}.${name}`),
  );
}

/** What a property name in a request stands for. */
export type Property =
  | { is: 'field'; name: string; field: Field }
  | { is: 'sublist'; name: string; sublist: Sublist }
  | { is: 'subrecord'; name: string; shape: Shape };

/** Something with named properties: a record, a line, an address. */
export interface Shape {
  fields: Fields;
  sublists?: Readonly<Record<string, Sublist>>;
  subrecords?: Readonly<Record<string, { fields: Fields }>>;
  aliases?: Readonly<Record<string, string>>;
}

const propertyTables = new WeakMap<Shape, Map<string, Property>>();

/**
 * Finds a property by name in any case: Oracle's own samples write both `companyName` and `companyname`.
 */
export function propertyOf(shape: Shape, name: string): Property | undefined {
  let table = propertyTables.get(shape);
  if (!table) {
    table = tableOf(shape);
    propertyTables.set(shape, table);
  }
  return table.get(name.toLowerCase());
}

function tableOf(shape: Shape): Map<string, Property> {
  const table = new Map<string, Property>();
  for (const [name, field] of Object.entries(shape.fields)) {
    table.set(name.toLowerCase(), { is: 'field', name, field });
  }
  for (const [name, sublist] of Object.entries(shape.sublists ?? {})) {
    table.set(name.toLowerCase(), { is: 'sublist', name, sublist });
  }
  for (const [name, subrecord] of Object.entries(shape.subrecords ?? {})) {
    table.set(name.toLowerCase(), { is: 'subrecord', name, shape: subrecord });
  }
  for (const [alias, name] of Object.entries(shape.aliases ?? {})) {
    const property = table.get(name.toLowerCase());
    if (property) table.set(alias.toLowerCase(), property);
  }
  return table;
}
