import type { Contact, Draft, JsonObject } from '../../../model';
import { defined, defineOperation, type MappingContext, required, SystemError } from '../../kit';
import type { NetSuiteClient } from '../client';
import { externalIdOf, reference, refTo, sellingEntity } from '../mapping';
import { idOf, sqlText } from '../suiteql';
import { adoptByKey } from '../written-record';

const STEP = 'the contact is created in NetSuite';

export interface ContactWire {
  externalId: string;
  companyId: string;
  email: string | null;
  body: JsonObject;
}

export interface ContactReply {
  id: string;
}

/** Contacts are the CRM's (guides §7): an existing one takes the CRM's values. */
export const upsertContact = defineOperation<NetSuiteClient, Draft<Contact>, ContactWire, ContactReply>({
  entity: 'contact',
  verb: 'upsert',
  recordType: 'contact',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: ({ contacts = [] }) => contacts,

  toSystem(contact, context) {
    const companyId = context.refId(context.deal.customer, 'customer', 'the customer');
    return {
      externalId: externalIdOf(context, contact.id),
      companyId,
      email: contact.email?.trim() || null,
      body: contactBody(contact, companyId, context),
    };
  },

  async call(client, wire, { signal }) {
    const known = await findByEmail(client, wire, signal);
    if (!known) return { id: await client.records.upsert('contact', wire.externalId, wire.body, { signal }) };
    const key = known.externalId === null ? { externalId: wire.externalId } : {};
    await client.records.update('contact', known.id, { ...wire.body, ...key }, signal);
    return { id: known.id };
  },

  fromSystem: ({ id }, contact, context) => ({
    refs: [refTo(context, { id: contact.id, entity: 'contact', type: 'contact', recordId: id })],
    evidence: { id },
  }),

  async probe(client, { externalId }, { signal }) {
    const record = await client.records.find('contact', externalId, [], signal);
    return record && { id: record.id };
  },

  // A contact belongs to the customer and stays with it (guides §11).
  compensate: async () => 'kept',

  adopt: adoptByKey('contact'),
});

function contactBody(contact: Draft<Contact>, companyId: string, context: MappingContext): JsonObject {
  const { firstName, lastName } = contact;
  const named = Boolean(firstName && lastName);
  return defined({
    // With both names NetSuite composes the contact's own name itself.
    entityId: named ? undefined : required(contact.name, 'Name of the contact', STEP),
    firstName: named ? firstName : undefined,
    lastName: named ? lastName : undefined,
    email: contact.email,
    phone: contact.phone,
    title: contact.title,
    company: reference(companyId),
    subsidiary: reference(context.lookup('subsidiary', sellingEntity(context.deal, STEP))),
  });
}

interface KnownContact {
  id: string;
  externalId: string | null;
}

/**
 * A contact of the same customer with the same e-mail address (natural key of guides §2) that does not carry our key.
 *
 * @throws SystemError `DUPLICATE_SUSPECTED` when there are several, or it is another contact of ours.
 */
async function findByEmail(
  client: NetSuiteClient,
  { externalId, companyId, email }: ContactWire,
  signal: AbortSignal,
): Promise<KnownContact | null> {
  if (!email) return null;
  const rows = await client.query(
    `SELECT id, externalid FROM contact WHERE company = ${sqlText(companyId)} AND LOWER(email) = ${sqlText(email.toLowerCase())} AND isinactive = 'F' ORDER BY id`,
    signal,
  );
  if (rows.some((row) => row.externalid === externalId)) return null;
  const [row, ...others] = rows;
  if (!row) return null;
  if (others.length > 0 || client.canonicalIdIn(row.externalid) !== null) {
    const contact = maskEmail(email);
    throw new SystemError({
      system: client.system,
      kind: 'rejected',
      code: 'DUPLICATE_SUSPECTED',
      reason: `another contact of this customer has the e-mail address ${contact} already; give each contact its own`,
      params: {
        customer: contact,
        candidate: 'another contact of the customer',
        score: 'same e-mail address',
      },
    });
  }
  return { id: idOf(row, client.system), externalId: row.externalid ?? null };
}

/** Enough to recognise the address, too little to be personal data in a case. */
function maskEmail(email: string): string {
  return email.replace(/^(.).*@/, '$1…@');
}
