import type { CustomFieldType } from './types';

/** The type as an administrator chooses it on the vendor's screens, for example `Text(80), External ID, Unique`. */
export function fieldTypeInWords(type: CustomFieldType): string {
  switch (type.kind) {
    case 'text':
      return `Text(${type.length})${type.key ? ', External ID, Unique' : ''}`;
    case 'picklist':
      return `Picklist: ${type.values.join(', ')}${type.open ? ' …' : ''}`;
    default:
      // On the screens: digits before the point, digits behind it.
      return `${KIND_IN_WORDS[type.kind]}(${type.precision - type.scale}, ${type.scale})`;
  }
}

const KIND_IN_WORDS = { number: 'Number', currency: 'Currency', percent: 'Percent' } as const;
