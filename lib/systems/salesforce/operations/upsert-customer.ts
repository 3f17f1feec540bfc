import type { Customer, Draft } from '../../../model';
import { defineOperation } from '../../kit';
import type { SalesforceClient } from '../client';
import { accountFieldsOf } from '../mapping/customer';
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

const ACCOUNT = 'Account';

/** The customer of the deal as an account that carries its canonical id. */
export const upsertCustomer = defineOperation<SalesforceClient, Draft<Customer>, UpsertWire, UpsertReply>({
  entity: 'customer',
  verb: 'upsert',
  recordType: ACCOUNT,
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,
  select: ({ customer }) => (customer ? [customer] : []),
  toSystem: (customer, context) =>
    upsertWire(customer, ACCOUNT, accountFieldsOf(customer, context.settings), context),
  call: (client, wire, context) => sendUpsert(client, ACCOUNT, wire, context),
  probe: (client, wire, context) => findUpserted(client, ACCOUNT, wire, context),
  compensate: (client, _wire, reply, context) => undoUpsert(client, ACCOUNT, reply, context),
  adopt: (client, id, wire, context) => adoptRecord(client, ACCOUNT, id, wire, context),
  fromSystem: (reply, { id }) => upsertResult('customer', id, ACCOUNT, reply),
});
