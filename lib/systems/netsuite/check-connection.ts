import * as z from 'zod';
import {
  arrivalSteps,
  type CheckOptions,
  type CheckStep,
  type CheckText,
  finding,
  judged,
  line,
  type ObjectAccess,
  passed,
  reasonIn,
  runChecks,
  SystemError,
  unchecked,
} from '../kit';
import type { NetSuiteClient } from './client';
import { manifest } from './manifest';

const AUDIT_TRAIL = 'Setup > Users/Roles > User Management > View Login Audit Trail';
const REST_SERVICES =
  'Enable Features > SuiteCloud > REST Web Services, and the permission REST Web Services of the role';
const SUITEQL = 'Reports > SuiteAnalytics Workbook, Lists > Subsidiaries';

const limitsReply = z.object({ accountConcurrencyLimit: z.number() });

/**
 * Host, clock, login, REST services, then each record type, in the order in which an administrator would put them right.
 * The metadata catalogue shows the record types and fields that role and features let the login see. Levels (create, edit,
 * full) are told by no call that leaves the account as it is.
 */
export function checkConnection(client: NetSuiteClient, options?: CheckOptions) {
  const steps: CheckStep[] = [
    ...arrivalSteps(client.host, (signal) => client.knock(signal)),
    {
      id: 'login',
      line: line('login'),
      blocking: true,
      explain: loginFindings,
      run: async (signal) => {
        await client.signIn(signal);
        return passed();
      },
    },
    {
      id: 'api',
      line: line('api'),
      blocking: true,
      explain: (error) => [finding('API_OFF', { reason: reasonIn(error), grant: REST_SERVICES })],
      run: async (signal) => {
        await client.metadata.recordTypes(signal);
        return passed();
      },
    },
    {
      id: 'subsidiaries',
      line: line('subsidiaries'),
      explain: () => [finding('RIGHT_READ', { object: 'subsidiary', grant: SUITEQL })],
      run: async (signal) => {
        const rows = await client.query('SELECT id, name FROM subsidiary ORDER BY id', signal);
        return judged(rows.length > 0 ? [] : [finding('NO_SUBSIDIARY')]);
      },
    },
    ...manifest.access.map((access) => recordStep(client, access)),
    {
      id: 'fields:customer',
      line: line('fields', { object: 'customer' }),
      explain: () => [finding('OBJECT_HIDDEN', { object: 'customer', grant: grantOf('customer') })],
      run: async (signal) => judged(await taxFieldFindings(client, signal)),
    },
    {
      id: 'write',
      line: line('write'),
      run: async () => {
        const grants = manifest.access.filter(({ rights }) => rights.length > 1).map(({ grant }) => grant);
        return unchecked(finding('RIGHTS_UNTOLD', { grants: `${grants.join(', ')} (Full)` }));
      },
    },
    {
      id: 'limits',
      line: line('limits'),
      run: async (signal) => {
        const allowed = await concurrencyLimit(client, signal);
        return allowed === null
          ? unchecked(finding('LIMIT_UNTOLD'))
          : passed(finding('CONCURRENCY', { allowed: String(allowed) }));
      },
    },
  ];
  return runChecks(steps, options);
}

/**
 * Which of the many reasons a refused login has is in the account's audit trail only; the token endpoint tells a little
 * more (`invalid_client`: the integration, `invalid_grant`: certificate, user or role).
 */
function loginFindings(error: SystemError): CheckText[] | null {
  if (error.kind !== 'auth') return null;
  const reason = reasonIn(error);
  if (error.status === null) return [finding('KEY_UNREADABLE', { reason })];
  if (error.vendorCode === 'invalid_client') return [finding('CLIENT_WRONG', { reason, field: 'Client ID' })];
  if (error.vendorCode === 'invalid_grant') return [finding('KEY_WRONG', { reason })];
  return [finding('LOGIN_REFUSED', { reason, where: AUDIT_TRAIL })];
}

function recordStep(client: NetSuiteClient, access: ObjectAccess): CheckStep {
  const { object, grant, feature, rights } = access;
  return {
    id: `object:${object}`,
    line: line('object', { object }),
    // The vendor's words alone, such as "record was not found", do not tell that a permission is missing.
    explain: (error) => [
      error.kind === 'not_found' && feature !== undefined
        ? finding('FEATURE_OFF', { object, feature: feature.name })
        : finding('RIGHT_READ', { object, grant }),
    ],
    run: async (signal) => {
      await client.records.probePermission(object, signal);
      if (!rights.includes('create')) return passed();
      const { properties } = await client.metadata.recordSchema(object, signal);
      return judged('externalId' in properties ? [] : [finding('NO_KEY', { object })]);
    },
  };
}

/** The field that the connection names for the tax registration: a standard one or one of the account. */
async function taxFieldFindings(client: NetSuiteClient, signal: AbortSignal): Promise<CheckText[]> {
  const name = client.settings.customerTaxField ?? '';
  const declared = manifest.customFields.find(({ object }) => object === 'customer');
  if (declared === undefined || declared.type.kind !== 'text') return [];
  const { length } = declared.type;
  const type = declared.typeInWords;
  const about = { object: 'customer', field: name };
  const { properties } = await client.metadata.recordSchema('customer', signal);
  const found = properties[name];
  if (found === undefined) return [finding('FIELD_MISSING', { ...about, type })];
  if (found.type !== undefined && found.type !== 'string')
    return [finding('FIELD_TYPE', { ...about, type, found: found.type })];
  if (found.maxLength === undefined || found.maxLength >= length) return [];
  return [finding('FIELD_SHORT', { ...about, length: String(length), found: String(found.maxLength) })];
}

const grantOf = (wanted: string): string =>
  manifest.access.find(({ object }) => object === wanted)?.grant ?? '';

/** Calls at once that the account allows; null when the role may not know. */
async function concurrencyLimit(client: NetSuiteClient, signal: AbortSignal): Promise<number | null> {
  try {
    return limitsReply.parse(await client.metadata.governanceLimits(signal)).accountConcurrencyLimit;
  } catch (error) {
    if (error instanceof z.ZodError || (error instanceof SystemError && error.status !== null)) return null;
    throw error;
  }
}
