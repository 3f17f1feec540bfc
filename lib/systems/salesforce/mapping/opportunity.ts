import type { CanonicalId, Draft, Opportunity } from '../../../model';
import { textOf } from '../../kit';
import type { Home } from '../client';
import type { OpportunityRow } from '../records';
import { masterRef, moneyOf, originOf, partOf } from './values';

/** Canonical ids of the records an opportunity points to. */
export interface OpportunityLinks {
  customerId?: CanonicalId;
  contractId?: CanonicalId;
}

export function opportunityOf(
  row: OpportunityRow,
  id: CanonicalId,
  links: OpportunityLinks,
  home: Home,
): Draft<Opportunity> {
  return {
    id,
    externalRefs: [masterRef(home, 'Opportunity', row)],
    ...opportunityValues(row),
    ...partOf<OpportunityLinks>(links),
  };
}

/** What the opportunity itself says, without ids: also the data of events. */
export function opportunityValues(row: OpportunityRow): Partial<Opportunity> {
  return partOf<Partial<Opportunity>>({
    ...originOf(row),
    name: textOf(row.Name),
    stage: stageOf(row),
    amount: moneyOf(row.Amount, row.CurrencyIsoCode),
    expectedCloseDate: textOf(row.CloseDate),
    serviceLine: textOf(row.Q2C_Service_Line__c),
    engagementType: textOf(row.Type),
    region: textOf(row.Q2C_Region__c),
    ownerId: textOf(row.OwnerId),
  });
}

/** By the flags of the stage, not by its name: firms rename stages. */
function stageOf({ IsWon, IsClosed }: OpportunityRow): Opportunity['stage'] {
  if (IsWon) return 'won';
  return IsClosed ? 'lost' : 'open';
}
