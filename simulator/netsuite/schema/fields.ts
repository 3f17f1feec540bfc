/**
 * The account's record types as data. Field names, kinds and sublists are those of the SuiteTalk types
 * (`specs/netsuite`) in the spelling of the REST record service; maximum lengths are the ones users meet.
 */

export type FieldKind =
  | 'text'
  | 'email'
  | 'phone'
  | 'url'
  | 'integer'
  | 'number'
  | 'amount'
  | 'boolean'
  | 'date'
  | 'dateTime'
  | 'duration'
  | 'reference'
  | 'choice'
  | 'country';

export interface Field {
  kind: FieldKind;
  /** Longest text. */
  max?: number;
  /** `reference`: record types it may point to. */
  to?: readonly string[];
  /** `choice`: id → label. */
  values?: Readonly<Record<string, string>>;
  /** Must have a value after defaulting. */
  required?: true;
  /** Computed by the ERP; a value in a request is ignored. */
  readOnly?: true;
  /** Looked up by index in `findBy`. */
  indexed?: true;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Sublist {
  /** Field that addresses a line in PATCH. */
  key: string;
  /** The ERP numbers the lines 1, 2, 3 …; otherwise the key is a value of the caller (a currency, a document). */
  numbered: boolean;
  fields: Fields;
  /** Objects inside a line, for example the address of an address book line. */
  subrecords?: Readonly<Record<string, { fields: Fields }>>;
  /** Other names callers may use → field. */
  aliases?: Readonly<Record<string, string>>;
}

export interface RecordType {
  /** Name in the URL, also the type in the store. */
  name: string;
  /** Counter of internal ids; entities share one, transactions share one. */
  sequence: string;
  /** Fields whose values make the `refName`, joined by a space. */
  title: readonly string[];
  fields: Fields;
  sublists: Readonly<Record<string, Sublist>>;
  /** Other names callers may use → field (older and newer spellings of one property). */
  aliases?: Readonly<Record<string, string>>;
  /** Name of the creation stamp, when the type has one. */
  created?: 'dateCreated' | 'createdDate';
  /** Shows `lastModifiedDate`. */
  modified: boolean;
  /** Records that point here and keep it from being deleted: type and field. */
  heldBy: readonly (readonly [type: string, field: string])[];
}

export const text = (max = 300): Field => ({ kind: 'text', max });
export const reference = (...to: string[]): Field => ({ kind: 'reference', to });
export const choice = (values: Readonly<Record<string, string>>): Field => ({ kind: 'choice', values });
export const required = (field: Field): Field => ({ ...field, required: true });
export const readOnly = (field: Field): Field => ({ ...field, readOnly: true });
export const indexed = (field: Field): Field => ({ ...field, indexed: true });

export const amount: Field = { kind: 'amount' };
export const number: Field = { kind: 'number' };
export const integer: Field = { kind: 'integer' };
export const boolean: Field = { kind: 'boolean' };
export const date: Field = { kind: 'date' };
export const duration: Field = { kind: 'duration' };
export const email: Field = { kind: 'email', max: 254 };
export const phone: Field = { kind: 'phone', max: 32 };
export const url: Field = { kind: 'url', max: 255 };
export const country: Field = { kind: 'country' };

export const externalId: Field = indexed(text(255));

/** "companyName" → "Company Name", as a form shows it. */
export function labelOf(field: string): string {
  return field.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/^./, (first) => first.toUpperCase());
}
