import {
  arrivalSteps,
  type CheckOptions,
  type CheckOutcome,
  type CheckStep,
  type ConnectionCheck,
  finding,
  type HttpResponse,
  judged,
  line,
  type ObjectAccess,
  passed,
  reasonIn,
  runChecks,
  SystemError,
  unchecked,
} from '../kit';
import type { SalesforceClient } from './client';
import { accessFindings, type Describe, describeSchema, fieldFindings } from './describe';
import { loginFindings } from './login-findings';
import { manifest } from './manifest';

/** Below this share of the daily calls a line says that they run out. */
const FEW_CALLS_PERCENT = 10;

const API_ENABLED = 'Permission set > System Permissions > API Enabled';

/**
 * Host, clock, version, login and API, then what the integration user may see of each object: the describe of an object
 * tells the rights of the user who asks, and leaves out what he may not see.
 */
export function checkConnection(
  client: SalesforceClient,
  options?: CheckOptions,
): Promise<ConnectionCheck[]> {
  const { apiVersion = '' } = client.settings;
  let resources: HttpResponse | undefined;
  const steps: CheckStep[] = [
    ...arrivalSteps(client.host, (signal) => client.knock(signal)),
    {
      id: 'version',
      line: line('version', { version: apiVersion }),
      blocking: true,
      run: (signal) => checkVersion(client, apiVersion, signal),
    },
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
      explain: apiFindings,
      run: async (signal) => {
        resources = await client.resources(signal);
        return passed();
      },
    },
    ...manifest.access.flatMap((access) => objectSteps(client, access)),
    {
      id: 'limits',
      line: line('limits'),
      run: async () => callsLeft(resources?.headers['sforce-limit-info']),
    },
  ];
  return runChecks(steps, options);
}

async function checkVersion(
  client: SalesforceClient,
  version: string,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const versions = await client.versions(signal);
  if (versions.includes(version)) return passed();
  return judged([finding('VERSION_UNKNOWN', { version, latest: versions.at(-1) ?? '–' })]);
}

/** The login came through, so whatever is refused now is the API's. */
function apiFindings(error: SystemError) {
  return error.kind === 'auth' || error.status === 403
    ? [finding('API_OFF', { reason: reasonIn(error), grant: API_ENABLED })]
    : null;
}

function objectSteps(client: SalesforceClient, access: ObjectAccess): CheckStep[] {
  const { object, onlyFor } = access;
  let described: Describe | null = null;
  const rights: CheckStep = {
    id: `object:${object}`,
    line: line('object', { object }),
    run: async (signal) => {
      described = await describe(client, object, signal);
      const problems = described === null ? [hidden(access)] : accessFindings(access, described);
      if (onlyFor === undefined || problems.length === 0) return judged(problems);
      return unchecked(...problems, finding('ONLY_FOR', { what: onlyFor }));
    },
  };
  if (!manifest.customFields.some((field) => field.object === object)) return [rights];
  const fields: CheckStep = {
    id: `fields:${object}`,
    line: line('fields', { object }),
    run: async () =>
      described === null
        ? unchecked(finding('BLOCKED'))
        : judged(fieldFindings(object, client.externalIdField, described)),
  };
  return [rights, fields];
}

/** An object that comes with a feature looks the same when the feature is off and when the user may not see it. */
function hidden({ object, grant, feature }: ObjectAccess) {
  return feature !== undefined && feature.field === undefined
    ? finding('FEATURE_OFF', { object, feature: feature.name })
    : finding('OBJECT_HIDDEN', { object, grant });
}

async function describe(
  client: SalesforceClient,
  object: string,
  signal: AbortSignal,
): Promise<Describe | null> {
  try {
    return await client.get(`/sobjects/${object}/describe`, describeSchema, `describing ${object}`, signal);
  } catch (error) {
    if (error instanceof SystemError && error.kind === 'not_found') return null;
    throw error;
  }
}

/** `api-usage=10018/100000`: calls of the last 24 hours, of all users and apps of the org. */
function callsLeft(header: string | undefined): CheckOutcome {
  const match = /(?:^|[ ;])api-usage=(\d+)\/(\d+)/.exec(header ?? '');
  if (match === null) return unchecked(finding('LIMIT_UNTOLD'));
  const [used, allowed] = [Number(match[1]), Number(match[2])];
  const values = { left: String(Math.max(0, allowed - used)), allowed: String(allowed) };
  const isFew = allowed - used < (allowed * FEW_CALLS_PERCENT) / 100;
  return isFew ? judged([finding('CALLS_FEW', values)]) : passed(finding('CALLS_LEFT', values));
}
