import type {
  CustomFieldManifest,
  CustomFieldType,
  ObjectAccess,
  SystemManifest,
} from '../../lib/systems/kit/types.ts';
import type { MetadataFiles } from './files.ts';
import { type Element, xmlDocument } from './xml.ts';

/**
 * Metadata API package of a Salesforce org: the custom fields, and a permission set with the rights of the integration
 * user. Deploy with `sf project deploy start --metadata-dir salesforce`.
 * Source: Metadata API Developer Guide, types CustomField, PermissionSet, and "Sample package.xml Manifest Files".
 */
export function salesforceMetadata({ access, customFields, settings }: SystemManifest): MetadataFiles {
  const version = settings.find(({ id }) => id === 'apiVersion')?.default ?? '';
  const objects = [...Map.groupBy(customFields, ({ object }) => object)];
  return new Map([
    ['package.xml', packageFile(customFields, version)],
    ...objects.map(([object, fields]) => [`objects/${object}.object`, objectFile(fields)] as const),
    [`permissionsets/${PERMISSION_SET}.permissionset`, permissionSet(access, customFields)],
  ]);
}

const NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"';
const PERMISSION_SET = 'Q2C_Integration';

function packageFile(fields: readonly CustomFieldManifest[], version: string): string {
  const members = fields.map(({ object, name }): Element => ['members', `${object}.${name}`]);
  const content: Element[] = [
    ['types', [...members, ['name', 'CustomField']]],
    [
      'types',
      [
        ['members', PERMISSION_SET],
        ['name', 'PermissionSet'],
      ],
    ],
    ['version', version],
  ];
  return xmlDocument(['Package', content], NAMESPACE);
}

function objectFile(fields: readonly CustomFieldManifest[]): string {
  const content = fields.map(
    ({ name, label, purpose, type }): Element => [
      'fields',
      [
        ['fullName', name],
        ['description', purpose],
        ['label', label],
        ['required', 'false'],
        ...typeOf(type),
      ],
    ],
  );
  return xmlDocument(['CustomObject', content], NAMESPACE);
}

function typeOf(type: CustomFieldType): Element[] {
  switch (type.kind) {
    case 'text': {
      const key = String(type.key === true);
      return [
        ...(type.key ? ([['caseSensitive', 'true']] as const) : []),
        ['externalId', key],
        ['length', String(type.length)],
        ['type', 'Text'],
        ['unique', key],
      ];
    }
    case 'picklist': {
      const values = type.values.map(
        (value): Element => [
          'value',
          [
            ['fullName', value],
            ['default', 'false'],
            ['label', value],
          ],
        ],
      );
      const definition: Element = ['valueSetDefinition', [['sorted', 'false'], ...values]];
      return [
        ['type', 'Picklist'],
        ['valueSet', [['restricted', String(type.open !== true)], definition]],
      ];
    }
    default:
      return [
        ['precision', String(type.precision)],
        ['scale', String(type.scale)],
        ['type', TYPE_NAMES[type.kind]],
      ];
  }
}

const TYPE_NAMES = { number: 'Number', currency: 'Currency', percent: 'Percent' } as const;

function permissionSet(access: readonly ObjectAccess[], fields: readonly CustomFieldManifest[]): string {
  const content: Element[] = [
    ['description', 'What the integration user of Quote-to-Cash may see and do.'],
    ...fields.map(fieldPermission),
    ['hasActivationRequired', 'false'],
    ['label', 'Q2C Integration'],
    // Objects without a key of their own follow the opportunity; what a feature brings is only there when it is on.
    ...access.filter(({ permissionKey }) => permissionKey !== undefined).map(objectPermission),
    [
      'userPermissions',
      [
        ['enabled', 'true'],
        ['name', 'ApiEnabled'],
      ],
    ],
  ];
  return xmlDocument(['PermissionSet', content], NAMESPACE);
}

function fieldPermission({ object, name, written }: CustomFieldManifest): Element {
  return [
    'fieldPermissions',
    [
      ['editable', String(written)],
      ['field', `${object}.${name}`],
      ['readable', 'true'],
    ],
  ];
}

/** Who undoes a run deletes what it has created. */
function objectPermission({ permissionKey = '', rights }: ObjectAccess): Element {
  const creates = rights.includes('create');
  return [
    'objectPermissions',
    [
      ['allowCreate', String(creates)],
      ['allowDelete', String(creates)],
      ['allowEdit', String(creates || rights.includes('update'))],
      ['allowRead', 'true'],
      ['modifyAllRecords', 'false'],
      ['object', permissionKey],
      ['viewAllRecords', 'false'],
    ],
  ];
}
