import { hash } from 'node:crypto';
import type { Contact, Contract, Customer, Invoice, Payment, Project } from './entities';
import { Q2cError } from './errors';
import type { CanonicalId } from './ids';
import { normaliseTaxRegistration } from './tax-registration';

/** Keys that recognise content and records: fingerprints, idempotency keys, natural keys (guides §2). */

/**
 * One spelling of every JSON value: keys sorted, `undefined` members dropped, decimal strings without the zeros
 * that end them (`"1.50"` and `"1.5"` are the same number). Leading zeros stay: they tell postal codes apart.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(mayBeNumber(value) ? trimDecimal(value) : value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let items = '';
    for (const item of value) items += `${items === '' ? '' : ','}${canonicalJson(item)}`;
    return `[${items}]`;
  }
  const record = value as Record<string, unknown>;
  let members = '';
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${quotedName(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Names of fields come again and again; the bound is for those that are made of data. */
const MAX_QUOTED_NAMES = 4096;
const quotedNames = new Map<string, string>();

function quotedName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const quoted = JSON.stringify(name);
  if (quotedNames.size < MAX_QUOTED_NAMES) quotedNames.set(name, quoted);
  return quoted;
}

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Most strings are none, which their first character tells sooner than a pattern. */
function mayBeNumber(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === MINUS || (first >= ZERO && first <= NINE);
}

function trimDecimal(text: string): string {
  if (!/^-?\d{1,15}\.\d{1,10}$/.test(text)) return text === '-0' ? '0' : text;
  const trimmed = text.replace(/\.?0+$/, '');
  return /^-0*$/.test(trimmed) ? trimmed.slice(1) : trimmed;
}

/** SHA-256 in hexadecimal of the canonical JSON: equal for equal content. */
export const fingerprint = (value: unknown): string => hash('sha256', canonicalJson(value));

export interface IdempotencyKeyParts {
  tenant: string;
  system: string;
  instance: string;
  /** For example `customer.upsert`. */
  operation: string;
  canonicalId: CanonicalId;
  /** Changes only when the business content changes: a retry keeps its key, a correction gets a new one. */
  businessVersion: string | number;
}

/**
 * Key of an outbound write: SHA-256 in hexadecimal of `tenant|system|instance|operation|canonicalId|businessVersion`.
 *
 * @throws Q2cError `VALUE_INVALID` when a part holds the separator `|`: two writes could share a key.
 */
export function idempotencyKey(parts: IdempotencyKeyParts): string {
  const { tenant, system, instance, operation, canonicalId, businessVersion } = parts;
  const values = [tenant, system, instance, operation, canonicalId, String(businessVersion)];
  const bad = values.find((value) => value.includes('|'));
  if (bad !== undefined) {
    throw new Q2cError('VALUE_INVALID', `"${bad}" holds "|" and cannot be part of an idempotency key.`);
  }
  return hash('sha256', values.join('|'));
}

const key = (kind: string, ...parts: (string | undefined)[]): string | undefined =>
  parts.some((part) => part === undefined || part === '') ? undefined : [kind, ...parts].join('|');

/** A name in the spelling that comparisons use: no case, accents of Latin letters, or punctuation. */
export const normaliseName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();

/**
 * Natural keys, to find an existing record before a new one is made. Undefined when the record lacks a part of
 * its key: nothing may be concluded from two such records.
 */
export const naturalKey = {
  /** Tax registration and country, else legal name, country and postal code. */
  customer({ taxProfile, country, legalName, billingAddress }: Partial<Customer>): string | undefined {
    if (taxProfile?.registrationNumber !== undefined && country !== undefined) {
      return key('tax', country, normaliseTaxRegistration(taxProfile.registrationNumber, country));
    }
    const postalCode = billingAddress?.postalCode?.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();
    return key('name', country, postalCode, legalName && normaliseName(legalName));
  },
  contact: ({ email, customerId }: Partial<Contact>) =>
    key('contact', customerId, email?.trim().toLowerCase()),
  contract: ({ legalEntityId, number }: Partial<Contract>) => key('contract', legalEntityId, number),
  /** A project serves a set of contract lines under one code. */
  project: ({ code }: Partial<Project>, contractLineIds: readonly CanonicalId[]) =>
    key('project', [...contractLineIds].sort().join('+'), code),
  invoice: ({ legalEntityId, number }: Partial<Invoice>) => key('invoice', legalEntityId, number),
  /** The date received stands in for a value date that the bank does not give. */
  payment: ({ legalEntityId, bankReference, valueDate, receivedDate, amount }: Partial<Payment>) =>
    key(
      'payment',
      legalEntityId,
      bankReference,
      valueDate ?? receivedDate,
      amount && trimDecimal(amount.amount),
      amount?.currency,
    ),
};
