import * as z from 'zod';
import type { JsonValue } from '../../../model';
import {
  defineEventSource,
  type PollContext,
  type PollCursor,
  parseReply,
  readCursor,
  type SourceEvent,
} from '../../kit';
import { type SalesforceClient, SYSTEM } from '../client';
import { inList, instantOf, under } from '../soql';
import { opportunityEvent, opportunityEventRow, opportunityEventSelect } from './opportunity-event';
import { requiredInstant, scan } from './scan';

const CONTRACT_FIELDS = ['Id', 'Status', 'ActivatedDate'];
const activated = z.object({
  Id: z.string(),
  Status: z.string().nullish(),
  ActivatedDate: z.string().nullish(),
});
const dealRow = opportunityEventRow.extend({ Contract: activated });
const dealRows = z.array(dealRow);

/** Ids per query: a URL may have 16 kB, an id in a list takes 21 characters. */
const IDS_PER_QUERY = 200;

/**
 * A contract with status Activated, for each opportunity that points to it. Two scans look for it, because either end
 * of the link can be the one that changed last: the contract was activated, or the opportunity was linked to it.
 * Both give the same event id.
 */
export const contractActivated = defineEventSource<SalesforceClient>({
  id: 'contract-activated',
  async poll(client, stored, context) {
    const cursors = readCursors(stored);
    const byContract = await changedContracts(client, cursors.contracts, context);
    const byOpportunity = await changedOpportunities(client, cursors.opportunities, context);
    const events = [...byContract.events, ...byOpportunity.events];
    return {
      events: [...new Map(events.map((event) => [event.id, event])).values()],
      cursor: { contracts: byContract.cursor, opportunities: byOpportunity.cursor },
      more: byContract.more || byOpportunity.more,
    };
  },
});

function readCursors(stored: JsonValue | null): { contracts: PollCursor; opportunities: PollCursor } {
  const both = z.object({ contracts: z.json(), opportunities: z.json() }).safeParse(stored);
  return {
    // What is not a pair of cursors is given to `readCursor`, which refuses it.
    contracts: readCursor(SYSTEM, both.success ? both.data.contracts : stored),
    opportunities: readCursor(SYSTEM, both.success ? both.data.opportunities : stored),
  };
}

async function changedContracts(client: SalesforceClient, from: PollCursor, context: PollContext) {
  const query = {
    object: 'Contract',
    select: CONTRACT_FIELDS,
    where: "Status = 'Activated'",
    row: activated,
  };
  const { fresh, cursor, more } = await scan(client, from, query, context);
  const events: SourceEvent[] = [];
  for (let start = 0; start < fresh.length; start += IDS_PER_QUERY) {
    const ids = fresh.slice(start, start + IDS_PER_QUERY).map(({ id }) => id);
    const soql = `SELECT ${dealSelect(client)} FROM Opportunity WHERE ${inList('ContractId', ids)} ORDER BY Id`;
    const body = await client.query(soql, context.signal);
    const about = { system: SYSTEM, what: 'reading opportunities of contracts', write: false };
    const rows = parseReply(dealRows, { status: 200, headers: {}, body }, about);
    events.push(...rows.map((row) => eventOf(client, row)));
  }
  return { events, cursor, more };
}

async function changedOpportunities(client: SalesforceClient, from: PollCursor, context: PollContext) {
  const query = {
    object: 'Opportunity',
    select: dealSelect(client),
    where: "Contract.Status = 'Activated'",
    row: dealRow,
  };
  const { fresh, cursor, more } = await scan(client, from, query, context);
  return { events: fresh.map(({ row }) => eventOf(client, row)), cursor, more };
}

function dealSelect({ externalIdField }: SalesforceClient): string[] {
  return [...opportunityEventSelect(externalIdField), ...under('Contract', CONTRACT_FIELDS)];
}

function eventOf({ externalIdField }: SalesforceClient, row: z.infer<typeof dealRow>): SourceEvent {
  const { Id, Status, ActivatedDate } = row.Contract;
  return opportunityEvent({
    type: 'q2c.contract.activated.v1',
    opportunity: row,
    externalIdField,
    time: instantOf(ActivatedDate) ?? requiredInstant(row.SystemModstamp),
    // Several opportunities can share a contract: the event is of the pair.
    about: { id: `${Id}-${row.Id}`, content: { status: Status, activated: ActivatedDate } },
  });
}
