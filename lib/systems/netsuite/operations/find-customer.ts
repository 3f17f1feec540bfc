import type { Customer, Draft } from '../../../model';
import { defineOperation } from '../../kit';
import type { NetSuiteClient } from '../client';
import { CREDIT_FIELDS, type Credit, creditValues, readCredit } from '../credit';
import { type CustomerKeys, type FoundCustomer, findCustomer } from '../find-customer';
import { refTo } from '../mapping';
import { customerKeys } from './upsert-customer';

/** Looks a customer up as `customer.upsert` would, and changes nothing. */
export const findCustomerByKeys = defineOperation<
  NetSuiteClient,
  Draft<Customer>,
  CustomerKeys,
  { found: FoundCustomer | null; credit?: Credit }
>({
  entity: 'customer',
  verb: 'find',
  recordType: 'customer',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: ({ customer }) => (customer ? [customer] : []),

  toSystem: customerKeys,

  async call(client, keys, { signal }) {
    const found = await findCustomer(client, keys, signal);
    if (found === null) return { found };
    const record = await client.records.read('customer', found.id, { fields: CREDIT_FIELDS }, signal);
    return { found, credit: await readCredit(client, record, signal) };
  },

  fromSystem({ found, credit }, customer, context) {
    if (!found) return { refs: [], evidence: { found: false } };
    const { id, number } = found;
    return {
      refs: [refTo(context, { id: customer.id, entity: 'customer', type: 'customer', recordId: id })],
      merge: {
        customer: { id: customer.id, externalRefs: customer.externalRefs, number, ...creditValues(credit) },
      },
      evidence: { found: true, id, number },
    };
  },
});
