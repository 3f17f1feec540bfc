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
import type { KantataClient } from './client';
import { users } from './collections';
import { manifest } from './manifest';

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

/** Of the objects only their ids are looked at: what else they hold depends on what is included. */
function collectionStep(client: KantataClient, { object, grant, onlyFor }: ObjectAccess): CheckStep {
  const collection = { ...users, name: object };
  const missing = finding('RIGHT_READ', { object, grant });
  return {
    id: `object:${object}`,
    line: line('object', { object }),
    run: async (signal) => {
      try {
        await client.readOne(collection, `/${object}`, signal);
        return passed();
      } catch (error) {
        if (!(error instanceof SystemError) || error.status !== 403) throw error;
        return onlyFor === undefined
          ? judged([missing])
          : unchecked(missing, finding('ONLY_FOR', { what: onlyFor }));
      }
    },
  };
}
