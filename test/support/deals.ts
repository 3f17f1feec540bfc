import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DealDocument, newId, type QuoteLine } from '../../lib/model';
import { type Firm, parseFirm } from '../../lib/rules';

/** The firm that is shipped with the pack. */
export const firm: Firm = parseFirm(
  readFileSync(join(__dirname, '../../nodes/q2c-firm/default-firm.json'), 'utf8'),
);

/** A deal as Salesforce gives it: complete, one line of every commercial model, 240,000.00 EUR in all. */
export function wonDeal(): DealDocument {
  const customerId = newId('customer');
  const opportunityId = newId('opportunity');
  const quoteId = newId('quote');
  const at = '2026-01-02T10:00:00.000Z';
  const base = { externalRefs: [], createdAt: at, updatedAt: at, sourceSystem: 'salesforce' };
  const lines: QuoteLine[] = [
    {
      lineNo: 1,
      serviceCode: 'IMP-FIX',
      description: 'Blueprint',
      commercialModel: 'fixed_fee',
      amount: '50000.01',
      quantity: { value: '1', unit: 'each' },
    },
    {
      lineNo: 2,
      serviceCode: 'IMP-MIL',
      description: 'Roll-out',
      commercialModel: 'milestone',
      amount: '100000.00',
      schedule: [
        { description: 'Design accepted', date: '2026-03-31', amount: '30000.00' },
        { description: 'Go-live', date: '2026-09-30', amount: '70000.00' },
      ],
    },
    {
      lineNo: 3,
      serviceCode: 'IMP-TM',
      description: 'Consulting',
      commercialModel: 'time_and_materials',
      amount: '39999.99',
      quantity: { value: '250', unit: 'hour' },
      unitPrice: '160',
      capAmount: '39999.99',
    },
    {
      lineNo: 4,
      serviceCode: 'MS-RET',
      serviceLine: 'managed_services',
      description: 'Care',
      commercialModel: 'retainer',
      amount: '30000.00',
      quantity: { value: '12', unit: 'month' },
      unitPrice: '2500.00',
      retainer: {
        period: 'month',
        fee: '2500.00',
        includedQuantity: { value: '16', unit: 'hour' },
        overageRate: '165.00',
      },
    },
    {
      lineNo: 5,
      serviceCode: 'MS-USE',
      description: 'Tickets',
      commercialModel: 'usage',
      amount: '10000.00',
    },
    {
      lineNo: 6,
      serviceCode: 'IMP-COST',
      description: 'Travel',
      commercialModel: 'cost_plus',
      amount: '10000.00',
      markup: '10',
    },
  ];
  return {
    opportunity: {
      ...base,
      id: opportunityId,
      customerId,
      name: 'ACME roll-out',
      stage: 'won',
      amount: { amount: '240000.00', currency: 'EUR' },
      expectedCloseDate: '2026-01-02',
      serviceLine: 'implementation',
      region: 'EMEA',
    },
    customer: {
      ...base,
      id: customerId,
      legalName: 'ACME GmbH',
      billingAddress: { lines: ['Hauptstr. 1'], city: 'Bonn', postalCode: '53111', country: 'DE' },
      country: 'DE',
      taxProfile: { registrationNumber: 'DE136695976', status: 'registered' },
      paymentTerms: 'net_30',
    },
    contacts: [
      {
        ...base,
        id: newId('contact'),
        customerId,
        name: 'Mia Moll',
        email: 'mia@acme.example',
        roles: ['buyer'],
      },
    ],
    quote: { ...base, id: quoteId, opportunityId, lines, total: { amount: '240000.00', currency: 'EUR' } },
    contract: {
      ...base,
      id: newId('contract'),
      customerId,
      number: '00000101',
      effective: { from: '2026-01-31', to: '2026-12-31' },
      currency: 'EUR',
      totalValue: { amount: '240000.00', currency: 'EUR' },
      poNumber: 'PO-9',
    },
  };
}
