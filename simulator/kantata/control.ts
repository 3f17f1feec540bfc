import { ControlError, type SimContext, type SimRecord, type SimulatedSystem } from '../kit/types';
import { Account, type Data } from './account';
import { collections } from './collections';
import type { Resolution } from './collections/submissions';
import { Refusal } from './errors';
import { create, existing, update } from './writing';

/**
 * What a person does in the product: log time (`time_entries`), submit it (`timesheet_submissions`), approve it
 * (patch `status`), complete a task (patch `stories` with `state`), archive a project, and so on, with the attributes
 * of the API. `user_id` says who does it. The type `account` holds the settings that no API shows.
 */

const WRITABLE = Object.values(collections)
  .filter(({ methods }) => methods.includes('create') || methods.includes('update'))
  .map(({ key }) => key);

const STATUS_ACTIONS: Record<string, Resolution> = {
  approved: 'approve',
  rejected: 'reject',
  cancelled: 'cancel',
};

export const control: SimulatedSystem['control'] = {
  types: [...WRITABLE, 'account'],
  create(type, data, context) {
    const collection = collections[type];
    if (!collection?.methods.includes('create')) {
      throw new ControlError('TYPE_NOT_CREATABLE', `${type} cannot be created by a person`);
    }
    return byHand(context, data, (account) => create(account, collection, data));
  },
  patch(type, id, data, context) {
    if (type === 'account') return changeSettings(context, id, data);
    const collection = collections[type];
    if (!collection) throw new ControlError('TYPE_UNKNOWN', `There is no ${type}`);
    return byHand(context, {}, (account) => {
      const record = existing(account, collection, id);
      const action = collection.actions?.[STATUS_ACTIONS[String(data.status)] ?? ''];
      if (action) return action(record, { resolution: { description: data.description } }, account);
      return update(account, collection, record, data);
    });
  },
};

/** Runs a person's action; a refusal of the product becomes an error of the control API. */
function byHand(context: SimContext, data: Data, work: (account: Account) => SimRecord): SimRecord {
  const user = data.user_id === undefined ? undefined : String(data.user_id);
  try {
    return work(new Account(context, user));
  } catch (error) {
    if (error instanceof Refusal) {
      throw new ControlError(error.status === 404 ? 'NOT_FOUND' : 'INVALID_DATA', error.message);
    }
    throw error;
  }
}

function changeSettings(context: SimContext, id: string, data: Data): SimRecord {
  const known = ['visibleAfterMs', 'denied', 'readOnly'];
  const stranger = Object.keys(data).find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new ControlError(
      'INVALID_DATA',
      `account has no setting ${stranger}; known are ${known.join(', ')}`,
    );
  }
  const { visibleAfterMs = 0, denied = [], readOnly = [] } = data;
  if (typeof visibleAfterMs !== 'number' || !Number.isInteger(visibleAfterMs) || visibleAfterMs < 0) {
    throw new ControlError('INVALID_DATA', 'visibleAfterMs is milliseconds from 0');
  }
  const isCollections = (names: unknown) =>
    Array.isArray(names) && names.every((name) => typeof name === 'string' && name in collections);
  if (!isCollections(denied) || !isCollections(readOnly)) {
    throw new ControlError('INVALID_DATA', 'denied and readOnly are lists of collections');
  }
  return context.db.update('account', id, { ...context.db.get('account', id)?.data, ...data });
}
