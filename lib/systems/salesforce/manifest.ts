import type { FieldSpec, SystemManifest } from '../kit';

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

/** Salesforce Sales Cloud: opportunities, accounts, contacts and contracts. */
export const manifest: SystemManifest = {
  id: 'salesforce',
  label: 'Salesforce',
  family: 'crm',
  color: '#A8D8F0',
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
      default: 'Q2C_External_Id__c',
      required: true,
    },
    {
      id: 'pollOverlapMinutes',
      label: 'Polling overlap (minutes)',
      help: 'How far each poll looks back behind the last change it has seen, for changes that were saved late.',
      type: 'number',
      default: '5',
      required: true,
    },
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
            'Reads the opportunity of the deal with its account, contacts, products with revenue schedules and contract. Puts opportunity, customer, contacts, quote, contract and contract lines into the deal.',
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
              help: 'What sales should read. {projectNumber}, {customerNumber} and {contractNumber} are replaced; empty leaves the status as it is.',
              type: 'text',
              default: 'Provisioned: project {projectNumber}',
            },
            {
              id: 'projectSystem',
              label: 'Project number from',
              help: 'Id of the system whose project number is reported; empty = the code of the project.',
              type: 'text',
            },
            {
              id: 'customerSystem',
              label: 'Customer number from',
              help: 'Id of the system whose customer number is reported.',
              type: 'text',
              default: 'netsuite',
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
  customFields: [
    {
      object: 'Account',
      name: 'Q2C_External_Id__c',
      type: 'Text(80), External ID, Unique',
      purpose: 'canonical customer id',
      required: true,
    },
    {
      object: 'Account',
      name: 'Q2C_Tax_Registration__c',
      type: 'Text(40)',
      purpose: 'tax registration number',
      required: true,
    },
    {
      object: 'Account',
      name: 'Q2C_Tax_Status__c',
      type: 'Picklist registered, not_registered, exempt',
      purpose: 'tax status; empty = unknown',
      required: true,
    },
    {
      object: 'Account',
      name: 'Q2C_Payment_Terms__c',
      type: 'Picklist of payment terms (net_30, eom_30, …)',
      purpose: 'payment terms',
      required: true,
    },
    {
      object: 'Account',
      name: 'Q2C_Customer_Number__c',
      type: 'Text(40)',
      purpose: "the ERP's customer number, written by us",
      required: true,
    },
    {
      object: 'Contact',
      name: 'Q2C_External_Id__c',
      type: 'Text(80), External ID, Unique',
      purpose: 'canonical contact id',
      required: true,
    },
    {
      object: 'Contact',
      name: 'Q2C_Role__c',
      type: 'Picklist buyer, approver, billing, delivery',
      purpose: 'role; empty = buyer',
      required: true,
    },
    {
      object: 'Opportunity',
      name: 'Q2C_External_Id__c',
      type: 'Text(80), External ID, Unique',
      purpose: 'canonical opportunity id',
      required: true,
    },
    {
      object: 'Opportunity',
      name: 'Q2C_Service_Line__c',
      type: 'Picklist',
      purpose: 'service line, chooses template, department and item',
      required: true,
    },
    {
      object: 'Opportunity',
      name: 'Q2C_Region__c',
      type: 'Picklist EMEA, AMER',
      purpose: 'selling region, chooses the legal entity',
      required: true,
    },
    {
      object: 'Opportunity',
      name: 'Q2C_Status__c',
      type: 'Text(255)',
      purpose: 'provisioning status in business words, written by us',
      required: true,
    },
    {
      object: 'Opportunity',
      name: 'Q2C_Project_Number__c',
      type: 'Text(80)',
      purpose: 'project number, written by us',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Commercial_Model__c',
      type: 'Picklist of the six commercial models',
      purpose: 'how the line is billed',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Tax_Category__c',
      type: 'Picklist of tax categories',
      purpose: 'tax category; empty = standard',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Cap_Amount__c',
      type: 'Currency(16,2)',
      purpose: 'not-to-exceed amount',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Included_Quantity__c',
      type: 'Number(14,4)',
      purpose: 'retainer: hours included per period',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Overage_Rate__c',
      type: 'Currency(16,2)',
      purpose: 'retainer: rate above the included hours',
      required: true,
    },
    {
      object: 'OpportunityLineItem',
      name: 'Q2C_Markup__c',
      type: 'Percent(5,2)',
      purpose: 'cost plus: markup',
      required: true,
    },
    {
      object: 'Contract',
      name: 'Q2C_External_Id__c',
      type: 'Text(80), External ID, Unique',
      purpose: 'canonical contract id',
      required: true,
    },
    {
      object: 'Contract',
      name: 'Q2C_Total_Value__c',
      type: 'Currency(16,2)',
      purpose: 'contract value',
      required: true,
    },
    {
      object: 'Contract',
      name: 'Q2C_PO_Number__c',
      type: 'Text(60)',
      purpose: "customer's purchase order",
      required: true,
    },
    {
      object: 'Contract',
      name: 'Q2C_Payment_Terms__c',
      type: 'Picklist of payment terms',
      purpose: 'payment terms of the contract',
      required: true,
    },
  ],
};
