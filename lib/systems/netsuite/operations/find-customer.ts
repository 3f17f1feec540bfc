import type { Customer, Draft } from '../../../model';
import { defineOperation } from '../../kit';
import type { NetSuiteClient } from '../client';
import { type CustomerKeys, type FoundCustomer, findCustomer } from '../find-customer';
import { refTo } from '../mapping';
import { customerKeys } from './upsert-customer';

/** Looks a customer up as `customer.upsert` would, and changes nothing. */
export const findCustomerByKeys = defineOperation<
  NetSuiteClient,
  Draft<Customer>,
  CustomerKeys,
  { found: FoundCustomer | null }
>({
  entity: 'customer',
  verb: 'find',
  recordType: 'customer',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: ({ customer }) => (customer ? [customer] : []),

  toSystem: customerKeys,

  call: async (client, keys, { signal }) => ({ found: await findCustomer(client, keys, signal) }),

  fromSystem({ found }, customer, context) {
    if (!found) return { refs: [], evidence: { found: false } };
    const { id, number } = found;
    return {
      refs: [refTo(context, { id: customer.id, entity: 'customer', type: 'customer', recordId: id })],
      merge: { customer: { id: customer.id, externalRefs: customer.externalRefs, number } },
      evidence: { found: true, id, number },
    };
  },
});
