import type { SimRecord } from '../kit/types';
import type { Org } from './org';
import { type Field, findField, type SObject } from './schema';
import { noSuchColumn } from './validation';

/** A record as the API answers it. */
export type RecordBody = Record<string, unknown>;

export function recordUrl(version: string, type: string, id: string): string {
  return `/services/data/v${version}/sobjects/${type}/${id}`;
}

export function attributes(version: string, record: SimRecord): { type: string; url: string } {
  return { type: record.type, url: recordUrl(version, record.type, record.id) };
}

/** The named fields of a record, all when none are named. */
export function renderRecord(
  org: Org,
  version: string,
  object: SObject,
  record: SimRecord,
  fields: readonly Field[],
): RecordBody {
  const body: RecordBody = { attributes: attributes(version, record) };
  for (const field of fields) body[field.name] = org.value(object, record, field);
  return body;
}

/**
 * Fields of a `?fields=A,B` parameter; all of the object when it is absent.
 * @throws ApiError 400 `INVALID_FIELD`
 */
export function fieldsParameter(object: SObject, parameter: string | null): readonly Field[] {
  if (parameter === null || parameter.trim() === '') return object.fields;
  return parameter.split(',').map((name) => {
    const field = findField(object, name.trim());
    if (!field) throw noSuchColumn(object, name.trim());
    return field;
  });
}
