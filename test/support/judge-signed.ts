import type { Records } from './judge';

/** What customers have signed, and sales has entered for it. */
const SIGNED = [
  'salesforce.Contract',
  'salesforce.OpportunityLineItem',
  'salesforce.OpportunityLineItemSchedule',
];

/** What we report back, and what the CRM notes about it. */
const REPORTED = /^(Q2C_External_Id__c|LastModified.*|SystemModstamp)$/;

/** Signed documents never change (guides §15, 6). @returns those that have, of the records that were there before */
export function changedDocuments(before: Records, after: Records): string[] {
  return SIGNED.flatMap((type) => {
    const now = new Map((after[type] ?? []).map(({ id, data }) => [id, business(data)]));
    return (before[type] ?? [])
      .filter(({ id, data }) => now.get(id) !== business(data))
      .map(({ id }) => `${type} ${id} has changed or is gone (6)`);
  });
}

const business = (data: Record<string, unknown>): string =>
  JSON.stringify(Object.entries(data).filter(([field]) => !REPORTED.test(field)));
