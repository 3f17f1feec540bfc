import { formatDatetime } from '../dates';
import { saveError } from '../errors';
import { CONTRACT_STATUSES } from '../schema/contracts';
import { requiredParent } from './line-items';
import type { ObjectRules } from './types';

export const contractRules: ObjectRules = {
  /** A contract begins as a draft; an administrator or a flow activates it by a later save. */
  beforeInsert(org, data) {
    if (CONTRACT_STATUSES[String(data.Status)] !== 'Draft') throw invalidStatus();
    data.ContractNumber = autoNumber(org.context.db.next('Contract.ContractNumber'));
  },
  beforeUpdate(org, before, data) {
    const was = CONTRACT_STATUSES[String(before.data.Status)];
    const is = CONTRACT_STATUSES[String(data.Status)];
    if (was === 'Activated' && is !== 'Activated') throw invalidStatus();
    if (was !== 'Activated' && is === 'Activated') {
      data.ActivatedById = org.actor.userId;
      data.ActivatedDate = formatDatetime(org.context.now());
    }
  },
};

function invalidStatus() {
  const message = 'Choose a valid contract status and save your changes. Ask your admin for details.';
  return saveError('INVALID_STATUS', message, ['Status']);
}

export const quoteRules: ObjectRules = {
  beforeInsert(org, data) {
    const opportunity = requiredParent(org, 'Opportunity', data, 'OpportunityId');
    data.QuoteNumber = autoNumber(org.context.db.next('Quote.QuoteNumber'));
    data.AccountId = typeof opportunity.data.AccountId === 'string' ? opportunity.data.AccountId : null;
    data.CurrencyIsoCode = String(opportunity.data.CurrencyIsoCode);
    data.Pricebook2Id ??=
      typeof opportunity.data.Pricebook2Id === 'string' ? opportunity.data.Pricebook2Id : null;
    data.Status ??= 'Draft';
  },
};

export const quoteLineItemRules: ObjectRules = {
  beforeInsert(org, data) {
    const quote = requiredParent(org, 'Quote', data, 'QuoteId');
    const entry = requiredParent(org, 'PricebookEntry', data, 'PricebookEntryId');
    if (quote.data.Pricebook2Id && entry.data.Pricebook2Id !== quote.data.Pricebook2Id) {
      const message =
        'field integrity exception: PricebookEntryId (pricebook entry is in a different pricebook than the one assigned to the quote)';
      throw saveError('FIELD_INTEGRITY_EXCEPTION', message, ['PricebookEntryId']);
    }
    data.LineNumber = autoNumber(org.context.db.next('QuoteLineItem.LineNumber'));
    data.Product2Id = String(entry.data.Product2Id);
    data.CurrencyIsoCode = String(quote.data.CurrencyIsoCode);
  },
};

function autoNumber(n: number): string {
  return String(n).padStart(8, '0');
}
