import * as z from 'zod';
import {
  type BusinessEventType,
  fingerprint,
  type Instant,
  type JsonObject,
  type JsonValue,
} from '../../../model';
import { decimalOf, type SourceEvent, textOf } from '../../kit';
import { opportunityValues } from '../mapping/opportunity';
import { type OpportunityRow, opportunityRow, opportunitySelect } from '../records';
import { requiredInstant } from './scan';

/**
 * Fields of an opportunity whose change is news. The fields we write ourselves are not among them: our own update
 * gives the same event id as before and is dropped by the store, while a person's change in the same minute is not.
 */
const BUSINESS_FIELDS = [
  'Name',
  'StageName',
  'LastStageChangeDate',
  'Amount',
  'CurrencyIsoCode',
  'CloseDate',
  'AccountId',
  'ContractId',
  'Q2C_Service_Line__c',
  'Q2C_Region__c',
] as const;

export const opportunityEventRow = opportunityRow.extend({ LastStageChangeDate: z.string().nullish() });
export type OpportunityEventRow = z.infer<typeof opportunityEventRow>;

export function opportunityEventSelect(externalIdField: string): string[] {
  return opportunitySelect(['LastStageChangeDate', externalIdField]);
}

/** What an event about an opportunity is made of. */
export interface OpportunityFact {
  type: BusinessEventType;
  opportunity: OpportunityEventRow;
  externalIdField: string;
  /** When it became true, or the record's last change if Salesforce does not say. */
  time: Instant;
  /** The record whose state is the fact, and what of it is news, when it is not the opportunity. */
  about?: { id: string; content: JsonObject };
}

export function opportunityEvent({
  type,
  opportunity,
  externalIdField,
  time,
  about,
}: OpportunityFact): SourceEvent {
  const content: JsonObject = { opportunity: contentOf(opportunity), ...about?.content };
  return {
    id: `${about?.id ?? opportunity.Id}:${fingerprint(content).slice(0, 32)}`,
    type,
    time,
    // The stamp of the opportunity orders its own states, not those of other records that point to it.
    ...(about === undefined && { stamp: requiredInstant(opportunity.SystemModstamp) }),
    subject: {
      entity: 'opportunity',
      type: 'Opportunity',
      id: opportunity.Id,
      claims: textOf(opportunity[externalIdField]) ?? null,
    },
    data: dataOf(opportunity),
  };
}

/** Numbers by value, so that 1000 and 1000.00 are the same amount. */
function contentOf(row: OpportunityEventRow): JsonObject {
  const entries = BUSINESS_FIELDS.map((field): [string, JsonValue] => [
    field,
    field === 'Amount' ? (decimalOf(row.Amount) ?? null) : (row[field] ?? null),
  ]);
  return Object.fromEntries(entries);
}

/** The opportunity in canonical field names, as JSON. */
function dataOf(row: OpportunityRow): JsonObject {
  const { extensions: _none, externalRefs: _refs, ...values } = opportunityValues(row);
  return { ...values };
}
