import type { SystemModule } from '../kit';
import { SalesforceClient } from './client';
import { contractActivated } from './events/contract-activated';
import { opportunityWon } from './events/opportunity-won';
import { quoteAccepted } from './events/quote-accepted';
import { manifest } from './manifest';
import { queryRecords } from './operations/query-records';
import { readDeal } from './operations/read-deal';
import { updateOpportunity } from './operations/update-opportunity';
import { upsertContact } from './operations/upsert-contact';
import { upsertCustomer } from './operations/upsert-customer';

export const system: SystemModule<SalesforceClient> = {
  manifest,
  createClient: (config, dependencies) => new SalesforceClient(config, dependencies),
  operations: [readDeal, upsertCustomer, upsertContact, updateOpportunity, queryRecords],
  events: [opportunityWon, quoteAccepted, contractActivated],
};
