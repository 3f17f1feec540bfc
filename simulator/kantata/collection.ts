import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import type { Draft } from './draft';
import { type Cast, seconds } from './values';

/** One kind of object of the API, as data: what it shows, what it accepts, and what happens around a write. */
export interface Collection {
  /** Plural root and key of its map in answers. */
  key: string;
  /** Singular root of request bodies. */
  root: string;
  /** Name in `subject_type` of external references and custom field values; absent = it has neither. */
  subject?: string;
  methods: readonly ('index' | 'show' | 'create' | 'update' | 'delete')[];
  /** Most objects in one bulk create; absent = no bulk create. */
  bulk?: number;
  /** New objects go to the top of their list, so that a bulk create starts with the last one. */
  newestFirst?: boolean;

  /** Attributes that every answer shows, besides `id`. */
  visible: readonly string[];
  /** Attributes shown only when named in `optional_fields`. */
  optional?: readonly string[];
  /** Values that are not stored as they are shown. */
  present?(record: SimRecord, account: Account): Data;
  associations: Record<string, Association>;

  inputs: Record<string, Input>;
  /** Attribute → message when it is empty. */
  required?: Record<string, string>;
  defaults?(draft: Draft): Data;
  /** Rules that need more than one attribute; adds problems and derived values to the draft. */
  check?(draft: Draft): void;
  /** What a write does to other objects. */
  after?(draft: Draft, record: SimRecord): void;
  /** Why an object cannot be changed or deleted now; null when it can. */
  locked?(record: SimRecord, account: Account): string | null;
  /** Deletes what belongs to the object, or replaces its deletion. Absent = only the object goes. */
  destroy?(record: SimRecord, account: Account): void;
  /** `PUT /x/{id}/{action}`. */
  actions?: Record<string, (record: SimRecord, body: Data, account: Account) => SimRecord>;

  filters?: Record<string, Filter>;
  /** Default filters; they hide an object from lists and from its own "show" route. */
  hidden?(record: SimRecord, query: URLSearchParams, account: Account): boolean;
  /** Message when a list cannot be answered without a parameter. */
  refuseList?(query: URLSearchParams): string | null;
  /** The endpoint has none of `created_after`, `updated_before` and so on; it ignores them. */
  timeless?: boolean;
  /** Texts that `search` looks into, by the name a search term can give. */
  search?: Record<string, (record: SimRecord, account: Account) => string>;
  orders?: Record<string, (record: SimRecord) => unknown>;
  /** `field:direction`. */
  order?: string;
}

export interface Association {
  collection: string;
  /** Shown only when the association is included, unless `visible` names it. */
  key: string;
  /** Where ids come from when they are not stored under `key`. */
  ids?(record: SimRecord, account: Account): string[] | string | null;
  /** For an association to any kind of object: which one. The answer shows the pair under `key`. */
  refers?(record: SimRecord): { key: string; id: string };
}

export interface Input {
  cast: Cast;
  create: boolean;
  update: boolean;
  /** False for nested objects and commands, which the collection reads but does not store. */
  stored: boolean;
}

export interface Filter {
  /** Makes the test for one value of the parameter. */
  test(value: string, account: Account): (record: SimRecord) => boolean;
  /** A narrower set to start from than all objects. */
  candidates?(value: string, account: Account): SimRecord[];
}

export const both = (cast: Cast): Input => ({ cast, create: true, update: true, stored: true });
export const onCreate = (cast: Cast): Input => ({ ...both(cast), update: false });
export const onUpdate = (cast: Cast): Input => ({ ...both(cast), create: false });
export const command = (input: Input): Input => ({ ...input, stored: false });

export const ALL_METHODS = ['index', 'show', 'create', 'update', 'delete'] as const;
export const READ_ONLY = ['index', 'show'] as const;

/** An association whose ids are stored in the object itself. */
export const stored = (collection: string, key: string): Association => ({ collection, key });

/** An association to all objects that point to this one. */
export const children = (
  collection: string,
  key: string,
  find: (account: Account, id: string) => SimRecord[],
): Association => ({
  collection,
  key,
  ids: (record, account) => find(account, record.id).map((child) => child.id),
});

// ---------------------------------------------------------------- filters

const list = (value: string): string[] => value.split(',').map((part) => part.trim());

/** Objects whose field is one of the comma-separated values. */
export const fieldIn = (field: string, candidates?: Filter['candidates']): Filter => ({
  test: (value) => {
    const wanted = new Set(list(value));
    return (record) => wanted.has(String(record.data[field]));
  },
  candidates,
});

/** Objects of the given projects, found by index. */
export const inWorkspaces = (find: (account: Account, id: string) => SimRecord[]): Filter =>
  fieldIn('workspace_id', (value, account) => list(value).flatMap((id) => find(account, id)));

/** `true` or `false` against a predicate. */
export const flag = (predicate: (record: SimRecord, account: Account) => boolean): Filter => ({
  test: (value, account) => (record) => predicate(record, account) === (value === 'true'),
});

/** The parameter counts when it is there; its value is ignored. */
export const presence = (predicate: (record: SimRecord, account: Account) => boolean): Filter => ({
  test: (_value, account) => (record) => predicate(record, account),
});

/** `true` narrows, anything else does nothing. */
export const onlyWhenTrue = (predicate: (record: SimRecord) => boolean): Filter => ({
  test: (value) => (record) => value !== 'true' || predicate(record),
});

/** `FROM:TO`, both dates included. */
export const dateBetween = (field: string): Filter => ({
  test: (value) => {
    const [from = '', to = ''] = value.split(':');
    return (record) => {
      const day = String(record.data[field] ?? '');
      return day >= from && day <= to;
    };
  },
});

export const textOf =
  (field: string) =>
  (record: SimRecord): string =>
    String(record.data[field] ?? '');

/** Dates before or after a day, which is excluded. */
export const dayBefore = (field: string): Filter => ({
  test: (value) => (record) => textOf(field)(record) !== '' && textOf(field)(record) < value,
});
export const dayAfter = (field: string): Filter => ({
  test: (value) => (record) => textOf(field)(record) > value,
});

export const createdAt = (record: SimRecord): number => seconds(record.created);
export const updatedAt = (record: SimRecord): number => seconds(record.modified);
export const byField = (field: string) => (record: SimRecord) => record.data[field];

/** The words of a text, for lists of attribute names that are too long for one line. */
export const names = (text: string): string[] => text.trim().split(/\s+/);
