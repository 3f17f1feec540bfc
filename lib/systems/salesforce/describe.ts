import * as z from 'zod';
import {
  type CheckText,
  type CustomFieldManifest,
  type CustomFieldType,
  finding,
  type ObjectAccess,
} from '../kit';
import { EXTERNAL_ID_FIELD, manifest } from './manifest';

const fieldSchema = z.object({
  name: z.string(),
  type: z.string().optional(),
  length: z.number().optional(),
  externalId: z.boolean().optional(),
  unique: z.boolean().optional(),
  createable: z.boolean().optional(),
  updateable: z.boolean().optional(),
});

/** What `GET /sobjects/{object}/describe` says to the user who asks: objects and fields he may not see are absent. */
export const describeSchema = z.object({
  queryable: z.boolean(),
  createable: z.boolean(),
  updateable: z.boolean(),
  fields: z.array(fieldSchema),
});
export type Describe = z.infer<typeof describeSchema>;

const RIGHTS = {
  read: { flag: 'queryable', key: 'RIGHT_READ' },
  create: { flag: 'createable', key: 'RIGHT_CREATE' },
  update: { flag: 'updateable', key: 'RIGHT_UPDATE' },
} as const;

/** Rights on the object that are missing, and features that are off. */
export function accessFindings(access: ObjectAccess, described: Describe): CheckText[] {
  const { object, grant, feature } = access;
  const missing = access.rights
    .map((right) => RIGHTS[right])
    .filter(({ flag }) => !described[flag])
    .map(({ key }) => finding(key, { object, grant }));
  const isOff = feature?.field !== undefined && !described.fields.some(({ name }) => name === feature.field);
  return isOff ? [...missing, finding('FEATURE_OFF', { object, feature: feature.name })] : missing;
}

/** What is wrong with our fields of an object. @param keyField the name that the connection gives the external id */
export function fieldFindings(object: string, keyField: string, described: Describe): CheckText[] {
  return manifest.customFields
    .filter((field) => field.object === object)
    .flatMap((field) => {
      const name = field.name === EXTERNAL_ID_FIELD ? keyField : field.name;
      return problemsOf({ ...field, name }, described);
    });
}

function problemsOf(
  { object, name, type, typeInWords: wanted, written }: CustomFieldManifest,
  { fields }: Describe,
): CheckText[] {
  const found = fields.find((each) => each.name === name);
  if (found === undefined) return [finding('FIELD_MISSING', { object, field: name, type: wanted })];
  const about = { object, field: name };
  const problems: CheckText[] = [];
  if (found.type !== undefined && !fits(type, found.type))
    problems.push(finding('FIELD_TYPE', { ...about, found: found.type, type: wanted }));
  if (type.kind !== 'text') return [...problems, ...readOnly(found, written, about)];
  if (found.length !== undefined && found.length < type.length) {
    const values = { ...about, found: String(found.length), length: String(type.length) };
    problems.push(finding('FIELD_SHORT', values));
  }
  if (type.key && !(found.externalId && found.unique)) problems.push(finding('FIELD_NOT_KEY', about));
  return [...problems, ...readOnly(found, written, about)];
}

type Described = Describe['fields'][number];

/** A field is edited when the record is made, and when it is changed. */
function readOnly(found: Described, written: boolean, about: CheckText['values']): CheckText[] {
  const isReadOnly = found.createable === false || found.updateable === false;
  return written && isReadOnly ? [finding('FIELD_READ_ONLY', about)] : [];
}

/** Types of a describe that hold what we read and write; a picklist may be a plain text, and a text a picklist. */
const FITTING: Readonly<Record<CustomFieldType['kind'], readonly string[]>> = {
  text: ['string', 'textarea', 'picklist', 'email', 'url', 'phone'],
  picklist: ['picklist', 'string'],
  number: ['double', 'int', 'currency', 'percent'],
  currency: ['currency', 'double'],
  percent: ['percent', 'double'],
};

const fits = ({ kind }: CustomFieldType, found: string): boolean => FITTING[kind].includes(found);
