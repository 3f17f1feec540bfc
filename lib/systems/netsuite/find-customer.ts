import { type Country, normaliseName, normaliseTaxRegistration } from '../../model';
import { countryCodeOf, SystemError } from '../kit';
import type { NetSuiteClient } from './client';
import type { NetSuiteRecord } from './record-service';
import { idOf, type Row, sqlText } from './suiteql';

/** What a customer is recognised by; part of the journaled wire. */
export interface CustomerKeys {
  externalId: string;
  name: string;
  country: Country;
  postalCode: string | null;
  /** Tax registration as it stands in the deal. */
  taxNumber: string | null;
  /** REST name of the field that holds tax registrations in this account. */
  taxField: string;
}

export interface FoundCustomer {
  id: string;
  /** Customer number. */
  number: string;
  /** Null when no integration has claimed the record. */
  externalId: string | null;
}

/** What the search needs of a client. */
type Directory = Pick<NetSuiteClient, 'system' | 'records' | 'query' | 'canonicalIdIn'>;

/**
 * The customer that carries our key, else the one with the same natural key (guides §2): tax registration and
 * country, else name, country and postal code. Null when there is certainly none. Inactive customers are only found
 * by our key.
 *
 * @throws SystemError `DUPLICATE_SUSPECTED` when several customers match, or one that is already another customer
 * of ours; `TARGET_REJECTED` when finance has made the customer inactive.
 */
export async function findCustomer(
  client: Directory,
  keys: CustomerKeys,
  signal: AbortSignal,
): Promise<FoundCustomer | null> {
  const rows = await client.query(candidatesQuery(keys), signal);
  const own = rows.find(({ externalid }) => externalid === keys.externalId);
  if (own) return confirmActive(client, own);
  const active = rows.filter(({ isinactive }) => isinactive !== 'T');
  const sameTax = active.filter((row) => hasTaxNumber(row, keys));
  const matches = sameTax.length > 0 ? sameTax : await sameNameAndPlace(client, active, keys, signal);
  const [match, ...others] = matches;
  if (!match) return null;
  const likeness = sameTax.length > 0 ? 'same tax registration' : 'same name, country and postal code';
  if (others.length > 0) throw duplicate(client, keys, matches, likeness);
  if (client.canonicalIdIn(match.externalid) !== null) {
    throw duplicate(client, keys, matches, `${likeness}, but linked to another account of the CRM`);
  }
  return found(client, match);
}

/** One query for all keys: each call counts against the account's concurrency. */
function candidatesQuery({ externalId, name, taxNumber, taxField, country }: CustomerKeys): string {
  const taxColumn = columnOf(taxField);
  const conditions = [
    `externalid = ${sqlText(externalId)}`,
    `UPPER(companyname) = ${sqlText(name.toUpperCase())}`,
  ];
  if (taxNumber)
    conditions.push(`${taxColumn} IN (${spellings(taxNumber, country).map(sqlText).join(', ')})`);
  return `SELECT id, entityid, externalid, companyname, isinactive, ${taxColumn} FROM customer WHERE ${conditions.join(' OR ')} ORDER BY id`;
}

/** SuiteQL columns are the field ids in lower case; what is not a plain name must not reach the query. */
function columnOf(field: string): string {
  return field.toLowerCase().replace(/[^a-z0-9_]/g, '');
}

/** How one number may stand in NetSuite: as given, without separators, with and without the country before it. */
function spellings(taxNumber: string, country: Country): string[] {
  const compact = taxNumber.replace(/[\s./-]/g, '').toUpperCase();
  const bare = normaliseTaxRegistration(taxNumber, country);
  return [...new Set([taxNumber, compact, bare, `${country}${bare}`])];
}

function hasTaxNumber(row: Row, { taxNumber, taxField, country }: CustomerKeys): boolean {
  const other = row[columnOf(taxField)];
  if (!taxNumber || !other) return false;
  return normaliseTaxRegistration(other, country) === normaliseTaxRegistration(taxNumber, country);
}

/** A customer of the same name whose tax registration is known and different is another company. */
async function sameNameAndPlace(
  client: Directory,
  rows: Row[],
  keys: CustomerKeys,
  signal: AbortSignal,
): Promise<Row[]> {
  const { name, taxNumber, taxField } = keys;
  const sameName = rows.filter((row) => normaliseName(row.companyname ?? '') === normaliseName(name));
  const comparable = sameName.filter((row) => !(taxNumber && row[columnOf(taxField)]));
  const records = await Promise.all(
    comparable.map((row) =>
      client.records.read('customer', idOf(row, client.system), { expandSubResources: true }, signal),
    ),
  );
  return comparable.filter((_, index) => isAt(records[index], keys));
}

function isAt(record: NetSuiteRecord | undefined, { country, postalCode }: CustomerKeys): boolean {
  if (!postalCode) return false;
  return addressesOf(record).some(
    (address) => countryCodeOf(address.country) === country && samePostalCode(address.zip, postalCode),
  );
}

function addressesOf(record: NetSuiteRecord | undefined): { country: unknown; zip: unknown }[] {
  const lines = objectOf(record?.addressBook).items;
  if (!Array.isArray(lines)) return [];
  return lines.map((line) => {
    const { country, zip } = objectOf(objectOf(line).addressBookAddress);
    return { country: objectOf(country).id ?? country, zip };
  });
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function samePostalCode(a: unknown, b: string): boolean {
  const bare = (code: string) => code.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  return typeof a === 'string' && bare(a) === bare(b);
}

/** Finance has blocked the customer: whether to sell to it again is theirs to decide. */
function confirmActive(client: Directory, row: Row): FoundCustomer {
  if (row.isinactive !== 'T') return found(client, row);
  throw new SystemError({
    system: client.system,
    kind: 'rejected',
    reason: `customer ${row.entityid} is inactive; make it active again, or cancel the deal`,
  });
}

const found = (client: Directory, row: Row): FoundCustomer => ({
  id: idOf(row, client.system),
  number: row.entityid ?? '',
  externalId: row.externalid ?? null,
});

/** Two records for one company, on one side or the other: which is right only a person can tell. */
function duplicate(client: Directory, { name }: CustomerKeys, matches: Row[], likeness: string): SystemError {
  const candidate = matches.map(({ entityid }) => entityid).join(', ');
  return new SystemError({
    system: client.system,
    kind: 'rejected',
    code: 'DUPLICATE_SUSPECTED',
    reason: `the customer may exist already as ${candidate} (${likeness})`,
    params: { customer: name, candidate, score: likeness },
  });
}
