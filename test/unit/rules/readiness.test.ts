import { type Customer, type DealDocument, type Draft, newId } from '../../../lib/model';
import { checkReadiness, type Readiness } from '../../../lib/rules';
import { firm, wonDeal } from '../../support/deals';

const check = (change: (deal: DealDocument) => void): Readiness => {
  const deal = wonDeal();
  change(deal);
  return checkReadiness(deal, firm);
};
const codes = (readiness: Readiness): string[] =>
  readiness.ready ? [] : readiness.issues.map(({ code }) => code);
const customerOf = (deal: DealDocument): Draft<Customer> => {
  if (deal.customer === undefined) throw new Error('no customer');
  return deal.customer;
};

test('a complete deal is ready, with its legal entity and natural keys', () => {
  const readiness = checkReadiness(wonDeal(), firm);
  if (!readiness.ready) throw new Error(JSON.stringify(readiness.issues));
  expect(readiness.legalEntity.key).toBe('meridian-de');
  expect(readiness.deal.customer).toMatchObject({
    status: 'pending_validation',
    defaultCurrency: 'EUR',
    version: 1,
  });
  expect(readiness.deal.contract).toMatchObject({ status: 'approved', revision: 1, title: 'ACME roll-out' });
  expect(readiness.claims.map(({ entity }) => entity)).toEqual(['customer', 'contact']);
});

test.each<[string, string[], (deal: DealDocument) => void]>([
  [
    'no account',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      deal.customer = undefined;
    },
  ],
  [
    'no country',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      customerOf(deal).country = undefined;
    },
  ],
  [
    'unknown country',
    ['VALUE_INVALID'],
    (deal) => {
      customerOf(deal).country = 'XX';
    },
  ],
  [
    'no tax registration',
    ['TAX_REGISTRATION_MISSING'],
    (deal) => {
      customerOf(deal).taxProfile = { status: 'unknown' };
    },
  ],
  [
    'no address',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      customerOf(deal).billingAddress = undefined;
    },
  ],
  [
    'no payment terms',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      customerOf(deal).paymentTerms = undefined;
    },
  ],
  [
    'unknown payment terms',
    ['VALUE_INVALID'],
    (deal) => {
      customerOf(deal).paymentTerms = 'soon';
    },
  ],
  [
    'credit hold',
    ['CREDIT_HOLD'],
    (deal) => {
      customerOf(deal).creditStatus = 'hold';
    },
  ],
  [
    'unknown service line',
    ['VALUE_INVALID'],
    (deal) => {
      Object.assign(deal.opportunity ?? {}, { serviceLine: 'gardening' });
    },
  ],
  [
    'no legal entity for the region',
    ['LEGAL_ENTITY_UNMAPPED'],
    (deal) => {
      Object.assign(deal.opportunity ?? {}, { region: 'APAC' });
    },
  ],
  [
    'no contract',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      deal.contract = undefined;
    },
  ],
  [
    'no lines',
    ['MANDATORY_FIELD_MISSING'],
    (deal) => {
      Object.assign(deal.quote ?? {}, { lines: [] });
    },
  ],
  [
    'contract in a currency that does not exist',
    ['CURRENCY_INVALID'],
    (deal) => {
      Object.assign(deal.contract ?? {}, { currency: 'XXQ' });
    },
  ],
  [
    'contract in another currency',
    ['CURRENCY_MISMATCH'],
    (deal) => {
      Object.assign(deal.contract ?? {}, { currency: 'GBP' });
    },
  ],
  [
    'currency that the legal entity does not sell in',
    ['VALUE_INVALID'],
    (deal) => {
      for (const money of [deal.opportunity?.amount, deal.quote?.total, deal.contract?.totalValue])
        Object.assign(money ?? {}, { currency: 'USD' });
      Object.assign(deal.contract ?? {}, { currency: 'USD' });
    },
  ],
  [
    'lines that do not sum to the amount',
    ['SUM_MISMATCH'],
    (deal) => {
      Object.assign(deal.opportunity?.amount ?? {}, { amount: '240000.01' });
    },
  ],
  [
    'lines that do not sum to the contract',
    ['SUM_MISMATCH'],
    (deal) => {
      Object.assign(deal.contract?.totalValue ?? {}, { amount: '1.00' });
    },
  ],
  [
    'a schedule that does not sum to its line',
    ['SUM_MISMATCH'],
    (deal) => {
      Object.assign(deal.quote?.lines?.[1]?.schedule?.[0] ?? {}, { amount: '30000.01' });
    },
  ],
  [
    'negative amount',
    ['AMOUNT_INVALID'],
    (deal) => {
      Object.assign(deal.quote?.lines?.[4] ?? {}, { amount: '-10000.00' });
    },
  ],
  [
    '16 digits',
    ['AMOUNT_INVALID'],
    (deal) => {
      Object.assign(deal.opportunity?.amount ?? {}, { amount: '1234567890123456' });
    },
  ],
  [
    'too many decimals',
    ['AMOUNT_INVALID'],
    (deal) => {
      Object.assign(deal.opportunity?.amount ?? {}, { amount: '240000.001' });
    },
  ],
  [
    'one e-mail for two contacts',
    ['DUPLICATE_SUSPECTED'],
    (deal) => {
      deal.contacts?.push({ id: newId('contact'), externalRefs: [], name: 'Max', email: 'MIA@acme.example' });
    },
  ],
])('%s', (_, expected, change) => {
  expect(codes(check(change))).toEqual(expected);
});

test.each<[string, string[] | undefined, (deal: DealDocument) => void]>([
  [
    'no tax registration',
    ['taxProfile.registrationNumber', 'taxProfile.status'],
    (deal) => {
      customerOf(deal).taxProfile = { status: 'unknown' };
    },
  ],
  [
    'no address at all',
    ['lines', 'city', 'postalCode', 'country'].map((field) => `billingAddress.${field}`),
    (deal) => {
      customerOf(deal).billingAddress = undefined;
    },
  ],
  [
    'no city',
    ['billingAddress.city'],
    (deal) => {
      Object.assign(customerOf(deal).billingAddress ?? {}, { city: undefined });
    },
  ],
  [
    'no commercial model',
    ['lines.2.commercialModel'],
    (deal) => {
      Object.assign(deal.quote?.lines?.[2] ?? {}, { commercialModel: undefined });
    },
  ],
  [
    'a schedule that does not sum to its line',
    ['lines.1.amount', 'lines.1.schedule.0.amount', 'lines.1.schedule.1.amount'],
    (deal) => {
      Object.assign(deal.quote?.lines?.[1]?.schedule?.[0] ?? {}, { amount: '1.00' });
    },
  ],
  [
    'what only the canonical model refuses',
    ['website'],
    (deal) => {
      Object.assign(customerOf(deal), { website: '' });
    },
  ],
  [
    'credit hold, which nobody types away',
    undefined,
    (deal) => {
      customerOf(deal).creditStatus = 'hold';
    },
  ],
  [
    'no contract, which is a record of its own',
    undefined,
    (deal) => {
      deal.contract = undefined;
    },
  ],
])('%s names the fields that would cure it', (_, expected, change) => {
  const readiness = check(change);
  if (readiness.ready) throw new Error('it is ready');
  expect(readiness.issues.map(({ fields }) => fields)).toEqual([expected]);
});

test('a currency that does not exist is named once, whatever it stands on', () => {
  const readiness = check((deal) => {
    for (const money of [deal.opportunity?.amount, deal.quote?.total, deal.contract?.totalValue])
      Object.assign(money ?? {}, { currency: 'XXQ' });
    Object.assign(deal.contract ?? {}, { currency: 'XXQ' });
  });
  expect(codes(readiness)).toEqual(['CURRENCY_INVALID']);
});

test('a message without opportunity is a mistake of the flow, not a deal without issues', () => {
  expect(() => checkReadiness({}, firm)).toThrow(/carries no opportunity to check/);
});

test('all issues are found at once', () => {
  const readiness = check((deal) => {
    customerOf(deal).country = undefined;
    customerOf(deal).paymentTerms = undefined;
    Object.assign(deal.opportunity ?? {}, { serviceLine: 'gardening' });
  });
  expect(codes(readiness)).toEqual(['VALUE_INVALID', 'MANDATORY_FIELD_MISSING', 'MANDATORY_FIELD_MISSING']);
});

test('exempt and unregistered customers need no number', () => {
  for (const status of ['exempt', 'not_registered'] as const) {
    expect(
      check((deal) => {
        customerOf(deal).taxProfile = { status };
      }).ready,
    ).toBe(true);
  }
});

test('names with emoji, quotes and right-to-left text are fine', () => {
  expect(
    check((deal) => {
      customerOf(deal).legalName = 'שלום "ACME" 🚀 O’Neil & Söhne';
    }).ready,
  ).toBe(true);
});

test('what only the model refuses is still an issue that names the field', () => {
  const readiness = check((deal) => {
    Object.assign(deal.quote?.lines?.[0] ?? {}, { unitPrice: 'free' });
  });
  if (readiness.ready) throw new Error('ready');
  expect(readiness.issues[0]).toMatchObject({
    code: 'VALUE_INVALID',
    params: { field: 'quote.lines.0.unitPrice' },
  });
});
