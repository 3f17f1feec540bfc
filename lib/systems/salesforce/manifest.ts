import type { CustomFieldManifest, FieldSpec, SystemManifest } from '../kit';
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

const KEY = 'Text(80), External ID, Unique';
const TERMS = 'Picklist: payment terms (net_30, eom_30, due_on_receipt …)';

function field(object: string, name: string, type: string, purpose: string): CustomFieldManifest {
  return { object, name, type, purpose, required: true };
}

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
  customFields: [
    field('Account', EXTERNAL_ID_FIELD, KEY, 'canonical customer id'),
    field('Account', 'Q2C_Tax_Registration__c', 'Text(40)', 'tax registration number'),
    field(
      'Account',
      'Q2C_Tax_Status__c',
      'Picklist: registered, not_registered, exempt',
      'tax status; empty = unknown',
    ),
    field('Account', 'Q2C_Payment_Terms__c', TERMS, 'payment terms'),
    field('Account', 'Q2C_Customer_Number__c', 'Text(40)', "the ERP's customer number, written by us"),
    field('Contact', EXTERNAL_ID_FIELD, KEY, 'canonical contact id'),
    field('Contact', 'Q2C_Role__c', 'Picklist: buyer, approver, billing, delivery', 'role; empty = buyer'),
    field('Opportunity', EXTERNAL_ID_FIELD, KEY, 'canonical opportunity id'),
    field(
      'Opportunity',
      'Q2C_Service_Line__c',
      'Picklist',
      'service line; chooses template, department and item',
    ),
    field('Opportunity', 'Q2C_Region__c', 'Picklist: EMEA, AMER', 'selling region; chooses the legal entity'),
    field(
      'Opportunity',
      'Q2C_Status__c',
      'Text(255)',
      'provisioning status in business words, written by us',
    ),
    field('Opportunity', 'Q2C_Project_Number__c', 'Text(80)', 'project number, written by us'),
    field(
      'OpportunityLineItem',
      'Q2C_Commercial_Model__c',
      'Picklist: the six models',
      'how the line is billed',
    ),
    field(
      'OpportunityLineItem',
      'Q2C_Tax_Category__c',
      'Picklist: tax categories',
      'tax category; empty = standard',
    ),
    field('OpportunityLineItem', 'Q2C_Cap_Amount__c', 'Currency(16,2)', 'not-to-exceed amount'),
    field(
      'OpportunityLineItem',
      'Q2C_Included_Quantity__c',
      'Number(14,4)',
      'retainer: hours included per period',
    ),
    field(
      'OpportunityLineItem',
      'Q2C_Overage_Rate__c',
      'Currency(16,2)',
      'retainer: rate above the included hours',
    ),
    field('OpportunityLineItem', 'Q2C_Markup__c', 'Percent(5,2)', 'cost plus: markup'),
    field('Contract', EXTERNAL_ID_FIELD, KEY, 'canonical contract id'),
    field('Contract', 'Q2C_Total_Value__c', 'Currency(16,2)', 'contract value'),
    field('Contract', 'Q2C_PO_Number__c', 'Text(60)', "customer's purchase order"),
    field('Contract', 'Q2C_Payment_Terms__c', TERMS, 'payment terms of the contract'),
  ],
};
