import * as z from 'zod';
import {
  type CanonicalId,
  type DealDocument,
  deriveId,
  type EntityName,
  type ExternalRef,
  type JsonValue,
} from '../../../model';
import {
  defineOperation,
  type OperationResult,
  parseReply,
  type ReadContext,
  type Reference,
  SystemError,
  textOf,
} from '../../kit';
import { type Home, queryPageOf, queryPath, type SalesforceClient, SYSTEM } from '../client';
import { contactOf } from '../mapping/contact';
import { contractOf } from '../mapping/contract';
import { customerOf } from '../mapping/customer';
import { opportunityOf } from '../mapping/opportunity';
import { quoteOf } from '../mapping/quote';
import {
  type ContactRow,
  contactRoleRow,
  contactRoleSelect,
  type DealRow,
  dealRow,
  dealSelect,
  LINE_SELECT,
  type LineRow,
  lineRow,
  SCHEDULE_SELECT,
  type ScheduleRow,
  scheduleRow,
} from '../records';
import { textLiteral } from '../soql';

const DEAL_ROWS = z.array(dealRow);
const CONTACT_ROWS = z.array(contactRoleRow);
const LINE_ROWS = z.array(lineRow);
const SCHEDULE_ROWS = z.array(scheduleRow);

interface Wire {
  opportunityId: string;
}

/** Everything Salesforce holds about one deal, as rows. */
export interface DealRows {
  home: Home;
  externalIdField: string;
  deal: DealRow;
  contacts: ContactRow[];
  lines: LineRow[];
  schedules: ScheduleRow[];
}

/**
 * Opportunity, account, contract, contacts, products and their revenue schedules in one composite call; what does
 * not fit on a page is fetched after it.
 */
export const readDeal = defineOperation({
  entity: 'deal',
  verb: 'read',
  recordType: 'Opportunity',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: ({ opportunity }) => (opportunity ? [{ id: opportunity.id }] : []),

  toSystem: (_item, context): Wire => ({
    opportunityId: context.refId(context.deal.opportunity, 'Opportunity', 'the opportunity'),
  }),

  async call(client: SalesforceClient, { opportunityId }, { signal }): Promise<DealRows> {
    const { externalIdField } = client;
    const queries = queriesOf(opportunityId, externalIdField);
    const pages = await client.composite(
      queries.map((soql) => ({ method: 'GET', path: queryPath(soql) })),
      { safe: true, signal },
    );
    const [deals = [], roles = [], lines = [], schedules = []] = await Promise.all(
      queries.map((_, index) => client.remainingRows(queryPageOf(pages[index], 'reading the deal'), signal)),
    );
    const [deal] = rowsOf(DEAL_ROWS, deals, 'Opportunity');
    if (!deal) throw missing(opportunityId);
    return {
      home: client.home,
      externalIdField,
      deal,
      contacts: onePerContact(rowsOf(CONTACT_ROWS, roles, 'OpportunityContactRole')),
      lines: rowsOf(LINE_ROWS, lines, 'OpportunityLineItem'),
      schedules: rowsOf(SCHEDULE_ROWS, schedules, 'OpportunityLineItemSchedule'),
    };
  },

  references({ deal, contacts, externalIdField }) {
    const found: Reference[] = [];
    const add = (entity: EntityName, type: string, row: Identified | null | undefined) => {
      if (row) found.push({ entity, type, id: row.Id, claims: textOf(row[externalIdField]) ?? null });
    };
    add('opportunity', 'Opportunity', deal);
    add('customer', 'Account', deal.Account);
    add('contract', 'Contract', deal.Contract);
    for (const contact of contacts) add('contact', 'Contact', contact);
    return found;
  },

  fromSystem(rows, _item, context): OperationResult {
    const { opportunity, customer, contract, contacts = [], quote } = dealOf(rows, context);
    const refsOf = (
      entity: EntityName,
      draft: { id: CanonicalId; externalRefs: ExternalRef[] } | undefined,
    ) => (draft?.externalRefs ?? []).map((ref) => ({ id: draft?.id ?? '', entity, ref }));
    return {
      merge: { opportunity, customer, contract, contacts, quote },
      refs: [
        ...refsOf('opportunity', opportunity),
        ...refsOf('customer', customer),
        ...refsOf('contract', contract),
        ...contacts.flatMap((contact) => refsOf('contact', contact)),
      ],
    };
  },
});

/** A row of an object that can carry a canonical id of ours. */
interface Identified {
  Id: string;
  [field: string]: unknown;
}

/** In the order of `DealRows`: deal, contacts, lines, schedules. Lines by id, which is the order of their creation. */
function queriesOf(opportunityId: string, externalIdField: string): string[] {
  const id = textLiteral(opportunityId);
  return [
    `SELECT ${dealSelect(externalIdField)} FROM Opportunity WHERE Id = ${id}`,
    `SELECT ${contactRoleSelect(externalIdField)} FROM OpportunityContactRole WHERE OpportunityId = ${id} ORDER BY Id`,
    `SELECT ${LINE_SELECT} FROM OpportunityLineItem WHERE OpportunityId = ${id} ORDER BY Id`,
    `SELECT ${SCHEDULE_SELECT} FROM OpportunityLineItemSchedule WHERE OpportunityLineItem.OpportunityId = ${id} ORDER BY ScheduleDate, Id`,
  ];
}

function rowsOf<S extends z.ZodType>(schema: S, rows: JsonValue[], object: string): z.infer<S> {
  const reply = { status: 200, headers: {}, body: rows };
  return parseReply(schema, reply, { system: SYSTEM, what: `reading ${object}`, write: false });
}

/** A person can have several roles on one deal. */
function onePerContact(roles: z.infer<typeof contactRoleRow>[]): ContactRow[] {
  const contacts = roles.map(({ Contact }) => Contact).filter((contact) => contact !== null);
  return [...new Map(contacts.map((contact) => [contact.Id, contact])).values()];
}

function dealOf({ home, deal, contacts, lines, schedules }: DealRows, context: ReadContext): DealDocument {
  const { Account: account, Contract: contract } = deal;
  const opportunityId = context.idOf('opportunity', 'Opportunity', deal.Id);
  const customerId = account ? context.idOf('customer', 'Account', account.Id) : undefined;
  const contractId = contract ? context.idOf('contract', 'Contract', contract.Id) : undefined;
  const quoteId = deriveId('quote', opportunityId, 'opportunity line items');
  return {
    opportunity: opportunityOf(deal, opportunityId, { customerId, contractId }, home),
    customer: account && customerId ? customerOf(account, customerId, home) : undefined,
    contacts: contacts.map((row) => {
      const owner = row.AccountId === account?.Id ? customerId : undefined;
      return contactOf(row, context.idOf('contact', 'Contact', row.Id), owner, home);
    }),
    quote: quoteOf(deal, lines, schedules, { quote: quoteId, opportunity: opportunityId }, home),
    contract:
      contract && contractId ? contractOf(contract, contractId, { customerId, quoteId }, home) : undefined,
  };
}

function missing(opportunityId: string): SystemError {
  const reason = `opportunity ${opportunityId} does not exist, or the integration user may not see it`;
  return new SystemError({ system: SYSTEM, kind: 'not_found', reason });
}
