import * as z from 'zod';
import { type CheckStep, type ConnectionCheck, runChecks, SystemError } from '../kit';
import type { SalesforceClient } from './client';
import { EXTERNAL_ID_FIELD, manifest } from './manifest';

const describeSchema = z.object({
  queryable: z.boolean(),
  createable: z.boolean(),
  updateable: z.boolean(),
  fields: z.array(
    z.object({ name: z.string(), externalId: z.boolean().optional(), unique: z.boolean().optional() }),
  ),
});
type Describe = z.infer<typeof describeSchema>;

interface ObjectNeeds {
  object: string;
  access: ('queryable' | 'createable' | 'updateable')[];
  /** Standard fields that exist only when a feature of the org is switched on. */
  feature?: { field: string; enable: string };
  /** Said when the object itself is missing. */
  missing?: string;
}

const MULTI_CURRENCY = {
  field: 'CurrencyIsoCode',
  enable: 'switch on multiple currencies in Company Information',
};

const OBJECTS: ObjectNeeds[] = [
  { object: 'Opportunity', access: ['queryable', 'updateable'], feature: MULTI_CURRENCY },
  { object: 'Account', access: ['queryable', 'createable', 'updateable'], feature: MULTI_CURRENCY },
  { object: 'Contact', access: ['queryable', 'createable', 'updateable'] },
  { object: 'Contract', access: ['queryable', 'updateable'], feature: MULTI_CURRENCY },
  { object: 'OpportunityLineItem', access: ['queryable'] },
  {
    object: 'OpportunityLineItemSchedule',
    access: ['queryable'],
    missing: 'Switch on revenue schedules in Product Schedule Settings.',
  },
];

/** Host, version, login, then what the integration user may see of each object. */
export function checkConnection(client: SalesforceClient): Promise<ConnectionCheck[]> {
  return runChecks([
    { id: 'host', label: 'Host and API version', blocking: true, run: () => checkVersion(client) },
    { id: 'login', label: 'Login', blocking: true, run: () => checkLogin(client) },
    ...OBJECTS.map(
      (needs): CheckStep => ({
        id: `object:${needs.object}`,
        label: `Object ${needs.object}`,
        run: () => checkObject(client, needs),
      }),
    ),
  ]);
}

async function checkVersion(client: SalesforceClient): Promise<string | undefined> {
  const wanted = client.settings.apiVersion ?? '';
  const versions = await client.versions();
  if (versions.includes(wanted)) return undefined;
  return `This org does not offer API version ${wanted}; its latest is ${versions.at(-1) ?? 'unknown'}. Change the API version of the connection.`;
}

/** The list of resources is open to every user with API access; `limits` would need a permission of its own. */
async function checkLogin(client: SalesforceClient): Promise<undefined> {
  await client.get('/', z.looseObject({}), 'the list of resources');
}

async function checkObject(client: SalesforceClient, needs: ObjectNeeds): Promise<string | undefined> {
  const { object } = needs;
  const described = await describe(client, object);
  if (described === null) {
    return (
      needs.missing ??
      `The integration user cannot see ${object}: give its permission set access to the object.`
    );
  }
  const problems = [
    ...accessProblems(needs, described),
    ...featureProblems(needs, described),
    ...fieldProblems(client, object, described),
  ];
  return problems.length > 0 ? problems.join(' ') : undefined;
}

async function describe(client: SalesforceClient, object: string): Promise<Describe | null> {
  try {
    return await client.get(`/sobjects/${object}/describe`, describeSchema, `describing ${object}`);
  } catch (error) {
    if (error instanceof SystemError && error.kind === 'not_found') return null;
    throw error;
  }
}

function accessProblems({ object, access }: ObjectNeeds, described: Describe): string[] {
  const words = { queryable: 'read', createable: 'create', updateable: 'edit' };
  const missing = access.filter((right) => !described[right]).map((right) => words[right]);
  return missing.length > 0
    ? [`The integration user may not ${missing.join(' or ')} ${object} records.`]
    : [];
}

function featureProblems({ object, feature }: ObjectNeeds, described: Describe): string[] {
  if (!feature || described.fields.some(({ name }) => name === feature.field)) return [];
  return [`${object} has no ${feature.field}: ${feature.enable}.`];
}

function fieldProblems(client: SalesforceClient, object: string, described: Describe): string[] {
  return manifest.customFields
    .filter((field) => field.object === object)
    .flatMap((field) => {
      const isKey = field.name === EXTERNAL_ID_FIELD;
      const name = isKey ? client.externalIdField : field.name;
      const found = described.fields.find((each) => each.name === name);
      if (!found) {
        const what = `${name}, ${field.type} (${field.purpose})`;
        return [`Create the field ${what}, on ${object} and give the integration user access to it.`];
      }
      if (isKey && !(found.externalId && found.unique))
        return [`Mark ${object}.${name} as External ID and as Unique.`];
      return [];
    });
}
