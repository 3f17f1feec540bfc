import {
  changesBetween,
  type DealRecord,
  fieldAt,
  isCorrectable,
  recordIn,
  requireAllowed,
  withField,
  withRecord,
} from '../../../lib/engine/correction-rules';
import { mergePatch } from '../../../lib/engine/decisions';
import { type DealDocument, type JsonValue, newId } from '../../../lib/model';
import { wonDeal } from '../../support/deals';

let deal: DealDocument;
beforeEach(() => {
  deal = wonDeal();
});

function recordOf(part: 'opportunity' | 'customer' | 'quote' | 'contract'): DealRecord {
  const found = recordIn(deal, deal[part]?.id ?? '');
  if (found === undefined) throw new Error(`the deal has no ${part}`);
  return found;
}

/** What is said against a patch of a record; null = it is allowed. */
function refusal(part: Parameters<typeof recordOf>[0], patch: JsonValue): string | null {
  const before = recordOf(part);
  try {
    requireAllowed(deal, before, mergePatch(before, patch) as DealRecord);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: 'CORRECTION_REFUSED' });
    return (error as Error).message;
  }
}

test('a change is one field, a list as a whole, an object that comes field by field', () => {
  expect(
    changesBetween(
      { name: 'a', lines: [{ n: '1' }], gone: 'x', same: '1.0' },
      { name: 'b', lines: [{ n: '2' }], address: { city: 'Bonn', zip: '53111' }, same: '1' },
    ),
  ).toEqual([
    { path: 'name', before: 'a', after: 'b' },
    { path: 'lines', before: [{ n: '1' }], after: [{ n: '2' }] },
    { path: 'gone', before: 'x', after: null },
    { path: 'address.city', before: null, after: 'Bonn' },
    { path: 'address.zip', before: null, after: '53111' },
  ]);
});

test('a field is read and set at its path; an object that has lost its last field goes with it', () => {
  const record = { id: 'x', address: { city: 'Bonn' } };
  expect(fieldAt(record, 'address.city')).toBe('Bonn');
  expect(fieldAt(record, 'address.lines.0')).toBeNull();
  expect(fieldAt(record, 'constructor')).toBeNull();
  expect(withField(record, 'tax.number', 'DE1')).toEqual({ ...record, tax: { number: 'DE1' } });
  expect(withField(record, 'address.city', null)).toEqual({ id: 'x' });
  expect(withField(record, 'tax.number', null)).toEqual(record);
});

test('a record is found in its part of the document, and put back there', () => {
  const contact = deal.contacts?.[0];
  const found = recordIn(deal, contact?.id ?? '');
  expect(found).toEqual(contact);
  const changed = withRecord(deal, { ...(found as DealRecord), name: 'Mia Neu' });
  expect(changed.contacts?.map(({ name }) => name)).toEqual([
    'Mia Neu',
    ...(deal.contacts ?? []).slice(1).map(({ name }) => name),
  ]);
  expect(recordIn(deal, newId('contact'))).toBeUndefined();
});

test.each<[string, boolean]>([
  ['taxProfile.registrationNumber', true],
  ['taxProfile.status', true],
  ['lines.0.commercialModel', true],
  ['id', false],
  ['customerId', false],
  ['legalEntityId', false],
  ['externalRefs.0.id', false],
  ['lines.0.externalRefs', false],
  ['version', false],
  ['extensions.netsuite.memo', false],
  ['status', false],
  ['stage', false],
  ['creditStatus', false],
])('%s may be corrected: %s', (path, expected) => {
  expect(isCorrectable(path)).toBe(expected);
});

describe('allowed is', () => {
  test('what fits the schema of the entity, also when other fields of the record are missing', () => {
    Object.assign(deal.customer ?? {}, { paymentTerms: undefined, taxProfile: undefined });
    expect(
      refusal('customer', { taxProfile: { registrationNumber: 'DE1', status: 'registered' } }),
    ).toBeNull();
    expect(refusal('customer', { website: null })).toBeNull();
  });

  test('amounts that still add up to their totals', () => {
    const lines = structuredClone(deal.quote?.lines ?? []);
    Object.assign(lines[0] ?? {}, { amount: '40000.01' });
    Object.assign(lines[4] ?? {}, { amount: '20000.00' });
    expect(refusal('quote', { lines })).toBeNull();
  });

  test('any other correction of a deal whose sums are broken already', () => {
    Object.assign(deal.opportunity?.amount ?? {}, { amount: '1.00' });
    expect(refusal('quote', { billingRules: 'monthly' })).toBeNull();
  });
});

test.each<[string, Parameters<typeof recordOf>[0], JsonValue, string]>([
  ['an id', 'customer', { id: newId('customer') }, 'id cannot be corrected like this: it is kept by'],
  ['a reference', 'contract', { customerId: newId('customer') }, 'customerId cannot be corrected'],
  [
    'a cross-reference',
    'customer',
    { externalRefs: [{ system: 'crm', instance: 'org', type: 'Account', id: '1', role: 'master' }] },
    'externalRefs',
  ],
  ['a state', 'contract', { status: 'active' }, 'status'],
  [
    'a value that the schema refuses',
    'customer',
    { country: 'Germany' },
    'country cannot be corrected like this: it is not valid',
  ],
  ['a value of another type', 'customer', { legalName: 7 }, 'legalName'],
  [
    'a field that does not exist',
    'customer',
    { taxProfile: { vat: 'x' } },
    'taxProfile.vat cannot be corrected like this: it is not valid (there is no such field)',
  ],
  ['an object that lacks a part', 'contract', { effective: { to: null } }, 'effective.to'],
  ['a mistake for another one', 'opportunity', { amount: { amount: 'much' } }, 'amount.amount'],
  ['a line less', 'quote', { lines: [] }, 'lines cannot be corrected like this: it gains or loses entries'],
  [
    'a total that does not conserve',
    'opportunity',
    { amount: { amount: '1.00' } },
    'The lines of ACME roll-out cannot be corrected like this: it would add up to 240000.00, not to 1.00',
  ],
  [
    'a contract value that does not conserve',
    'contract',
    { totalValue: { amount: '1.00' } },
    'The lines of contract 00000101',
  ],
])('refused is %s', (_, part, patch, reason) => {
  expect(refusal(part, patch)).toContain(reason);
});

test('refused is a value that is as wrong as the one before', () => {
  Object.assign(deal.customer ?? {}, { country: 'XX' });
  expect(refusal('customer', { country: 'XY' })).toContain('country');
});
