import * as z from 'zod';
import { under } from './soql';

/**
 * The fields we read of each object, and the shape in which Salesforce must give them. Unset fields are null; a
 * number that a JS number cannot hold arrives as text. Other fields (the external id) pass through.
 */

const text = z.string().nullish();
const decimal = z.union([z.number(), z.string()]).nullish();

const stamps = { CreatedDate: text, LastModifiedDate: text, SystemModstamp: text };
const STAMPS = Object.keys(stamps);

const accountFields = {
  Name: text,
  BillingStreet: text,
  BillingCity: text,
  BillingState: text,
  BillingPostalCode: text,
  BillingCountry: text,
  Website: text,
  CurrencyIsoCode: text,
  Q2C_Tax_Registration__c: text,
  Q2C_Tax_Status__c: text,
  Q2C_Payment_Terms__c: text,
  Q2C_Customer_Number__c: text,
};
export const accountRow = z.looseObject({ Id: z.string(), ...stamps, ...accountFields });
export type AccountRow = z.infer<typeof accountRow>;

const contactFields = {
  AccountId: text,
  Name: text,
  FirstName: text,
  LastName: text,
  Email: text,
  Phone: text,
  Title: text,
  Q2C_Role__c: text,
};
export const contactRow = z.looseObject({ Id: z.string(), ...stamps, ...contactFields });
export type ContactRow = z.infer<typeof contactRow>;
export const contactRoleRow = z.object({ ContactId: z.string(), Contact: contactRow.nullable() });

const contractFields = {
  ContractNumber: text,
  Status: text,
  StartDate: text,
  ContractTerm: z.number().nullish(),
  CurrencyIsoCode: text,
  Q2C_Total_Value__c: decimal,
  Q2C_PO_Number__c: text,
  Q2C_Payment_Terms__c: text,
};
export const contractRow = z.looseObject({ Id: z.string(), ...stamps, ...contractFields });
export type ContractRow = z.infer<typeof contractRow>;

const opportunityFields = {
  Name: text,
  StageName: text,
  IsWon: z.boolean(),
  IsClosed: z.boolean(),
  Amount: decimal,
  CurrencyIsoCode: text,
  CloseDate: text,
  Type: text,
  OwnerId: text,
  AccountId: text,
  ContractId: text,
  Q2C_Service_Line__c: text,
  Q2C_Region__c: text,
};
export const opportunityRow = z.looseObject({ Id: z.string(), ...stamps, ...opportunityFields });
export type OpportunityRow = z.infer<typeof opportunityRow>;

/** The opportunity with its parents. */
export const dealRow = opportunityRow.extend({
  Account: accountRow.nullish(),
  Contract: contractRow.nullish(),
});
export type DealRow = z.infer<typeof dealRow>;

const lineFields = {
  Description: text,
  ProductCode: text,
  Quantity: decimal,
  UnitPrice: decimal,
  TotalPrice: decimal,
  Q2C_Commercial_Model__c: text,
  Q2C_Tax_Category__c: text,
  Q2C_Cap_Amount__c: decimal,
  Q2C_Included_Quantity__c: decimal,
  Q2C_Overage_Rate__c: decimal,
  Q2C_Markup__c: decimal,
};
export const lineRow = z.object({
  Id: z.string(),
  ...lineFields,
  Product2: z.object({ Name: text }).nullish(),
});
export type LineRow = z.infer<typeof lineRow>;

const scheduleFields = {
  OpportunityLineItemId: z.string(),
  ScheduleDate: text,
  Revenue: decimal,
  Description: text,
};
export const scheduleRow = z.object(scheduleFields);
export type ScheduleRow = z.infer<typeof scheduleRow>;

/** `extra` are fields whose names are settings of the connection. */
export function opportunitySelect(extra: readonly string[]): string[] {
  return ['Id', ...STAMPS, ...Object.keys(opportunityFields), ...extra];
}

export function dealSelect(externalIdField: string): string[] {
  const ofParent = (fields: object) => ['Id', ...STAMPS, ...Object.keys(fields), externalIdField];
  return [
    ...opportunitySelect([externalIdField]),
    ...under('Account', ofParent(accountFields)),
    ...under('Contract', ofParent(contractFields)),
  ];
}

export function contactRoleSelect(externalIdField: string): string[] {
  return [
    'ContactId',
    ...under('Contact', ['Id', ...STAMPS, ...Object.keys(contactFields), externalIdField]),
  ];
}

export const LINE_SELECT = ['Id', ...Object.keys(lineFields), 'Product2.Name'];
export const SCHEDULE_SELECT = Object.keys(scheduleFields);
