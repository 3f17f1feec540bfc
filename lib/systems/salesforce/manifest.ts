import type { CustomFieldManifest, CustomFieldType, FieldSpec, SystemManifest } from '../kit';
import { fieldTypeInWords } from '../kit/custom-field';
import { pollOverlapSetting } from '../kit/poll-overlap';

/** Default of the setting `externalIdField`. */
export const EXTERNAL_ID_FIELD = 'Q2C_External_Id__c';

const host: FieldSpec = {
  id: 'host',
  label: 'My Domain host',
  help: 'The host of your org, for example acme.my.salesforce.com or acme--uat.sandbox.my.salesforce.com. login.salesforce.com is not accepted.',
  type: 'text',
  required: true,
  placeholder: 'acme.my.salesforce.com',
};

const clientId: FieldSpec = {
  id: 'clientId',
  label: 'Consumer key',
  help: 'From the External Client App (or connected app), under Settings, OAuth Settings.',
  type: 'text',
  secret: true,
  required: true,
};

const KEY: CustomFieldType = { kind: 'text', length: 80, key: true };
const TERMS: CustomFieldType = {
  kind: 'picklist',
  values: ['due_on_receipt', 'net_15', 'net_30', 'net_45', 'net_60', 'eom_30', '2_10_net_30'],
  open: true,
};
const AMOUNT: CustomFieldType = { kind: 'currency', precision: 18, scale: 2 };
const text = (length: number): CustomFieldType => ({ kind: 'text', length });
const oneOf = (...values: string[]): CustomFieldType => ({ kind: 'picklist', values });

function field(object: string, name: string, type: CustomFieldType, purpose: string): CustomFieldManifest {
  const label = name.replace(/^Q2C_|__c$/g, '').replaceAll('_', ' ');
  return {
    object,
    name,
    label: `Q2C ${label}`,
    type,
    typeInWords: fieldTypeInWords(type),
    purpose,
    required: true,
    written: false,
  };
}

/** A field that we write. */
function ours(object: string, name: string, type: CustomFieldType, purpose: string): CustomFieldManifest {
  return { ...field(object, name, type, purpose), written: true };
}

const objectSettings = (label: string) => `Permission set > Object Settings > ${label}`;
const MULTI_CURRENCY = {
  name: 'Company Information > Activate Multiple Currencies',
  field: 'CurrencyIsoCode',
};

/** Salesforce Sales Cloud: opportunities, accounts, contacts and contracts. */
export const manifest: SystemManifest = {
  id: 'salesforce',
  label: 'Salesforce',
  family: 'crm',
  color: '#6cb2dc',
  auth: [
    {
      id: 'client-credentials',
      label: 'Client credentials',
      help: 'The app logs in as its run-as user with a consumer key and secret.',
      fields: [
        host,
        clientId,
        { id: 'clientSecret', label: 'Consumer secret', type: 'text', secret: true, required: true },
      ],
    },
    {
      id: 'jwt-bearer',
      label: 'JWT bearer (private key)',
      help: 'The app signs in a pre-authorised user with a private key whose certificate is uploaded to the app.',
      fields: [
        host,
        clientId,
        {
          id: 'username',
          label: 'Integration user',
          help: 'User name of the integration user, pre-authorised for the app through a permission set or profile.',
          type: 'text',
          required: true,
          placeholder: 'q2c@acme.example',
        },
        {
          id: 'privateKey',
          label: 'Private key (PEM)',
          help: 'The whole text from -----BEGIN to -----END.',
          type: 'multiline',
          secret: true,
          required: true,
        },
      ],
    },
  ],
  settings: [
    {
      id: 'apiVersion',
      label: 'API version',
      help: 'Version of the REST API; 66.0 is Spring 2026.',
      type: 'text',
      default: '66.0',
      required: true,
    },
    {
      id: 'externalIdField',
      label: 'External id field',
      help: 'API name of the custom field that holds our canonical id on Account, Contact, Opportunity and Contract: Text(80), External ID, Unique.',
      type: 'text',
      default: EXTERNAL_ID_FIELD,
      required: true,
    },
    {
      id: 'countryFormat',
      label: 'Countries are stored as',
      help: 'How BillingCountry is written; both are understood when reading. Orgs with country picklists store names.',
      type: 'select',
      default: 'name',
      options: [
        { value: 'name', label: 'English names (Germany)' },
        { value: 'code', label: 'ISO codes (DE)' },
      ],
    },
    pollOverlapSetting,
  ],
  limits: {
    simulator: { concurrency: 10, timeoutMs: 15_000 },
    sandbox: { concurrency: 5, timeoutMs: 30_000 },
    production: { concurrency: 10, timeoutMs: 30_000 },
  },
  entities: {
    deal: {
      label: 'Deal',
      operations: {
        read: {
          label: 'Read the whole deal',
          description:
            'Reads the opportunity of the deal with its account, contacts, products with revenue schedules and contract. Puts opportunity, customer, contacts, quote (one line per product) and contract into the deal.',
        },
      },
    },
    customer: {
      label: 'Account',
      operations: {
        upsert: {
          label: 'Create or update the account',
          description:
            'Writes the customer of the deal to the account that carries its canonical id, or creates it. Adds the account to the customer as an external reference.',
        },
      },
    },
    contact: {
      label: 'Contact',
      operations: {
        upsert: {
          label: 'Create or update the contacts',
          description:
            'Writes each contact of the deal to the contact that carries its canonical id, or creates it. The account must be in Salesforce already.',
        },
      },
    },
    opportunity: {
      label: 'Opportunity',
      operations: {
        update: {
          label: 'Report back to the opportunity',
          description:
            'Writes the status text, our canonical ids, the project number and the customer number to the opportunity and its account.',
          parameters: [
            {
              id: 'status',
              label: 'Status',
              help: 'What sales should read. {project}, {projectNumber}, {customer}, {customerNumber} and {contractNumber} are replaced by values of the deal, {waitingFor} behind a Catch node by who has to act; empty leaves the status as it is.',
              type: 'text',
              default: 'Provisioned: project {projectNumber}',
            },
          ],
        },
      },
    },
    records: {
      label: 'Records (SOQL)',
      operations: {
        query: {
          label: 'Query records',
          description:
            'Runs a SOQL query and puts all its rows into msg.result. Every page is read; the deal is not changed.',
          parameters: [
            {
              id: 'soql',
              label: 'SOQL',
              type: 'multiline',
              required: true,
              placeholder: "SELECT Id, Name FROM Account WHERE BillingCountry = 'Germany'",
            },
          ],
        },
      },
    },
  },
  events: {
    'opportunity-won': {
      label: 'Opportunity won',
      description: 'An opportunity has reached a stage that counts as won, or a won opportunity was changed.',
      type: 'q2c.opportunity.won.v1',
      entity: 'opportunity',
    },
    'quote-accepted': {
      label: 'Quote accepted',
      description: 'A quote has reached the status Accepted. Quotes must be enabled in the org.',
      type: 'q2c.quote.accepted.v1',
      entity: 'opportunity',
    },
    'contract-activated': {
      label: 'Contract activated',
      description: 'A contract that belongs to an opportunity has been activated.',
      type: 'q2c.contract.activated.v1',
      entity: 'opportunity',
    },
  },
  classifiedFields: {
    Q2C_Tax_Registration__c: 'tax_id',
    FirstName: 'person_name',
    LastName: 'person_name',
    Email: 'personal',
    Phone: 'personal',
    MobilePhone: 'personal',
    HomePhone: 'personal',
    'contact.Name': 'person_name',
  },
  access: [
    {
      object: 'Opportunity',
      permissionKey: 'Opportunity',
      rights: ['read', 'update'],
      grant: objectSettings('Opportunities'),
      feature: MULTI_CURRENCY,
    },
    {
      object: 'Account',
      permissionKey: 'Account',
      rights: ['read', 'create', 'update'],
      grant: objectSettings('Accounts'),
      feature: MULTI_CURRENCY,
    },
    {
      object: 'Contact',
      permissionKey: 'Contact',
      rights: ['read', 'create', 'update'],
      grant: objectSettings('Contacts'),
    },
    {
      object: 'Contract',
      permissionKey: 'Contract',
      rights: ['read', 'update'],
      grant: objectSettings('Contracts'),
      feature: MULTI_CURRENCY,
    },
    { object: 'OpportunityContactRole', rights: ['read'], grant: objectSettings('Opportunities') },
    { object: 'OpportunityLineItem', rights: ['read'], grant: objectSettings('Opportunity Products') },
    {
      object: 'Product2',
      permissionKey: 'Product2',
      rights: ['read'],
      grant: objectSettings('Products'),
    },
    {
      object: 'OpportunityLineItemSchedule',
      rights: ['read'],
      grant: objectSettings('Opportunity Products'),
      feature: { name: 'Product Schedule Settings > Revenue Scheduling' },
    },
    {
      object: 'Quote',
      rights: ['read'],
      grant: objectSettings('Quotes'),
      feature: { name: 'Quote Settings > Enable Quotes' },
      onlyFor: 'Quote accepted',
    },
  ],
  customFields: [
    ours('Account', EXTERNAL_ID_FIELD, KEY, 'canonical customer id'),
    ours('Account', 'Q2C_Tax_Registration__c', text(40), 'tax registration number'),
    ours(
      'Account',
      'Q2C_Tax_Status__c',
      oneOf('registered', 'not_registered', 'exempt'),
      'tax status; empty = unknown',
    ),
    ours('Account', 'Q2C_Payment_Terms__c', TERMS, 'payment terms'),
    ours('Account', 'Q2C_Customer_Number__c', text(40), "the ERP's customer number, written by us"),
    ours('Contact', EXTERNAL_ID_FIELD, KEY, 'canonical contact id'),
    ours('Contact', 'Q2C_Role__c', oneOf('buyer', 'approver', 'billing', 'delivery'), 'role; empty = buyer'),
    ours('Opportunity', EXTERNAL_ID_FIELD, KEY, 'canonical opportunity id'),
    field(
      'Opportunity',
      'Q2C_Service_Line__c',
      {
        kind: 'picklist',
        values: ['strategy', 'implementation', 'managed_services', 'training'],
        open: true,
      },
      'service line; chooses template, department and item',
    ),
    field(
      'Opportunity',
      'Q2C_Region__c',
      { kind: 'picklist', values: ['EMEA', 'AMER'], open: true },
      'selling region; chooses the legal entity',
    ),
    ours('Opportunity', 'Q2C_Status__c', text(255), 'provisioning status in business words, written by us'),
    ours('Opportunity', 'Q2C_Project_Number__c', text(80), 'project number, written by us'),
    field(
      'OpportunityLineItem',
      'Q2C_Commercial_Model__c',
      oneOf('fixed_fee', 'milestone', 'time_and_materials', 'retainer', 'usage', 'cost_plus'),
      'how the line is billed',
    ),
    field(
      'OpportunityLineItem',
      'Q2C_Tax_Category__c',
      oneOf(
        'standard',
        'reduced',
        'zero',
        'exempt',
        'reverse_charge',
        'intra_community',
        'export',
        'out_of_scope',
      ),
      'tax category; empty = standard',
    ),
    field('OpportunityLineItem', 'Q2C_Cap_Amount__c', AMOUNT, 'not-to-exceed amount'),
    field(
      'OpportunityLineItem',
      'Q2C_Included_Quantity__c',
      { kind: 'number', precision: 18, scale: 4 },
      'retainer: hours included per period',
    ),
    field('OpportunityLineItem', 'Q2C_Overage_Rate__c', AMOUNT, 'retainer: rate above the included hours'),
    field(
      'OpportunityLineItem',
      'Q2C_Markup__c',
      { kind: 'percent', precision: 7, scale: 2 },
      'cost plus: markup',
    ),
    ours('Contract', EXTERNAL_ID_FIELD, KEY, 'canonical contract id'),
    field('Contract', 'Q2C_Total_Value__c', AMOUNT, 'contract value'),
    field('Contract', 'Q2C_PO_Number__c', text(60), "customer's purchase order"),
    field('Contract', 'Q2C_Payment_Terms__c', TERMS, 'payment terms of the contract'),
  ],
  preparation: [
    {
      id: 'fields',
      text: 'Create the custom fields below. The metadata does it, and makes a permission set with all rights as well: sf project deploy start --metadata-dir salesforce.zip',
    },
    {
      id: 'features',
      text: 'Switch on multiple currencies and revenue schedules, and quotes if you use the event Quote accepted.',
    },
    {
      id: 'user',
      text: 'Make an integration user that no person uses, with API access, and assign it the permission set Q2C Integration.',
    },
    {
      id: 'app',
      text: 'Create an External Client App with OAuth and the scope api. Enable the client credentials flow and let it run as the integration user, or upload a certificate for JWT bearer and pre-authorise the user.',
    },
    {
      id: 'connection',
      text: 'Enter My Domain host, consumer key and secret (or user name and private key) here, deploy, and test the connection.',
    },
  ],
};
