import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, isObject, isTrue, linesOf, textOf } from '../records/data';
import { countryName } from '../records/values';
import type { Rules } from './types';

/** "CUSTOMER-Closed Won", NetSuite's own default for a new customer. */
const CLOSED_WON = '13';
const PROJECT_PENDING = '1';

/** Entity numbers start here, as in a new account. */
const FIRST_NUMBER = 1000;

export const customerRules: Rules = {
  prepare(draft, before, env) {
    draft.isPerson ??= false;
    draft.isInactive ??= false;
    draft.entityStatus ??= CLOSED_WON;
    requireName(draft);
    draft.altName = isTrue(draft, 'isPerson') ? fullName(draft) : draft.companyName;
    draft.entityId ??= `CUST${FIRST_NUMBER + env.db.next('number.customer')}`;
    requireUniqueEntityId('customer', draft, before, env);
    const subsidiary = textOf(draft, 'subsidiary');
    if (subsidiary === undefined) return;
    draft.currency ??= env.db.get('subsidiary', subsidiary)?.data.currency;
    keepOnceUsed('subsidiary', draft, before, env);
    keepOnceUsed('currency', draft, before, env);
    draft.currencyList = withPrimaryCurrency(draft);
    prepareAddresses(draft, env);
  },
};

export const contactRules: Rules = {
  prepare(draft, before, env) {
    draft.isInactive ??= false;
    const name = fullName(draft);
    draft.entityId ??= name === '' ? undefined : name;
    const entityId = textOf(draft, 'entityId');
    if (entityId === undefined) return;
    const namesake = env.db
      .findBy('contact', 'entityId', entityId)
      .find((other) => other.id !== before?.id && other.data.company === draft.company);
    if (namesake) {
      throw userError(
        'A contact record with this name already exists. Every contact record must have a unique name.',
        'entityId',
      );
    }
    prepareAddresses(draft, env);
  },
};

export const employeeRules: Rules = {
  prepare(draft, before, env) {
    draft.isInactive ??= false;
    draft.entityId ??= fullName(draft) || undefined;
    requireUniqueEntityId('employee', draft, before, env);
  },
};

export const jobRules: Rules = {
  prepare(draft, before, env) {
    draft.isInactive ??= false;
    draft.entityStatus ??= PROJECT_PENDING;
    draft.allowTime ??= true;
    draft.allowExpenses ??= true;
    draft.percentComplete ??= 0;
    draft.entityId ??= `PRJ${FIRST_NUMBER + env.db.next('number.job')}`;
    draft.altName = draft.companyName;
    requireUniqueEntityId('job', draft, before, env);
    const parent = env.db.get('customer', textOf(draft, 'parent') ?? '');
    if (!parent) return;
    draft.currency ??= parent.data.currency;
    if (draft.subsidiary !== undefined && draft.subsidiary !== parent.data.subsidiary) {
      throw invalidReference(
        `Invalid parent reference key ${parent.id} for subsidiary ${String(draft.subsidiary)}.`,
        'parent',
      );
    }
    requireDateOrder(draft, 'startDate', 'projectedEndDate');
    requireMatchingSchedule(draft, before, env);
    prepareAddresses(draft, env);
  },
};

function requireName(draft: Data): void {
  const missing = isTrue(draft, 'isPerson')
    ? ['firstName', 'lastName'].filter((field) => draft[field] === undefined)
    : ['companyName'].filter((field) => draft[field] === undefined);
  const first = missing[0];
  if (first === undefined) return;
  const labels: Record<string, string> = {
    firstName: 'First Name',
    lastName: 'Last Name',
    companyName: 'Company Name',
  };
  throw userError(`Please enter value(s) for: ${missing.map((field) => labels[field]).join(', ')}`, first);
}

function fullName(draft: Data): string {
  return ['firstName', 'middleName', 'lastName']
    .map((field) => textOf(draft, field))
    .filter((part) => part !== undefined)
    .join(' ');
}

function requireUniqueEntityId(type: string, draft: Data, before: SimRecord | null, env: Env): void {
  const entityId = textOf(draft, 'entityId');
  if (entityId === undefined || entityId === before?.data.entityId) return;
  if (env.db.findBy(type, 'entityId', entityId).some((other) => other.id !== before?.id)) {
    throw userError('This entity already exists.', 'entityId');
  }
}

/** Subsidiary and primary currency are fixed as soon as there is a transaction. */
function keepOnceUsed(
  field: 'subsidiary' | 'currency',
  draft: Data,
  before: SimRecord | null,
  env: Env,
): void {
  if (!before || before.data[field] === draft[field]) return;
  const used =
    env.db.findBy('salesOrder', 'entity', before.id).length > 0 ||
    env.db.findBy('invoice', 'entity', before.id).length > 0 ||
    env.db.findBy('job', 'parent', before.id).length > 0;
  if (used)
    throw userError(`You cannot change the ${field} because transactions exist for this customer.`, field);
}

function withPrimaryCurrency(draft: Data): Data[] {
  const lines = linesOf(draft, 'currencyList');
  const known = lines.some((line) => line.currency === draft.currency);
  return known || draft.currency === undefined ? lines : [{ currency: draft.currency }, ...lines];
}

/** One default billing address at most; the last one marked wins, as on the form. */
function prepareAddresses(draft: Data, env: Env): void {
  const lines = linesOf(draft, 'addressBook');
  if (lines.length === 0) return;
  const home = env.db.get('subsidiary', textOf(draft, 'subsidiary') ?? '')?.data.country;
  const defaultBilling = lines.findLast((line) => line.defaultBilling === true);
  const defaultShipping = lines.findLast((line) => line.defaultShipping === true);
  const prepared = lines.map((line) => {
    const address: Data = { ...(isObject(line.addressBookAddress) ? line.addressBookAddress : {}) };
    address.country ??= home;
    address.addrText = addressText(address);
    return {
      ...line,
      defaultBilling: line === defaultBilling,
      defaultShipping: line === defaultShipping,
      addressBookAddress: address,
    };
  });
  draft.addressBook = prepared;
  draft.defaultAddress = prepared.find((line) => line.defaultBilling)?.addressBookAddress.addrText;
}

function addressText(address: Data): string {
  const place = [textOf(address, 'zip'), textOf(address, 'city')].filter(Boolean).join(' ');
  const country = countryName(textOf(address, 'country') ?? '');
  const lines = ['attention', 'addressee', 'addr1', 'addr2', 'addr3'].map((field) => textOf(address, field));
  return [...lines, place, textOf(address, 'state'), country].filter(Boolean).join('\n');
}

function requireDateOrder(draft: Data, from: string, to: string): void {
  const [start, end] = [textOf(draft, from), textOf(draft, to)];
  if (start !== undefined && end !== undefined && end < start) {
    throw userError('The end date cannot be before the start date.', to);
  }
}

/** A billing schedule that belongs to a project can be used by that project only, and by its billing type. */
function requireMatchingSchedule(draft: Data, before: SimRecord | null, env: Env): void {
  const schedule = env.db.get('billingSchedule', textOf(draft, 'billingSchedule') ?? '');
  if (!schedule) return;
  if (draft.jobBillingType !== undefined && schedule.data.scheduleType !== draft.jobBillingType) {
    throw userError(
      'The billing schedule does not match the billing type of the project.',
      'billingSchedule',
    );
  }
  if (schedule.data.project !== undefined && schedule.data.project !== before?.id) {
    throw invalidReference(`Invalid billingschedule reference key ${schedule.id}.`, 'billingSchedule');
  }
}
