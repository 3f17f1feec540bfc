import type { FieldSpec, Limits, Right, SystemManifest } from '../kit';
import { pollOverlapSetting } from '../kit/poll-overlap';

const accountId: FieldSpec = {
  id: 'accountId',
  label: 'Account ID',
  help: 'Setup > Company > Company Information. A sandbox ends in _SB1, _SB2 and so on.',
  type: 'text',
  required: true,
  placeholder: '1234567_SB1',
};

/** Calls in flight are limited per account, over all integrations; the smallest tier has five. */
const limits: Limits = { concurrency: 4, timeoutMs: 60_000 };

const ALL: readonly Right[] = ['read', 'create', 'update'];

/** Oracle NetSuite: customers, projects, billing schedules, sales orders, invoices and payments. */
export const manifest: SystemManifest = {
  id: 'netsuite',
  label: 'NetSuite',
  family: 'erp',
  color: '#9db5c8',
  auth: [
    {
      id: 'oauth2-certificate',
      label: 'OAuth 2.0 with certificate',
      help: 'Machine-to-machine login. The integration record allows client credentials, and a public certificate is mapped to the role under OAuth 2.0 Client Credentials Setup.',
      fields: [
        accountId,
        {
          id: 'clientId',
          label: 'Client ID',
          type: 'text',
          required: true,
          help: 'Consumer key of the integration record.',
        },
        { id: 'certificateId', label: 'Certificate ID', type: 'text', required: true },
        {
          id: 'privateKey',
          label: 'Private key',
          type: 'multiline',
          secret: true,
          required: true,
          help: 'PEM (PKCS #8) of the RSA key that belongs to the certificate.',
        },
      ],
    },
    {
      id: 'tba',
      label: 'Token-based authentication',
      help: 'OAuth 1.0a, for accounts that have not moved to OAuth 2.0. The token belongs to a user with an integration role.',
      fields: [
        accountId,
        { id: 'consumerKey', label: 'Consumer key', type: 'text', required: true },
        { id: 'consumerSecret', label: 'Consumer secret', type: 'text', secret: true, required: true },
        { id: 'tokenId', label: 'Token ID', type: 'text', required: true },
        { id: 'tokenSecret', label: 'Token secret', type: 'text', secret: true, required: true },
      ],
    },
  ],
  settings: [
    {
      id: 'externalIdPrefix',
      label: 'External ID prefix',
      help: 'Stands before the canonical id in the External ID field. All integrations of the account share that field.',
      type: 'text',
      default: 'q2c:',
      required: true,
    },
    {
      id: 'customerTaxField',
      label: 'Customer tax number field',
      help: 'REST name of the customer field that holds the tax registration: vatRegNumber, or a custom field such as custentity_tax_number when SuiteTax is on.',
      type: 'text',
      default: 'vatRegNumber',
      required: true,
    },
    pollOverlapSetting,
  ],
  limits: { simulator: limits, sandbox: limits, production: limits },
  entities: {
    customer: {
      label: 'Customer',
      operations: {
        upsert: {
          label: 'Create or adopt customer',
          description:
            'Finds the customer by our key, then by tax registration or by name, country and postal code; creates it when there is none. Adds the customer number to the deal.',
        },
        find: {
          label: 'Find customer',
          description:
            'Looks the customer up by our key and its natural key. Adds the customer number when found; changes nothing.',
        },
      },
    },
    contact: {
      label: 'Contact',
      operations: {
        upsert: {
          label: 'Create or update contact',
          description:
            'One contact of the customer per contact of the deal, found by our key or by e-mail address.',
        },
      },
    },
    project: {
      label: 'Project',
      operations: {
        upsert: {
          label: 'Create or update project',
          description:
            'A project (job) below the customer, with dates, subsidiary and the billing type that fits the contract.',
        },
      },
    },
    task: {
      label: 'Project task',
      operations: {
        upsert: {
          label: 'Create or update tasks',
          description: 'One project task per task of the deal, parents first.',
        },
      },
    },
    billingSchedule: {
      label: 'Billing schedule',
      operations: {
        create: {
          label: 'Create billing schedules',
          description:
            'One fixed bid milestone schedule per contract line with planned amounts: milestones, instalments of a fixed fee, fees of a retainer.',
        },
      },
    },
    charge: {
      label: 'Charge',
      operations: {
        create: {
          label: 'Create charges for milestones',
          description:
            'One charge per milestone, on hold until the client has accepted it. For accounts with charge-based billing, in place of billing schedules.',
        },
      },
    },
    salesOrder: {
      label: 'Sales order',
      operations: {
        create: {
          label: 'Create sales order',
          description:
            'One order per contract with a line per fixed amount, linked to project and billing schedules. Contracts without fixed amounts pass.',
        },
      },
    },
    records: {
      label: 'Records',
      operations: {
        query: {
          label: 'Query with SuiteQL',
          description: 'Reads all rows of a SuiteQL query into msg.result.',
          parameters: [
            {
              id: 'query',
              label: 'SuiteQL',
              help: 'One query delivers 100,000 rows at most. For more, write WHERE id > :last … ORDER BY id: it is then read in order of the ids, to the end.',
              type: 'multiline',
              required: true,
              placeholder: 'SELECT id, entityid, companyname FROM customer ORDER BY id',
            },
          ],
        },
      },
    },
    invoice: {
      label: 'Invoice',
      operations: {
        read: {
          label: 'Read invoices',
          description:
            'Invoices of the sales order and the project of the deal, with status, totals and open balance.',
        },
      },
    },
    payment: {
      label: 'Payment',
      operations: {
        read: {
          label: 'Read payments',
          description: 'Payments applied to the invoices of the deal, with what each one settled.',
        },
      },
    },
  },
  events: {
    'invoice-status-changed': {
      label: 'Invoice status changed',
      description:
        'An invoice was posted, approved, voided, paid in part or in full, or opened again: its status, total or open balance is another than before.',
      type: 'q2c.invoice.status_changed.v1',
      entity: 'invoice',
    },
    'payment-received': {
      label: 'Payment received',
      description:
        'A customer payment was entered, or its amount was changed. It comes with the invoices that it settles.',
      type: 'q2c.payment.received.v1',
      entity: 'payment',
    },
  },
  access: [
    { object: 'customer', rights: ALL, grant: 'Lists > Customers', permissionKey: 'LIST_CUSTJOB' },
    { object: 'contact', rights: ALL, grant: 'Lists > Contacts', permissionKey: 'LIST_CONTACT' },
    {
      object: 'job',
      rights: ALL,
      grant: 'Lists > Projects',
      permissionKey: 'LIST_JOB',
      feature: { name: 'Enable Features > Company > Projects' },
    },
    {
      object: 'projectTask',
      rights: ALL,
      grant: 'Lists > Project Tasks',
      permissionKey: 'LIST_PROJECTTASK',
      feature: { name: 'Enable Features > Company > Project Management' },
    },
    {
      object: 'billingSchedule',
      rights: ALL,
      grant: 'Lists > Billing Schedules',
      permissionKey: 'LIST_BILLINGSCHEDULE',
      feature: { name: 'Enable Features > Transactions > Advanced Billing' },
    },
    {
      object: 'charge',
      rights: ALL,
      grant: 'Transactions > Charge',
      permissionKey: 'TRAN_CHARGE',
      feature: { name: 'Enable Features > Transactions > Charge-Based Billing' },
    },
    {
      object: 'salesOrder',
      rights: ALL,
      grant: 'Transactions > Sales Order',
      permissionKey: 'TRAN_SALESORD',
      feature: { name: 'Enable Features > Transactions > Sales Orders' },
    },
    { object: 'invoice', rights: ['read'], grant: 'Transactions > Invoice', permissionKey: 'TRAN_CUSTINVC' },
    {
      object: 'customerPayment',
      rights: ['read'],
      grant: 'Transactions > Customer Payment',
      permissionKey: 'TRAN_CUSTPYMT',
    },
  ],
  customFields: [
    {
      object: 'customer',
      name: 'custentity_q2c_tax_number',
      label: 'Q2C Tax Number',
      type: { kind: 'text', length: 20 },
      typeInWords: 'Free-Form Text(20)',
      purpose:
        'tax registration number, where SuiteTax keeps none on the customer; enter it as Customer tax number field',
      required: false,
      written: true,
    },
  ],
  preparation: [
    {
      id: 'features',
      text: 'Under Setup > Company > Enable Features switch on REST Web Services, OAuth 2.0 or Token-Based Authentication, SuiteAnalytics Workbook, Projects, Project Management, and Advanced Billing or Charge-Based Billing.',
    },
    {
      id: 'role',
      text: 'Make a role with the rights below, for the integration only, and give it all selling subsidiaries. The metadata makes it: unpack it and run suitecloud project:validate and suitecloud project:deploy there.',
    },
    {
      id: 'integration',
      text: 'Make an integration record with the Client Credentials grant and the scope REST Web Services.',
    },
    {
      id: 'certificate',
      text: 'Under OAuth 2.0 Client Credentials (M2M) Setup map user, role and integration to your certificate. NetSuite shows the certificate ID.',
    },
    {
      id: 'connection',
      text: 'Enter account ID, client ID, certificate ID and private key here, deploy, and test the connection.',
    },
  ],
  classifiedFields: {
    taxNumber: 'tax_id',
    vatRegNumber: 'tax_id',
    defaultTaxReg: 'tax_id',
    taxRegistrationNumber: 'tax_id',
    firstName: 'person_name',
    lastName: 'person_name',
    email: 'personal',
    altEmail: 'personal',
    phone: 'personal',
    mobilePhone: 'personal',
    homePhone: 'personal',
    'contact.entityId': 'person_name',
    laborCost: 'cost_rate',
  },
};
