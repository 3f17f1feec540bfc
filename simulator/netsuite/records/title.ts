import type { SimRecord } from '../../kit/types';
import type { RecordType } from '../schema/fields';

/** `refName` of a record: what a drop-down list shows. */
export function titleOf(type: RecordType, record: SimRecord): string {
  const parts = type.title.map((field) => record.data[field]).filter((part) => typeof part === 'string');
  return [...new Set(parts)].join(' ');
}
