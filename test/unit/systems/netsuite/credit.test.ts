import { type Credit, creditValues } from '../../../../lib/systems/netsuite/credit';

const credit = (fields: Partial<Credit>): Credit => ({
  hold: 'auto',
  limit: null,
  currency: null,
  balance: null,
  ...fields,
});
const limited = { limit: '1000.00', currency: 'EUR' };

test.each([
  ['held by hand, whatever is owed', { hold: 'on', ...limited, balance: '0' }, 'hold'],
  ['released by hand, whatever is owed', { hold: 'off', ...limited, balance: '5000' }, 'ok'],
  ['just at the limit', { ...limited, balance: '1000' }, 'ok'],
  ['a cent over the limit', { ...limited, balance: '1000.01' }, 'review'],
  ['without a limit', { balance: '999999' }, 'ok'],
  ['a limit, but no balance told', limited, 'ok'],
] as const)('%s', (_, fields, creditStatus) => {
  expect(creditValues(credit(fields)).creditStatus).toBe(creditStatus);
});

test('the limit is told with its currency, or not at all', () => {
  expect(creditValues(credit(limited))).toMatchObject({
    creditLimit: { amount: '1000.00', currency: 'EUR' },
  });
  expect(creditValues(credit({ limit: '1000.00' }))).not.toHaveProperty('creditLimit');
});

test('a reply that was journaled before credit was read says nothing about it', () => {
  expect(creditValues(undefined)).toEqual({});
});
