import * as z from 'zod';
import { decimalOf, defineEventSource, readCursor } from '../../kit';
import { type SalesforceClient, SYSTEM } from '../client';
import { under } from '../soql';
import { opportunityEvent, opportunityEventRow, opportunityEventSelect } from './opportunity-event';
import { scan } from './scan';

const quoteRow = z.object({
  Id: z.string(),
  Status: z.string().nullish(),
  GrandTotal: z.union([z.number(), z.string()]).nullish(),
  Opportunity: opportunityEventRow,
});

/**
 * A standard quote with status Accepted (the value of the default picklist). The event is about its opportunity.
 * The quote does not say when it was accepted: the time is that of its last change.
 */
export const quoteAccepted = defineEventSource<SalesforceClient>({
  id: 'quote-accepted',
  async poll(client, stored, context) {
    const { externalIdField } = client;
    const query = {
      object: 'Quote',
      select: ['Status', 'GrandTotal', ...under('Opportunity', opportunityEventSelect(externalIdField))],
      where: "Status = 'Accepted' AND OpportunityId != null",
      row: quoteRow,
    };
    const { fresh, cursor, more } = await scan(client, readCursor(SYSTEM, stored), query, context);
    return {
      events: fresh.map(({ id, stamp, row }) =>
        opportunityEvent({
          type: 'q2c.quote.accepted.v1',
          opportunity: row.Opportunity,
          externalIdField,
          time: stamp,
          about: { id, content: { status: row.Status, total: decimalOf(row.GrandTotal) } },
        }),
      ),
      cursor,
      more,
    };
  },
});
