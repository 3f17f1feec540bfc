import { hash, randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import { Q2cError } from './errors';

/** Prefix of the canonical ids of each entity (guides §2). */
export const idPrefixes = {
  legalEntity: 'len',
  customer: 'cus',
  contact: 'con',
  opportunity: 'opp',
  quote: 'quo',
  contract: 'ctr',
  contractLine: 'ctl',
  rateCard: 'rtc',
  changeOrder: 'cho',
  project: 'prj',
  task: 'tsk',
  resource: 'res',
  assignment: 'asg',
  timeEntry: 'tim',
  expenseItem: 'exp',
  milestone: 'mil',
  usageRecord: 'usg',
  billingScheduleLine: 'bsl',
  billingEvent: 'bev',
  invoice: 'inv',
  creditNote: 'crn',
  payment: 'pay',
  paymentAllocation: 'pal',
  revenueSchedule: 'rvs',
  revenueEvent: 'rve',
  postingAck: 'ack',
  exceptionCase: 'exc',
} as const;

/** Name of a canonical entity. */
export type EntityName = keyof typeof idPrefixes;

/** `<prefix>_<ULID>`. */
export type CanonicalId = string;

/** Every entity, in the order of the quote-to-cash chain. */
export const entityNames = Object.keys(idPrefixes) as EntityName[];

/** Prefix of invoice lines, which live inside their invoice and are no entity of their own. */
export const INVOICE_LINE_PREFIX = 'ivl';

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const TIME_LENGTH = 10;
const ID_PATTERN = new RegExp(`^([a-z]{3})_(${ULID})$`);

const entityByPrefix = new Map<string, EntityName>(entityNames.map((name) => [idPrefixes[name], name]));

/** Regular expression of the ids of one prefix. */
export const idPattern = (prefix: string) => new RegExp(`^${prefix}_${ULID}$`);

const random = new Uint8Array(4096);
let used = random.length;

/** A random number from 0 to below 1 in steps of 1/256, drawn from a stock: asking the system for each costs more. */
function nextRandom(): number {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  return (random[used++] ?? 0) / 256;
}

const nextUlid = monotonicFactory(nextRandom);

/** A ULID that sorts after every earlier one of this process. */
export const newUlid = (): string => nextUlid();

/** A new canonical id. Created once per record and never reused. */
export const newId = (entity: EntityName): CanonicalId => `${idPrefixes[entity]}_${newUlid()}`;

/** True for a well-formed canonical id, of the given entity if one is named. */
export function isId(value: unknown, entity?: EntityName): value is CanonicalId {
  const found = entityOfId(value);
  return found !== undefined && (entity === undefined || found === entity);
}

/** The entity an id belongs to, or undefined when it is no canonical id. */
export function entityOfId(value: unknown): EntityName | undefined {
  const prefix = typeof value === 'string' ? ID_PATTERN.exec(value)?.[1] : undefined;
  return prefix === undefined ? undefined : entityByPrefix.get(prefix);
}

/**
 * Id of a child that planning makes: the same parent, entity and discriminator always give the same id, so
 * that a repeated run plans the same records instead of new ones. The time part is the parent's, the other
 * 80 bits are the start of SHA-256(`parentId|entity|discriminator`).
 *
 * @param discriminator what tells the children of one parent apart, for example the line number.
 * @throws Q2cError `VALUE_INVALID` when `parentId` is no canonical id.
 */
export function deriveId(entity: EntityName, parentId: CanonicalId, discriminator: string): CanonicalId {
  if (!isId(parentId)) {
    throw new Q2cError('VALUE_INVALID', `Cannot derive a ${entity} id: "${parentId}" is not a canonical id.`);
  }
  const digest = hash('sha256', `${parentId}|${entity}|${discriminator}`, 'buffer');
  const time = parentId.slice(4, 4 + TIME_LENGTH);
  return `${idPrefixes[entity]}_${time}${crockford(digest.subarray(0, 10))}`;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Crockford base32 of whole groups of 5 bytes: 8 characters each. */
function crockford(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += ALPHABET[(bits >> count) & 31];
    }
    bits &= (1 << count) - 1;
  }
  return text;
}
