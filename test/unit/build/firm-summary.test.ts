import { summariseFirm } from '../../../nodes/_shared/editor/firm-summary';
import { defaults } from '../../../nodes/q2c-firm/types';

const shipped = JSON.parse(defaults.data);

test('the shipped set-up is summarised', () => {
  expect(summariseFirm(defaults.data)).toEqual({
    summary: {
      entities: [
        { name: 'Meridian Consulting GmbH', country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin' },
        { name: 'Meridian Consulting Inc.', country: 'US', currency: 'USD', timeZone: 'America/New_York' },
      ],
      tables: expect.arrayContaining([{ name: 'netsuite.subsidiary', entries: 2 }]),
    },
  });
});

test.each([
  ['{', { key: 'problem.json', values: { reason: expect.any(String) } }],
  ['[]', { key: 'problem.object' }],
  ['{}', { key: 'problem.section', values: { section: 'legalEntities' } }],
  [JSON.stringify({ ...shipped, legalEntities: [] }), { key: 'problem.entities' }],
  [
    JSON.stringify({ ...shipped, legalEntities: [{ ...shipped.legalEntities[0], country: '' }] }),
    { key: 'problem.entity', values: { position: 1, field: 'country' } },
  ],
  [
    JSON.stringify({ ...shipped, lookups: { netsuite: { terms: { net_30: 4 } } } }),
    { key: 'problem.lookups' },
  ],
])('what is wrong is named: %#', (data, problem) => {
  expect(summariseFirm(data)).toEqual({ problem });
});
