import { contractRules, quoteLineItemRules, quoteRules } from './contracts';
import {
  opportunityLineItemRules,
  opportunityLineItemScheduleRules,
  pricebookEntryRules,
} from './line-items';
import { opportunityContactRoleRules, opportunityRules } from './opportunity';
import type { ObjectRules } from './types';

/** What saves set off, by object. */
export const RULES: Readonly<Record<string, ObjectRules>> = {
  Contract: contractRules,
  Opportunity: opportunityRules,
  OpportunityContactRole: opportunityContactRoleRules,
  OpportunityLineItem: opportunityLineItemRules,
  OpportunityLineItemSchedule: opportunityLineItemScheduleRules,
  PricebookEntry: pricebookEntryRules,
  Quote: quoteRules,
  QuoteLineItem: quoteLineItemRules,
};
