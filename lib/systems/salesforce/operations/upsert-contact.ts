import type { Contact, Draft } from '../../../model';
import { defineOperation } from '../../kit';
import type { SalesforceClient } from '../client';
import { contactFieldsOf } from '../mapping/contact';
import {
  adoptRecord,
  findUpserted,
  sendUpsert,
  type UpsertReply,
  type UpsertWire,
  undoUpsert,
  upsertResult,
  upsertWire,
} from './upsert-record';

const CONTACT = 'Contact';

/** Each contact of the deal as a contact of its account, carrying its canonical id. */
export const upsertContact = defineOperation<SalesforceClient, Draft<Contact>, UpsertWire, UpsertReply>({
  entity: 'contact',
  verb: 'upsert',
  recordType: CONTACT,
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,
  select: ({ contacts }) => contacts ?? [],
  toSystem(contact, context) {
    const accountId = context.refId(context.deal.customer, 'Account', 'the account');
    return upsertWire(contact, CONTACT, contactFieldsOf(contact, accountId), context);
  },
  call: (client, wire, context) => sendUpsert(client, CONTACT, wire, context),
  probe: (client, wire, context) => findUpserted(client, CONTACT, wire, context),
  compensate: (client, _wire, reply, context) => undoUpsert(client, CONTACT, reply, context),
  adopt: (client, id, wire, context) => adoptRecord(client, CONTACT, id, wire, context),
  fromSystem: (reply, { id }) => upsertResult('contact', id, CONTACT, reply),
});
