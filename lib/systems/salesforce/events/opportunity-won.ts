import { defineEventSource, readCursor } from '../../kit';
import { type SalesforceClient, SYSTEM } from '../client';
import { instantOf } from '../soql';
import { opportunityEvent, opportunityEventRow, opportunityEventSelect } from './opportunity-event';
import { scan } from './scan';

/** An opportunity in a stage that counts as won, and again whenever its business content changes. */
export const opportunityWon = defineEventSource<SalesforceClient>({
  id: 'opportunity-won',
  async poll(client, stored, context) {
    const { externalIdField } = client;
    const query = {
      object: 'Opportunity',
      select: opportunityEventSelect(externalIdField),
      where: 'IsWon = true',
      row: opportunityEventRow,
    };
    const { fresh, cursor, more } = await scan(client, readCursor(SYSTEM, stored), query, context);
    return {
      events: fresh.map(({ stamp, row }) =>
        opportunityEvent({
          type: 'q2c.opportunity.won.v1',
          opportunity: row,
          externalIdField,
          time: instantOf(row.LastStageChangeDate) ?? stamp,
        }),
      ),
      cursor,
      more,
    };
  },
});
