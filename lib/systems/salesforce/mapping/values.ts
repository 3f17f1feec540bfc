import type { ExternalRef, Money } from '../../../model';
import { decimalOf, defined, textOf } from '../../kit';
import { type Home, SYSTEM } from '../client';
import { instantOf } from '../soql';

/**
 * A part of a draft. Drafts may lack members and hold wrong values, the readiness check reports both; only the
 * names of the members are checked here.
 */
export function partOf<T>(members: { [Key in keyof T]?: unknown }): T {
  return defined(members) as T;
}

export function moneyOf(amount: unknown, currency: string | null | undefined): Money | undefined {
  const value = decimalOf(amount);
  return value === undefined ? undefined : partOf<Money>({ amount: value, currency: textOf(currency) });
}

/** Salesforce is where the record was made, so it is the master until the ownership policy says otherwise. */
export function masterRef(
  home: Home,
  type: string,
  row: { Id: string; SystemModstamp?: string | null },
): ExternalRef {
  return refOf(home, type, row.Id, 'master', row.SystemModstamp);
}

export function refOf(
  home: Home,
  type: string,
  id: string,
  role: ExternalRef['role'],
  stamp?: string | null,
): ExternalRef {
  const version = instantOf(stamp);
  return {
    system: SYSTEM,
    instance: home.instance,
    type,
    id,
    role,
    ...(version === undefined ? {} : { version }),
    ...(home.webUrl === null ? {} : { url: `${home.webUrl}/${id}` }),
  };
}

/** Fields that every entity read from Salesforce has. */
export function originOf(row: { CreatedDate?: string | null; LastModifiedDate?: string | null }) {
  return {
    createdAt: instantOf(row.CreatedDate),
    updatedAt: instantOf(row.LastModifiedDate),
    sourceSystem: SYSTEM,
  };
}
