import type { SystemManifest } from '../../../lib/systems/kit/types';

const limits = { concurrency: 4, timeoutMs: 10_000 };

/** A made-up system with every kind of field, shared fields, parameters and an event. */
export const acme: SystemManifest = {
  id: 'acme',
  label: 'Acme "ERP"',
  family: 'erp',
  color: '#abcdef',
  auth: [
    {
      id: 'secret',
      label: 'Client secret',
      help: 'How to get one.',
      fields: [
        { id: 'clientId', label: 'Client ID', type: 'text', required: true },
        { id: 'clientSecret', label: 'Client secret', type: 'text', secret: true, required: true },
      ],
    },
    {
      id: 'key',
      label: 'Private key',
      help: 'How to make one.',
      fields: [
        { id: 'clientId', label: 'Client ID', type: 'text', required: true },
        { id: 'privateKey', label: 'Private key', type: 'multiline', secret: true, required: true },
      ],
    },
  ],
  settings: [
    {
      id: 'host',
      label: 'Host',
      type: 'text',
      required: true,
      placeholder: 'acme.example',
      help: 'No path.',
    },
    {
      id: 'mode',
      label: 'Mode',
      type: 'select',
      default: 'a:1',
      options: [
        { value: 'a:1', label: 'First' },
        { value: 'b', label: 'Second' },
      ],
    },
    { id: 'concurrency', label: 'Calls', type: 'number', default: '3' },
  ],
  limits: { simulator: limits, sandbox: limits, production: limits },
  entities: {
    customer: {
      label: 'Customer',
      operations: { upsert: { label: 'Create or update customer', description: 'Creates or updates.' } },
    },
    records: {
      label: 'Records',
      operations: {
        query: {
          label: 'Query',
          description: 'Reads rows.',
          parameters: [{ id: 'query', label: 'Query', type: 'multiline', required: true }],
        },
      },
    },
  },
  events: {
    'order-paid': {
      label: 'Order paid',
      description: 'An order was paid.',
      type: 'q2c.payment.received.v1',
      entity: 'payment',
    },
  },
  access: [{ object: 'Customer', rights: ['read', 'create'], grant: 'Roles > Customers' }],
  customFields: [
    {
      object: 'Customer',
      name: 'q2c_id',
      label: 'Q2C Id',
      type: { kind: 'text', length: 80, key: true },
      typeInWords: 'Text(80), External ID, Unique',
      purpose: 'our id',
      required: true,
      written: true,
    },
  ],
  preparation: [{ id: 'role', text: 'Make a role.' }],
  classifiedFields: {},
};
