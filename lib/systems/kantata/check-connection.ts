import {
  arrivalSteps,
  type CheckOptions,
  type CheckStep,
  type CheckText,
  finding,
  line,
  type ObjectAccess,
  passed,
  reasonIn,
  runChecks,
  type SystemError,
  unchecked,
} from '../kit';
import type { KantataClient } from './client';
import {
  billingMilestones,
  type Collection,
  type Identified,
  projectTemplates,
  stories,
  timeEntries,
  timesheets,
  users,
  workspaceResources,
  workspaces,
} from './collections';
import { manifest } from './manifest';

/** Of those that the manifest names. */
const COLLECTIONS: readonly Collection<Identified>[] = [
  workspaces,
  projectTemplates,
  stories,
  billingMilestones,
  workspaceResources,
  timeEntries,
  timesheets,
];

/**
 * Host, token, then one object of each collection: Kantata answers 403 where the access group of the user does not
 * allow it (fact sheet §8). Whether the user may create is told by creating alone.
 */
export function checkConnection(client: KantataClient, options?: CheckOptions) {
  const steps: CheckStep[] = [
    ...arrivalSteps(client.host, (signal) => client.knock(signal)),
    {
      id: 'login',
      line: line('login'),
      blocking: true,
      explain: loginFindings,
      run: async (signal) => {
        await client.readOne(users, '/users/me', signal);
        return passed();
      },
    },
    ...manifest.access.map((access) => collectionStep(client, access)),
    {
      id: 'write',
      line: line('write'),
      run: async () => {
        const writing = manifest.access.filter(({ rights }) => rights.length > 1);
        const grants = [...new Set(writing.map(({ grant }) => grant))].join(', ');
        return unchecked(finding('RIGHTS_UNTOLD', { grants }));
      },
    },
    { id: 'limits', line: line('limits'), run: async () => unchecked(finding('LIMIT_UNTOLD')) },
  ];
  return runChecks(steps, options);
}

function loginFindings(error: SystemError): CheckText[] | null {
  const reason = reasonIn(error);
  if (error.kind === 'auth') return [finding('TOKEN_REFUSED', { reason })];
  if (error.status === 403) return [finding('USER_BLOCKED', { reason })];
  // Another path on the right host: what answers there is not the API.
  return error.status === 404 ? [finding('NOT_THE_API')] : null;
}

function collectionStep(client: KantataClient, { object, grant }: ObjectAccess): CheckStep {
  const collection = COLLECTIONS.find(({ name }) => name === object);
  if (collection === undefined) throw new Error(`There is no collection ${object}`);
  return {
    id: `object:${object}`,
    line: line('object', { object }),
    explain: ({ status }) => (status === 403 ? [finding('RIGHT_READ', { object, grant })] : null),
    run: async (signal) => {
      await client.readOne(collection, `/${object}`, signal);
      return passed();
    },
  };
}
