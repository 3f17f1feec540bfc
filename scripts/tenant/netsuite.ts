import type { CustomFieldManifest, ObjectAccess, SystemManifest } from '../../lib/systems/kit/types.ts';
import type { MetadataFiles } from './files.ts';
import { type Element, xmlDocument } from './xml.ts';

/**
 * SuiteCloud project of a NetSuite account: a role with the rights of the integration, and the custom fields.
 * `suitecloud project:validate` says whether the account has all features that the permissions belong to.
 * Source: Oracle help "SuiteCloud Development Framework XML Reference": role, entitycustomfield, manifest, deploy.
 */
export function netsuiteMetadata({ access, customFields }: SystemManifest): MetadataFiles {
  return new Map([
    ['suitecloud.config.js', "module.exports = { defaultProjectFolder: 'src', commands: {} };\n"],
    ['src/manifest.xml', MANIFEST],
    ['src/deploy.xml', DEPLOY],
    ...customFields.map((field) => [`src/Objects/${field.name}.xml`, entityField(field)] as const),
    [`src/Objects/${ROLE}.xml`, roleFile(access)],
  ]);
}

const ROLE = 'customrole_q2c_integration';

const MANIFEST = xmlDocument(
  [
    'manifest',
    [
      ['projectname', 'quote-to-cash'],
      ['frameworkversion', '1.0'],
    ],
  ],
  'projecttype="ACCOUNTCUSTOMIZATION"',
);

const DEPLOY = `<deploy>
  <objects>
    <path>~/Objects/*</path>
  </objects>
</deploy>
`;

/** What the role needs beside the records: the way in, SuiteQL, and the lists that SuiteQL reads. */
const COMMON: readonly (readonly [key: string, level: string])[] = [
  ['ADMI_RESTWEBSERVICES', 'FULL'],
  ['ADMI_LOGIN_OAUTH2', 'FULL'],
  ['ADMI_LOGIN_OAUTH', 'FULL'],
  ['REPO_ANALYTICS', 'FULL'],
  ['LIST_SUBSIDIARY', 'VIEW'],
  ['LIST_CURRENCY', 'VIEW'],
];

/** Undoing a run deletes what it has created, so whoever creates has the full right. */
function roleFile(access: readonly ObjectAccess[]): string {
  const records = access.flatMap(({ permissionKey, rights }) =>
    permissionKey === undefined
      ? []
      : [[permissionKey, rights.includes('create') ? 'FULL' : 'VIEW'] as const],
  );
  const permissions = [...COMMON, ...records].map(
    ([key, level]): Element => [
      'permission',
      [
        ['permkey', key],
        ['permlevel', level],
      ],
    ],
  );
  const content: Element[] = [
    ['name', 'Quote-to-Cash integration'],
    ['iswebserviceonlyrole', 'T'],
    ['permissions', permissions],
  ];
  return xmlDocument(['role', content], `scriptid="${ROLE}"`);
}

function entityField({ name, label, purpose, type, object }: CustomFieldManifest): string {
  if (type.kind !== 'text' || object !== 'customer') {
    throw new Error(`${object}.${name}: only texts of customers are written as metadata so far`);
  }
  const content: Element[] = [
    ['label', label],
    ['description', purpose],
    ['fieldtype', 'TEXT'],
    ['maxlength', String(type.length)],
    ['storevalue', 'T'],
    ['appliestocustomer', 'T'],
  ];
  return xmlDocument(['entitycustomfield', content], `scriptid="${name}"`);
}
