import { currencyCode, inheritedCurrencyCode } from './currencies';
import {
  checkbox,
  currency,
  customPicklist,
  date,
  field,
  int,
  lookup,
  number,
  percent,
  picklist,
  type SObject,
  sobject,
  text,
  textArea,
} from './field';

export const product2: SObject = sobject('Product2', '01t', [
  text('Name', 255, { required: true, nameField: true, idLookup: true }),
  text('ProductCode', 255),
  textArea('Description', 4000),
  checkbox('IsActive'),
  picklist('Family', 255, ['strategy', 'implementation', 'managed_services', 'training']),
  field('DisplayUrl', 'url', { length: 1000 }),
  text('ExternalId', 255),
  picklist('QuantityUnitOfMeasure', 255, ['Each', 'Hours', 'Months', 'Units']),
  checkbox('CanUseRevenueSchedule'),
  currencyCode(),
]);

export const pricebook2: SObject = sobject(
  'Pricebook2',
  '01s',
  [
    text('Name', 255, { required: true, nameField: true, idLookup: true }),
    checkbox('IsActive'),
    checkbox('IsArchived', { readOnly: true }),
    textArea('Description', 255),
    checkbox('IsStandard', { readOnly: true }),
  ],
  { label: 'Price Book' },
);

export const pricebookEntry: SObject = sobject(
  'PricebookEntry',
  '01u',
  [
    text('Name', 255, { readOnly: true, nameField: true, calculated: true }),
    lookup('Pricebook2Id', 'Pricebook2', {
      required: true,
      updateable: false,
      childRelationship: 'PricebookEntries',
      cascadeDelete: true,
    }),
    lookup('Product2Id', 'Product2', {
      required: true,
      updateable: false,
      childRelationship: 'PricebookEntries',
      cascadeDelete: true,
    }),
    text('ProductCode', 255, { readOnly: true, calculated: true }),
    currency('UnitPrice', 18, 2, { required: true }),
    checkbox('IsActive'),
    checkbox('UseStandardPrice'),
    currencyCode(),
  ],
  { label: 'Price Book Entry', labelPlural: 'Price Book Entries' },
);

export const opportunityLineItem: SObject = sobject(
  'OpportunityLineItem',
  '00k',
  [
    lookup('OpportunityId', 'Opportunity', {
      required: true,
      updateable: false,
      childRelationship: 'OpportunityLineItems',
      cascadeDelete: true,
    }),
    int('SortOrder'),
    lookup('PricebookEntryId', 'PricebookEntry', { updateable: false }),
    lookup('Product2Id', 'Product2', { updateable: false }),
    text('ProductCode', 255, { readOnly: true, calculated: true }),
    text('Name', 376, { readOnly: true, nameField: true, calculated: true }),
    number('Quantity', 18, 2, { required: true }),
    currency('TotalPrice', 18, 2),
    currency('UnitPrice', 18, 2),
    currency('ListPrice', 18, 2, { readOnly: true, calculated: true }),
    date('ServiceDate'),
    checkbox('HasRevenueSchedule', { readOnly: true, calculated: true }),
    textArea('Description', 255),
    inheritedCurrencyCode(),
    customPicklist('Q2C_Commercial_Model__c', [
      'fixed_fee',
      'milestone',
      'time_and_materials',
      'retainer',
      'usage',
      'cost_plus',
    ]),
    customPicklist('Q2C_Tax_Category__c', [
      'standard',
      'reduced',
      'zero',
      'exempt',
      'reverse_charge',
      'intra_community',
      'export',
      'out_of_scope',
    ]),
    currency('Q2C_Cap_Amount__c', 18, 2),
    number('Q2C_Included_Quantity__c', 18, 4),
    currency('Q2C_Overage_Rate__c', 18, 2),
    percent('Q2C_Markup__c', 7, 2),
  ],
  { label: 'Opportunity Product' },
);

export const opportunityLineItemSchedule: SObject = sobject(
  'OpportunityLineItemSchedule',
  '00o',
  [
    lookup('OpportunityLineItemId', 'OpportunityLineItem', {
      required: true,
      updateable: false,
      childRelationship: 'OpportunityLineItemSchedules',
      cascadeDelete: true,
    }),
    picklist('Type', 40, ['Revenue', 'Quantity', 'Both'], {
      required: true,
      restricted: true,
      updateable: false,
    }),
    currency('Revenue', 18, 2),
    number('Quantity', 18, 2),
    text('Description', 80),
    date('ScheduleDate', { required: true }),
    inheritedCurrencyCode(),
  ],
  { label: 'Opportunity Product Schedule' },
);
