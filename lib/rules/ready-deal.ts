import {
  addDays,
  type CanonicalId,
  type Contact,
  type Contract,
  type Customer,
  type DealDocument,
  type Draft,
  deriveId,
  naturalKey,
  type Opportunity,
  type Quote,
} from '../model';
import type { FirmLegalEntity } from './firm';

/** A deal that passed the readiness check, with what the CRM leaves open filled in. */

/** The complete entities of a deal that may be provisioned. */
export interface ReadyDeal extends DealDocument {
  opportunity: Opportunity;
  customer: Customer;
  contacts: Contact[];
  quote: Quote;
  contract: Contract;
}

/** What a ready deal is made of; a firm may sell without contract records. */
export interface DealRecords {
  opportunity: Draft<Opportunity>;
  customer: Draft<Customer>;
  quote: Draft<Quote>;
  contract: Draft<Contract> | undefined;
}

/** A natural key the deal's records claim; a holder other than `id` means a suspected duplicate. */
export interface NaturalKeyClaim {
  entity: 'customer' | 'contact';
  key: string;
  id: CanonicalId;
  name: string;
}

/** The deal with the fields that follow from its other records and from the entity that sells it; not validated yet. */
export function completeDeal(
  deal: DealDocument,
  { opportunity, customer, quote, contract = contractOf({ opportunity, customer, quote }) }: DealRecords,
  legalEntity: FirmLegalEntity,
) {
  const at = opportunity.updatedAt ?? opportunity.createdAt ?? new Date(0).toISOString();
  const base = {
    version: 1,
    legalEntityId: legalEntity.id,
    createdAt: at,
    updatedAt: at,
    sourceSystem: opportunity.sourceSystem ?? 'crm',
    extensions: {},
  };
  const currency = opportunity.amount?.currency ?? legalEntity.functionalCurrency;
  return {
    ...deal,
    opportunity: { ...base, engagementType: 'project', ...opportunity, legalEntityId: legalEntity.id },
    customer: {
      ...base,
      defaultCurrency: currency,
      creditStatus: 'ok',
      ...customer,
      status: 'pending_validation',
      legalEntityId: legalEntity.id,
    },
    contacts: (deal.contacts ?? []).map((contact) => ({
      ...base,
      customerId: customer.id,
      ...contact,
      legalEntityId: legalEntity.id,
    })),
    quote: {
      ...base,
      opportunityId: opportunity.id,
      validUntil: opportunity.expectedCloseDate,
      total: opportunity.amount,
      ...quote,
      legalEntityId: legalEntity.id,
    },
    contract: {
      ...base,
      customerId: customer.id,
      quoteId: quote.id,
      title: opportunity.name,
      contractType: 'sow',
      currency,
      totalValue: opportunity.amount,
      paymentTerms: customer.paymentTerms,
      revision: 1,
      status: 'approved',
      ...contract,
      legalEntityId: legalEntity.id,
    },
  };
}

/** The contract of a firm that sells without contract records: the terms of the opportunity itself. */
function contractOf({ opportunity, customer, quote }: Omit<DealRecords, 'contract'>): Draft<Contract> {
  const from = opportunity.expectedCloseDate ?? (opportunity.updatedAt ?? '').slice(0, 10);
  return {
    id: deriveId('contract', quote.id, 'contract'),
    externalRefs: [],
    number: `S-${opportunity.id.slice(-10)}`,
    title: opportunity.name,
    effective: { from, to: addDays(from, 364) },
    paymentTerms: customer.paymentTerms,
  };
}

/** The natural keys by which the deal's customer and contacts are told from others (guides §2). */
export function naturalKeyClaims(deal: ReadyDeal): NaturalKeyClaim[] {
  const claims: NaturalKeyClaim[] = [];
  const customerKey = naturalKey.customer(deal.customer);
  if (customerKey !== undefined) {
    claims.push({
      entity: 'customer',
      key: customerKey,
      id: deal.customer.id,
      name: deal.customer.legalName,
    });
  }
  for (const contact of deal.contacts) {
    const key = naturalKey.contact(contact);
    if (key !== undefined) claims.push({ entity: 'contact', key, id: contact.id, name: contact.name });
  }
  return claims;
}
