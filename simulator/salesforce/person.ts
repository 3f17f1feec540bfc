import type { SimContext, SimRecord } from '../kit/types';
import { ControlError } from '../kit/types';
import { ApiError } from './errors';
import { Org } from './org';
import { findObject, OBJECTS, type SObject } from './schema';

/**
 * A salesperson at the screens. The same saves as over the API, so the same defaults, roll-ups and stamps, with two
 * liberties that real orgs grow over the years: picklist values outside the list, and an Amount that does not match
 * the lines.
 */

export const SALES_USERNAME = 'sales@meridian-consulting.example';

/** What a person may create and change by hand. */
export const PERSON_TYPES: readonly string[] = OBJECTS.filter((object) => object.createable).map(
  ({ name }) => name,
);

export function personOrg(context: SimContext): Org {
  const [user] = context.db.findBy('User', 'Username', SALES_USERNAME);
  if (!user) throw new Error('The org has no sales user');
  return new Org(context, { userId: user.id, isPerson: true });
}

/** @throws ControlError with the platform's error code. */
export function createAsPerson(type: string, data: Record<string, unknown>, context: SimContext): SimRecord {
  return asPerson(() => personOrg(context).create(editable(type), data));
}

/** @throws ControlError with the platform's error code. */
export function patchAsPerson(
  type: string,
  id: string,
  data: Record<string, unknown>,
  context: SimContext,
): SimRecord {
  return asPerson(() => {
    const org = personOrg(context);
    const object = editable(type);
    const record = org.find(object, id);
    if (!record) throw new ControlError('NOT_FOUND', `There is no ${type} ${id}`);
    return org.update(object, record, data);
  });
}

/** Turns a refusal of the platform into one of the control API. */
export function asPerson<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError)
      throw new ControlError(error.errors[0]?.errorCode ?? 'REFUSED', error.message);
    throw error;
  }
}

function editable(type: string): SObject {
  const object = findObject(type);
  if (!object?.createable)
    throw new ControlError('NOT_FOUND', `Records of type ${type} cannot be edited by hand`);
  return object;
}
