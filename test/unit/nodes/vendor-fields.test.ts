import type { DealDocument } from '../../../lib/model';
import type { OperationRequest } from '../../../nodes/_shared/operation';
import { vendorFields } from '../../../nodes/_shared/vendor-fields';
import { wonDeal } from '../../support/deals';

/** As much of a request as says which fields are meant. */
function requestOf(deal: DealDocument, duplicateSafety: 'external-id' | 'read-only' = 'external-id') {
  const operation = { entity: 'customer', verb: 'upsert', duplicateSafety };
  return {
    deal,
    client: { system: 'netsuite' },
    manifest: { label: 'NetSuite' },
    operation,
  } as OperationRequest;
}

function dealWith(fields: object, system = 'netsuite'): { deal: DealDocument; id: string; other: string } {
  const deal = wonDeal();
  const customer = { ...deal.customer, extensions: { [system]: fields } } as DealDocument['customer'];
  return { deal: { ...deal, customer }, id: customer?.id ?? '', other: deal.contacts?.[0]?.id ?? '' };
}

const wire = { externalId: 'x', body: { companyName: 'ACME', terms: { id: '2' } } };

test("the system's fields of the record go before what the connector says, and nothing else changes", () => {
  const { deal, id, other } = dealWith({ companyName: 'Acme', custentity_a: 1 });
  expect(vendorFields(requestOf(deal))(wire, { id })).toEqual({
    externalId: 'x',
    body: { companyName: 'Acme', custentity_a: 1, terms: { id: '2' } },
  });
  expect(vendorFields(requestOf(deal))(wire, { id: other })).toBe(wire);
});

test('each of several records takes its own, also by depth', () => {
  const { deal, id, other } = dealWith({ priority: 'high' });
  const planned = (canonicalId: string) => ({ canonicalId, body: { title: 'T' } });
  const sent = vendorFields(requestOf(deal))([[planned(id)], [planned(other)]], { id: other });
  expect(sent).toEqual([[{ canonicalId: id, body: { title: 'T', priority: 'high' } }], [planned(other)]]);
});

test('fields of another system, or none, leave the payload as it is', () => {
  for (const { deal, id } of [dealWith({ title: 'T' }, 'kantata'), dealWith({})])
    expect(vendorFields(requestOf(deal))(wire, { id })).toBe(wire);
});

test('an operation that has no place for them says so; one that only reads does not mind', () => {
  const { deal, id } = dealWith({ memo: 'M' });
  const updates = { updates: [] };
  expect(() => vendorFields(requestOf(deal))(updates, { id })).toThrow(
    expect.objectContaining({
      code: 'VALUE_INVALID',
      message: expect.stringContaining('customer upsert of NetSuite takes no further fields (memo)'),
    }),
  );
  expect(vendorFields(requestOf(deal, 'read-only'))(updates, { id })).toBe(updates);
});
