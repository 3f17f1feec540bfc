import type { SimRequest, SimResponse } from '../kit/types';
import type { Account, Data } from './account';
import { readBody } from './body';
import type { Collection } from './collection';
import { collections } from './collections';
import { eventSchemas } from './collections/fields';
import { type Resolution, resolveMany } from './collections/submissions';
import { badRequest, forbidden, invalid, notFound, unprocessable } from './errors';
import { eventTypes } from './events';
import { presentAll, presentPage } from './presenting';
import { findOne, findPage } from './reading';
import { putReference } from './references';
import { readId, timestamp } from './values';
import { attributes, createFromBody, destroy, existing, update } from './writing';

/** `/api/v1/{collection}[/{id}[/{action}]]`, each with or without `.json`. */

const PREFIX = '/api/v1/';
const MOST_DELETED = 100;

interface Call {
  account: Account;
  method: string;
  query: URLSearchParams;
  /** Read on demand, so that a call that ignores its body does not refuse it. */
  body(): Data;
}

/** @throws Refusal with the vendor's answer when the call is not carried out. */
export function route(request: SimRequest, account: Account): SimResponse {
  if (!request.path.startsWith(PREFIX)) throw notFound();
  const path = request.path
    .slice(PREFIX.length)
    .replace(/\.json$/, '')
    .replace(/\/$/, '');
  const call: Call = {
    account,
    method: request.method,
    query: request.query,
    body: () => readBody(request),
  };
  const [key = '', id, action, ...more] = path.split('/');
  const { denied, readOnly } = account.settings;
  if (denied.includes(key) || (readOnly.includes(key) && request.method !== 'GET')) throw forbidden();
  const special = SPECIAL[`${request.method} ${path}`];
  if (special) return special(call);
  const collection = collections[key];
  if (!collection || more.length > 0) throw notFound();
  if (id === undefined) return onList(call, collection);
  return action === undefined ? onObject(call, collection, id) : act(call, collection, id, action);
}

function onList(call: Call, collection: Collection): SimResponse {
  const { account, query } = call;
  if (call.method === 'GET' && collection.methods.includes('index')) {
    return presentPage(collection, findPage(collection, query, account), query, account);
  }
  if (call.method === 'POST' && collection.methods.includes('create')) {
    return presentAll(collection, createFromBody(account, collection, call.body()), query, account);
  }
  throw notFound();
}

function onObject(call: Call, collection: Collection, id: string): SimResponse {
  const { account, query } = call;
  const can = (method: Collection['methods'][number]): boolean => collection.methods.includes(method);
  if (call.method === 'GET' && can('show')) {
    return presentAll(collection, [findOne(collection, id, query, account)], query, account);
  }
  if (call.method === 'PUT' && can('update')) {
    const record = existing(account, collection, id);
    const updated = update(account, collection, record, attributes(collection, call.body()));
    return presentAll(collection, [updated], query, account);
  }
  if (call.method === 'DELETE' && can('delete')) {
    destroy(account, collection, existing(account, collection, id));
    return { status: 204 };
  }
  throw notFound();
}

function act(call: Call, collection: Collection, id: string, name: string): SimResponse {
  const action = call.method === 'PUT' ? collection.actions?.[name] : undefined;
  if (!action) throw notFound();
  const record = action(existing(call.account, collection, id), call.body(), call.account);
  return presentAll(collection, [record], call.query, call.account);
}

// ---------------------------------------------------------------- calls of their own shape

const collection = (key: string): Collection => {
  const found = collections[key];
  if (!found) throw new Error(`There is no collection ${key}`);
  return found;
};

const resolveAll =
  (key: string, resolution: Resolution) =>
  ({ account, body }: Call): SimResponse => ({
    status: 200,
    body: {
      resolutions: resolveMany(collection(key), resolution, body(), account).map(({ id, data, created }) => ({
        id: Number(id),
        type: data.type,
        target_id: data.target_id,
        target_type: data.target_type,
        description: data.description,
        user_id: data.user_id,
        created_at: timestamp(created),
      })),
    },
  });

const SPECIAL: Record<string, (call: Call) => SimResponse> = {
  'GET users/me': (call) => onObject(call, collection('users'), call.account.actor),
  'GET subscribed_events/event_types': () => ({
    status: 200,
    body: {
      subscribed_event_types: eventTypes(),
      subscribed_event_type_schemas: eventSchemas(
        Object.fromEntries(Object.values(collections).map(({ key, visible }) => [key, visible])),
      ),
    },
  }),
  'POST external_references/create_or_update': createOrUpdateReference,
  'DELETE time_entries': deleteTimeEntries,
  'POST timesheet_approvals': resolveAll('timesheet_submissions', 'approve'),
  'POST timesheet_rejections': resolveAll('timesheet_submissions', 'reject'),
  'POST timesheet_cancellations': resolveAll('timesheet_submissions', 'cancel'),
};

/** The one write of the API that can be repeated without harm. */
function createOrUpdateReference({ account, query, body }: Call): SimResponse {
  const references = collection('external_references');
  const sent = attributes(references, body());
  const required = ['subject_type', 'subject_id', 'service_name', 'service_model', 'service_model_ref'];
  const problems = required.filter((key) => !sent[key]).map((key) => invalid(key, "can't be blank"));
  const subjectType = String(sent.subject_type);
  const subjects = Object.values(collections).filter(({ subject }) => subject === subjectType);
  const subjectId = readId(sent.subject_id);
  const known = subjects.some(({ key }) => account.get(key, subjectId));
  if (sent.subject_type && subjects.length === 0)
    problems.push(invalid('subject_type', 'is not included in the list'));
  else if (sent.subject_id && !known) problems.push(invalid('subject_id', 'could not be found'));
  if (problems.length > 0 || !subjectId) throw unprocessable(problems);
  return presentAll(references, [putReference(account, subjectType, subjectId, sent)], query, account);
}

/** `DELETE /time_entries?ids=1,2,3`: all or none. */
function deleteTimeEntries({ account, query }: Call): SimResponse {
  const entries = collection('time_entries');
  const ids = (query.get('ids') ?? '').split(',').filter(Boolean);
  if (ids.length === 0) throw badRequest('ids is required');
  if (ids.length > MOST_DELETED) throw badRequest(`At most ${MOST_DELETED} time_entries per request`);
  for (const id of ids) destroy(account, entries, existing(account, entries, id));
  return { status: 204 };
}
