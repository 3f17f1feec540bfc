import type { Customer, DealDocument, Draft, JsonObject } from '../../../model';
import {
  afterWrite,
  type CallContext,
  defined,
  defineOperation,
  type MappingContext,
  required,
} from '../../kit';
import type { NetSuiteClient } from '../client';
import { CREDIT_FIELDS, type Credit, creditValues, readCredit } from '../credit';
import { type CustomerKeys, findCustomer } from '../find-customer';
import { externalIdOf, reference, refTo, sellingEntity } from '../mapping';
import { adoptRecord } from '../written-record';

const STEP = 'the customer is created in NetSuite';

export interface CustomerWire {
  keys: CustomerKeys;
  body: JsonObject;
}

export interface CustomerReply {
  id: string;
  /** Customer number. */
  number: string;
  /** Not in replies that were journaled before credit was read. */
  credit?: Credit;
}

/**
 * Makes sure that the customer exists once and carries our key. What is there already stays as it is: number,
 * tax profile, terms and currency are the ERP's (guides §7), and an External ID of another integration is kept.
 */
export const upsertCustomer = defineOperation<NetSuiteClient, Draft<Customer>, CustomerWire, CustomerReply>({
  entity: 'customer',
  verb: 'upsert',
  recordType: 'customer',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: ({ customer }) => (customer ? [customer] : []),

  toSystem(customer, context) {
    const keys = customerKeys(customer, context);
    return { keys, body: customerBody(customer, keys, context) };
  },

  async call(client, { keys, body }, context) {
    const { signal } = context;
    const existing = await adopted(client, keys, context);
    if (existing) return existing;
    // The address book is replaced, because a repeated upsert would add the address once more.
    const id = await client.records.upsert('customer', keys.externalId, body, {
      replace: 'addressBook',
      signal,
    });
    return afterWrite(async () => {
      const fields = `entityId,${CREDIT_FIELDS}`;
      const record = await client.records.read('customer', id, { fields }, signal);
      return { id, number: String(record.entityId ?? ''), credit: await readCredit(client, record, signal) };
    });
  },

  fromSystem({ id, number, credit }, customer, context) {
    return {
      refs: [refTo(context, { id: customer.id, entity: 'customer', type: 'customer', recordId: id })],
      merge: {
        customer: { id: customer.id, externalRefs: customer.externalRefs, number, ...creditValues(credit) },
      },
      evidence: { id, number },
    };
  },

  probe: (client, { keys }, context: CallContext) => adopted(client, keys, context),

  // A customer outlives the deal that brought it (guides §11): there is nothing to undo.
  compensate: async () => 'kept',

  async adopt(client, id, { keys }, context) {
    const record = await adoptRecord(client, 'customer', id, keys.externalId, ['entityId'], context);
    return record && { id: record.id, number: String(record.entityId ?? '') };
  },
});

export function customerKeys(customer: Draft<Customer>, context: MappingContext): CustomerKeys {
  return {
    externalId: externalIdOf(context, customer.id),
    name: required(customer.legalName, 'Legal name of the customer', STEP),
    country: required(customer.country ?? customer.billingAddress?.country, 'Country of the customer', STEP),
    postalCode: customer.billingAddress?.postalCode ?? null,
    taxNumber: customer.taxProfile?.registrationNumber ?? null,
    taxField: context.settings.customerTaxField ?? 'vatRegNumber',
  };
}

function customerBody(customer: Draft<Customer>, keys: CustomerKeys, context: MappingContext): JsonObject {
  const { deal } = context;
  const currency = required(
    customer.defaultCurrency ?? deal.contract?.currency,
    'Currency of the customer',
    STEP,
  );
  const terms = required(
    customer.paymentTerms ?? deal.contract?.paymentTerms,
    'Payment terms of the customer',
    STEP,
  );
  return defined({
    companyName: keys.name,
    isPerson: false,
    subsidiary: reference(context.lookup('subsidiary', sellingEntity(deal, STEP))),
    currency: reference(context.lookup('currency', currency)),
    currencyList: currencyList(currency, deal, context),
    terms: reference(context.lookup('terms', terms)),
    [keys.taxField]: keys.taxNumber ?? undefined,
    url: customer.website,
    addressBook: {
      items: [{ defaultBilling: true, defaultShipping: true, addressBookAddress: address(customer) }],
    },
  });
}

/** Orders are refused in a currency that the customer does not have. */
function currencyList(
  currency: string,
  { contract }: DealDocument,
  context: MappingContext,
): JsonObject | undefined {
  if (!contract?.currency || contract.currency === currency) return undefined;
  const currencies = [currency, contract.currency];
  return { items: currencies.map((code) => ({ currency: reference(context.lookup('currency', code)) })) };
}

function address(customer: Draft<Customer>): JsonObject {
  const { lines, city, region, postalCode, country } = required(
    customer.billingAddress,
    'Billing address of the customer',
    STEP,
  );
  const [addr1, addr2, ...rest] = lines ?? [];
  return defined({
    addr1,
    addr2,
    addr3: rest.length > 0 ? rest.join(', ') : undefined,
    city,
    // ISO 3166-2 `US-CA`; NetSuite wants `CA`.
    state: region?.replace(/^[A-Z]{2}-/, ''),
    zip: postalCode,
    country: reference(country),
  });
}

/** The existing customer, carrying our key from now on unless another integration's key is on it. */
async function adopted(
  client: NetSuiteClient,
  keys: CustomerKeys,
  { signal, lookOnly }: CallContext,
): Promise<CustomerReply | null> {
  const existing = await findCustomer(client, keys, signal);
  if (!existing) return null;
  const { id, number, externalId } = existing;
  if (externalId === null && !lookOnly)
    await client.records.update('customer', id, { externalId: keys.externalId }, signal);
  const record = await client.records.read('customer', id, { fields: CREDIT_FIELDS }, signal);
  return { id, number, credit: await readCredit(client, record, signal) };
}
