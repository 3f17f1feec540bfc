import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { canonicalJson, fingerprint, idempotencyKey, naturalKey, normaliseName } from '../../../lib/model';

/** The same JSON with the keys of every object in another order. */
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, shuffled(member)]),
  );
};

describe('canonical JSON', () => {
  test('sorts keys, drops undefined, trims decimals', () => {
    expect(canonicalJson({ b: '1.50', a: [undefined, { z: 1, y: null }], c: undefined })).toBe(
      '{"a":[null,{"y":null,"z":1}],"b":"1.5"}',
    );
  });

  test.each([
    ['1.00', '1'],
    ['-0.00', '0'],
    ['-0', '0'],
    ['-1.10', '-1.1'],
    ['100', '100'],
    ['01067', '01067'],
    ['1.2.0', '1.2.0'],
    ['2026-01-10', '2026-01-10'],
    ['', ''],
  ])('"%s" becomes "%s"', (text, expected) => expect(canonicalJson(text)).toBe(JSON.stringify(expected)));

  test('does not depend on the order of keys and survives its own reading', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('keeps different content apart', () => {
    const endsInZero = /\.\d*0"|"-0"/;
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        fc.pre(!endsInZero.test(JSON.stringify([a, b])));
        // Through JSON first: it has one zero only, -0 is written 0.
        const [plainA, plainB] = JSON.parse(JSON.stringify([a, b])) as [unknown, unknown];
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(plainA, plainB));
      }),
    );
  });

  test('has a SHA-256 fingerprint', () => {
    expect(fingerprint({ b: 1, a: '2.0' })).toBe(
      createHash('sha256').update('{"a":"2","b":1}').digest('hex'),
    );
  });
});

describe('idempotency key', () => {
  const parts = {
    tenant: 'meridian',
    system: 'netsuite',
    instance: '1234567_SB1',
    operation: 'customer.upsert',
    canonicalId: 'cus_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    businessVersion: 3,
  };

  test('is the digest of its parts', () => {
    expect(idempotencyKey(parts)).toBe(
      createHash('sha256')
        .update('meridian|netsuite|1234567_SB1|customer.upsert|cus_01ARZ3NDEKTSV4RRFFQ69G5FAV|3')
        .digest('hex'),
    );
  });

  test('changes with every part', () => {
    const keys = Object.keys(parts).map((name) => idempotencyKey({ ...parts, [name]: 'other' }));
    expect(new Set([...keys, idempotencyKey(parts)]).size).toBe(7);
  });

  test('refuses the separator', () => {
    expect(() => idempotencyKey({ ...parts, tenant: 'a|b' })).toThrow(
      expect.objectContaining({ code: 'VALUE_INVALID' }),
    );
  });
});

describe('natural keys', () => {
  const address = { lines: ['Marktstr. 1'], city: 'Dresden', postalCode: '01067', country: 'DE' };

  test('of a customer: tax registration and country, however written', () => {
    const withTax = (registrationNumber: string) =>
      naturalKey.customer({ country: 'DE', taxProfile: { status: 'registered', registrationNumber } });
    expect(withTax('DE136695976')).toBe('tax|DE|136695976');
    expect(withTax('de 136.695.976')).toBe(withTax('136695976'));
  });

  test('of a customer without tax registration: name, country and postal code', () => {
    const named = (legalName: string) =>
      naturalKey.customer({
        legalName,
        country: 'DE',
        billingAddress: address,
        taxProfile: { status: 'unknown' },
      });
    expect(named('Müller & Söhne GmbH')).toBe('name|DE|01067|muller sohne gmbh');
    expect(named('  MÜLLER &  SÖHNE, GmbH ')).toBe(named('Müller & Söhne GmbH'));
    expect(named('Müller & Söhne AG')).not.toBe(named('Müller & Söhne GmbH'));
  });

  test('are undefined when a part is missing', () => {
    expect(naturalKey.customer({ legalName: 'Müller' })).toBeUndefined();
    expect(naturalKey.customer({ legalName: '!!!', country: 'DE', billingAddress: address })).toBeUndefined();
    expect(naturalKey.contact({ email: 'a@b.example' })).toBeUndefined();
    expect(naturalKey.invoice({ number: '17' })).toBeUndefined();
  });

  test('of the other records', () => {
    const legalEntityId = 'len_1';
    expect(naturalKey.contact({ customerId: 'cus_1', email: ' Anna@Example.COM' })).toBe(
      'contact|cus_1|anna@example.com',
    );
    expect(naturalKey.contract({ legalEntityId, number: 'C-1' })).toBe('contract|len_1|C-1');
    expect(naturalKey.project({ code: 'P-1' }, ['ctl_2', 'ctl_1'])).toBe('project|ctl_1+ctl_2|P-1');
    expect(naturalKey.invoice({ legalEntityId, number: '17' })).toBe('invoice|len_1|17');
    const amount = { amount: '12.50', currency: 'EUR' };
    const payment = { legalEntityId, bankReference: 'B1', receivedDate: '2026-01-02', amount };
    expect(naturalKey.payment(payment)).toBe('payment|len_1|B1|2026-01-02|12.5|EUR');
    expect(naturalKey.payment({ ...payment, valueDate: '2026-01-01' })).toBe(
      'payment|len_1|B1|2026-01-01|12.5|EUR',
    );
  });
});

test.each([
  ['株式会社サンプル', '株式会社サンプル'],
  ['شركة المثال', 'شركة المثال'],
  ['Société Générale 🏦', 'societe generale'],
])('names of any script keep their letters: %s', (name, expected) =>
  expect(normaliseName(name)).toBe(expected),
);
