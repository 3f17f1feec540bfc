import { createPublicKey, randomBytes } from 'node:crypto';
import { ControlError, type SimContext, type SimRecord } from '../kit/types';
import {
  ACCOUNT_RECORD_ID,
  ACCOUNT_TYPE,
  type AccountSettings,
  DEFAULT_SETTINGS,
  type Env,
  envOf,
} from './env';
import { NetSuiteError } from './errors';
import { CUSTOM_KINDS } from './records/body';
import { type Data, isObject, textOf } from './records/data';
import { createRecord, nextId, updateRecord } from './records/save';
import { invoiceCharges, transform } from './records/transform';
import { anyType, RECORD_TYPES, typeOf } from './schema';
import type { RecordType } from './schema/fields';

/** Things an administrator sets up that are not records of the record service. */
const SETUP_TYPES = {
  customField: createCustomField,
  oauthCertificate: createCertificate,
  userEventScript: createUserEventScript,
};

export const controlTypes: string[] = [
  ...RECORD_TYPES.map(({ name }) => name),
  ACCOUNT_TYPE,
  ...Object.keys(SETUP_TYPES),
];

/**
 * What a person creates in NetSuite's screens, in the shape of the record service. Besides plain records:
 * - `invoice {createdFrom: orderId}` bills a sales order, `invoice {billTo: projectId}` bills its ready charges;
 * - `customerPayment|creditMemo {createdFrom: invoiceId}` settles an invoice;
 * - `customField {scriptId, kind}`, `oauthCertificate {publicKey}`, `userEventScript {recordType, message}`.
 * @throws ControlError with NetSuite's error code
 */
export function create(name: string, data: Data, context: SimContext): SimRecord {
  return asControlErrors(context, (env) => {
    const setup = Object.entries(SETUP_TYPES).find(([type]) => type === name)?.[1];
    if (setup) return setup(data, env);
    const type = recordType(name);
    if (name === 'invoice' && data.billTo !== undefined) return invoiceCharges(String(data.billTo), env);
    const source = data.createdFrom === undefined ? undefined : sourceOf(name, String(data.createdFrom), env);
    if (!source) return createRecord(type, data, env);
    const { createdFrom: _createdFrom, ...overrides } = data;
    return transform(typeOf(source.type), source, type, overrides, env);
  });
}

/** Changes a record, the `account` settings, or switches a `userEventScript` off with `isInactive`. */
export function patch(name: string, id: string, data: Data, context: SimContext): SimRecord {
  return asControlErrors(context, (env) => {
    if (name === ACCOUNT_TYPE)
      return env.db.update(name, id, { ...existing(name, id, env).data, ...settingsIn(data) });
    if (name in SETUP_TYPES) return env.db.update(name, id, { ...existing(name, id, env).data, ...data });
    return updateRecord(recordType(name), existing(name, id, env), data, env);
  });
}

/** Writes the settings of a new account. */
export function seedAccount(env: Env): void {
  env.db.insert(ACCOUNT_TYPE, ACCOUNT_RECORD_ID, { ...DEFAULT_SETTINGS });
}

function asControlErrors(context: SimContext, work: (env: Env) => SimRecord): SimRecord {
  const env: Env = { ...envOf(context), refuseUnknownNames: true };
  try {
    return env.db.savepoint(() => work(env));
  } catch (error) {
    if (!(error instanceof NetSuiteError)) throw error;
    const { path } = error.location;
    throw new ControlError(error.code, path === undefined ? error.message : `${path}: ${error.message}`);
  }
}

function recordType(name: string): RecordType {
  const type = anyType(name);
  if (!type) throw new ControlError('UNKNOWN_TYPE', `NetSuite has no record type "${name}" here`);
  return type;
}

function existing(name: string, id: string, env: Env): SimRecord {
  const record = env.db.get(name, id);
  if (!record) throw new ControlError('NOT_FOUND', `There is no ${name} ${id}`);
  return record;
}

/** The document a new one is made of on the screens ("Bill", "Accept Payment", "Credit"). */
function sourceOf(name: string, id: string, env: Env): SimRecord | undefined {
  const source = { invoice: 'salesOrder', customerPayment: 'invoice', creditMemo: 'invoice' }[name];
  return source === undefined ? undefined : existing(source, id, env);
}

function settingsIn(data: Data): Partial<AccountSettings> {
  for (const [name, value] of Object.entries(data)) {
    if (!(name in DEFAULT_SETTINGS)) {
      const known = Object.keys(DEFAULT_SETTINGS).join(', ');
      throw new ControlError('UNKNOWN_FIELD', `The account has no setting "${name}"; known are ${known}`);
    }
    if (name === 'permissions') {
      checkPermissions(value);
      continue;
    }
    const wanted =
      name === 'closedThrough'
        ? ['string', 'object']
        : [typeof DEFAULT_SETTINGS[name as keyof AccountSettings]];
    const wrong = !wanted.includes(typeof value) || isObject(value);
    if (wrong) throw new ControlError('INVALID_VALUE', `The setting ${name} must be a ${wanted[0]}`);
  }
  return data;
}

function checkPermissions(value: unknown): void {
  const levels = ['none', 'view', 'full'];
  const valid =
    isObject(value) &&
    Object.entries(value).every(([name, level]) => anyType(name) && levels.includes(String(level)));
  if (!valid) {
    throw new ControlError('INVALID_VALUE', `permissions is record type → one of ${levels.join(', ')}`);
  }
}

function createCustomField(data: Data, env: Env): SimRecord {
  const scriptId = textOf(data, 'scriptId')?.toLowerCase() ?? '';
  const kind = textOf(data, 'kind') ?? 'text';
  if (!/^cust(entity|body|col|record|event)_\w+$/.test(scriptId) || !(kind in CUSTOM_KINDS)) {
    const kinds = Object.keys(CUSTOM_KINDS).join(', ');
    throw new ControlError(
      'INVALID_VALUE',
      `A custom field needs a scriptId such as custentity_x and one of the kinds ${kinds}`,
    );
  }
  if (env.db.findBy('customField', 'scriptId', scriptId).length > 0) {
    throw new ControlError('DUP_RCRD', `The custom field ${scriptId} exists already`);
  }
  return env.db.insert('customField', String(env.db.next('id.customField')), { scriptId, kind });
}

/** "OAuth 2.0 Client Credentials Setup": an uploaded public key gets a certificate id. */
function createCertificate(data: Data, env: Env): SimRecord {
  const publicKey = textOf(data, 'publicKey') ?? '';
  try {
    createPublicKey(publicKey);
  } catch (error) {
    throw new ControlError('INVALID_VALUE', `publicKey must be a public key in PEM form: ${String(error)}`);
  }
  const certificateId = randomBytes(32).toString('base64url');
  return env.db.insert('oauthCertificate', String(env.db.next('id.oauthCertificate')), {
    certificateId,
    publicKey,
  });
}

function createUserEventScript(data: Data, env: Env): SimRecord {
  const type = anyType(textOf(data, 'recordType') ?? '');
  const message = textOf(data, 'message');
  if (!type || message === undefined) {
    throw new ControlError(
      'INVALID_VALUE',
      'A user event script needs a recordType and the message it refuses with',
    );
  }
  const id = nextId({ ...type, sequence: 'userEventScript' }, env);
  return env.db.insert('userEventScript', id, { recordType: type.name, message, isInactive: false });
}
