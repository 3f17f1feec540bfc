import { type CanonicalId, type Contact, contactRoles, type Draft, type JsonObject } from '../../../model';
import { defined, textOf, wordOf } from '../../kit';
import type { Home } from '../client';
import type { ContactRow } from '../records';
import { masterRef, originOf, partOf } from './values';

/** Contact → contact of a customer; `customerId` is absent for a contact of another account (a partner). */
export function contactOf(
  row: ContactRow,
  id: CanonicalId,
  customerId: CanonicalId | undefined,
  home: Home,
): Draft<Contact> {
  const names = [textOf(row.FirstName), textOf(row.LastName)].filter((name) => name !== undefined);
  return {
    id,
    externalRefs: [masterRef(home, 'Contact', row)],
    ...partOf<Partial<Contact>>({
      ...originOf(row),
      customerId,
      name: textOf(row.Name) ?? (names.length > 0 ? names.join(' ') : undefined),
      firstName: textOf(row.FirstName),
      lastName: textOf(row.LastName),
      email: textOf(row.Email),
      phone: textOf(row.Phone),
      title: textOf(row.Title),
      // An empty role means buyer: a person on a won deal bought something.
      roles: [wordOf(row.Q2C_Role__c, contactRoles) ?? 'buyer'],
    }),
  };
}

/** Contact → fields. LastName is mandatory in Salesforce: a name without parts goes there whole. */
export function contactFieldsOf(contact: Draft<Contact>, accountId: string): JsonObject {
  return defined({
    AccountId: accountId,
    FirstName: contact.lastName === undefined ? undefined : contact.firstName,
    LastName: contact.lastName ?? contact.name,
    Email: contact.email,
    Phone: contact.phone,
    Title: contact.title,
    Q2C_Role__c: contact.roles?.[0],
  });
}
