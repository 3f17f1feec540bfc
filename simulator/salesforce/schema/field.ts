/** Fields and objects of the simulated org, as data. Names, types, lengths and rights are the platform's own (describe). */

export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'phone'
  | 'url'
  | 'email'
  | 'picklist'
  | 'reference'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'address';

export interface Field {
  name: string;
  label: string;
  type: FieldType;
  /** Text types: characters. */
  length: number;
  /** Number types: all digits, and those behind the point. `int` has neither. */
  precision: number;
  scale: number;
  nillable: boolean;
  createable: boolean;
  updateable: boolean;
  /** Filled in by the platform on create when the caller leaves it out. */
  defaultedOnCreate: boolean;
  defaultValue: string | number | boolean | null;
  picklist: readonly string[];
  /** Values outside the picklist are refused. */
  restricted: boolean;
  referenceTo: string | null;
  /** Name of the parent in SOQL and in bodies, for example `Account` of `AccountId`. */
  relationshipName: string | null;
  /** Name of the children in sub-queries of the parent, for example `Contacts`. */
  childRelationship: string | null;
  /** Children are deleted with their parent; otherwise the look-up is emptied. */
  cascadeDelete: boolean;
  externalId: boolean;
  unique: boolean;
  /** Can stand in an upsert path without being an external id. */
  idLookup: boolean;
  nameField: boolean;
  /** Worked out when read, see `computed.ts`; never stored. */
  calculated: boolean;
  autoNumber: boolean;
  compoundFieldName: string | null;
  /** False: cannot stand in WHERE and ORDER BY. */
  filterable: boolean;
}

export interface SObject {
  name: string;
  label: string;
  labelPlural: string;
  /** First three characters of its ids. */
  keyPrefix: string;
  fields: readonly Field[];
  createable: boolean;
  updateable: boolean;
  deletable: boolean;
}

export type FieldOptions = Partial<Omit<Field, 'name' | 'type'>> & {
  /** Must be given on create and cannot be emptied. */
  required?: boolean;
  /** Written by the platform only. */
  readOnly?: boolean;
};

export function field(name: string, type: FieldType, options: FieldOptions = {}): Field {
  const { required = false, readOnly = false, ...given } = options;
  return {
    name,
    label: labelOf(name),
    type,
    length: 0,
    precision: 0,
    scale: 0,
    nillable: !required,
    createable: !readOnly,
    updateable: !readOnly,
    defaultedOnCreate: given.defaultValue !== undefined,
    defaultValue: null,
    picklist: [],
    restricted: false,
    referenceTo: null,
    relationshipName: null,
    childRelationship: null,
    cascadeDelete: false,
    externalId: false,
    unique: false,
    idLookup: false,
    nameField: false,
    calculated: false,
    autoNumber: false,
    compoundFieldName: null,
    filterable: true,
    ...given,
  };
}

export const text = (name: string, length: number, options?: FieldOptions): Field =>
  field(name, 'string', { length, ...options });

/** Long text areas (above 255 characters) cannot be filtered by. */
export const textArea = (name: string, length: number, options?: FieldOptions): Field =>
  field(name, 'textarea', { length, filterable: length <= 255, ...options });

export const phone = (name: string): Field => field(name, 'phone', { length: 40 });

export const picklist = (
  name: string,
  length: number,
  values: readonly string[],
  options?: FieldOptions,
): Field => field(name, 'picklist', { length, picklist: values, ...options });

/** A custom picklist, which the platform restricts to its values unless told otherwise. */
export const customPicklist = (name: string, values: readonly string[], options?: FieldOptions): Field =>
  picklist(name, 255, values, { restricted: true, ...options });

/** `AccountId` refers to an Account as `Account`; custom look-ups name their relationship themselves. */
export const lookup = (name: string, referenceTo: string, options?: FieldOptions): Field =>
  field(name, 'reference', {
    length: 18,
    referenceTo,
    relationshipName: name.replace(/Id$/, ''),
    ...options,
  });

export const currency = (name: string, precision: number, scale: number, options?: FieldOptions): Field =>
  field(name, 'currency', { precision, scale, ...options });

export const percent = (name: string, precision: number, scale: number, options?: FieldOptions): Field =>
  field(name, 'percent', { precision, scale, ...options });

export const number = (name: string, precision: number, scale: number, options?: FieldOptions): Field =>
  field(name, 'double', { precision, scale, ...options });

export const int = (name: string, options?: FieldOptions): Field => field(name, 'int', options);

export const date = (name: string, options?: FieldOptions): Field => field(name, 'date', options);

export const datetime = (name: string, options?: FieldOptions): Field => field(name, 'datetime', options);

/** A check box is never null: unchecked unless told otherwise. */
export const checkbox = (name: string, options: FieldOptions = {}): Field =>
  field(name, 'boolean', { required: true, defaultValue: false, ...options });

/** Text(80), External ID, Unique: where the canonical id of a record is kept. */
export const externalId = (name: string): Field =>
  text(name, 80, { externalId: true, unique: true, idLookup: true });

/** Street, city, state, postal code and country, and the compound of them that only reads. */
export function address(prefix: string, options: FieldOptions = {}): Field[] {
  const part: FieldOptions = { ...options, compoundFieldName: `${prefix}Address` };
  return [
    textArea(`${prefix}Street`, 255, part),
    text(`${prefix}City`, 40, part),
    text(`${prefix}State`, 80, part),
    text(`${prefix}PostalCode`, 20, part),
    text(`${prefix}Country`, 80, part),
    field(`${prefix}Address`, 'address', { readOnly: true, calculated: true }),
  ];
}

/** What every object has. */
const SYSTEM_FIELDS: readonly Field[] = [
  field('Id', 'id', { length: 18, required: true, readOnly: true, defaultedOnCreate: true, idLookup: true }),
  checkbox('IsDeleted', { readOnly: true }),
];

const AUDIT_FIELDS: readonly Field[] = [
  datetime('CreatedDate', { required: true, readOnly: true, defaultedOnCreate: true }),
  lookup('CreatedById', 'User', { required: true, readOnly: true, defaultedOnCreate: true }),
  datetime('LastModifiedDate', { required: true, readOnly: true, defaultedOnCreate: true }),
  lookup('LastModifiedById', 'User', { required: true, readOnly: true, defaultedOnCreate: true }),
  datetime('SystemModstamp', { required: true, readOnly: true, defaultedOnCreate: true }),
];

/** The user a record belongs to: the one who made it, unless another is named. */
export const owner = (): Field => lookup('OwnerId', 'User', { required: true, defaultedOnCreate: true });

/** An object with the fields every object has. What administrators set up is only read: `writable: false`. */
export function sobject(
  name: string,
  keyPrefix: string,
  fields: readonly Field[],
  options: { label?: string; labelPlural?: string; writable?: boolean } = {},
): SObject {
  const { label = labelOf(name), labelPlural = `${label}s`, writable = true } = options;
  return {
    name,
    label,
    labelPlural,
    keyPrefix,
    fields: [...SYSTEM_FIELDS, ...fields, ...AUDIT_FIELDS],
    createable: writable,
    updateable: writable,
    deletable: writable,
  };
}

/** `BillingPostalCode` reads "Billing Postal Code", `AccountId` "Account ID", `Q2C_Tax_Status__c` "Q2C Tax Status". */
function labelOf(name: string): string {
  if (name.endsWith('__c')) return name.slice(0, -3).replaceAll('_', ' ');
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/\bId$/, 'ID')
    .replace(/2\b/, '')
    .trim();
}
