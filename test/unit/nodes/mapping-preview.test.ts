import { preview, previewRequest } from '../../../nodes/q2c-mapping/preview';
import { maskedDeal } from '../../../nodes/q2c-mapping/recent-deals';
import { sampleDeal } from '../../../nodes/q2c-mapping/sample-deal';
import { firm, wonDeal } from '../../support/deals';
import { ruleOf, setOf } from '../mapping/support';

const asked = (set: object, more: object = {}) =>
  previewRequest({ data: JSON.stringify(set), stage: 'netsuite.write', ...more });

test('no tax number and nothing of a person is left of a masked deal', () => {
  const masked = JSON.stringify(maskedDeal(wonDeal()));
  for (const secret of ['DE136695976', 'Mia', 'Moll', 'mia@acme.example'])
    expect(masked).not.toContain(secret);
  expect(maskedDeal({})).toEqual({});
});

test('a set that cannot be used is told in words, in place of values', async () => {
  const reply = await preview(asked({ format: 1, label: 'x', layers: [] }), sampleDeal(), null);
  expect(reply).toMatchObject({ version: null, values: [], invalid: expect.stringContaining('layers') });
});

test('the sample can be sold by any legal entity of the firm', async () => {
  const rule = ruleOf({ source: { kind: 'constant', value: 'of the US' } });
  const set = setOf({}, { scope: { legalEntity: 'meridian-us' }, rules: [rule] });
  const after = async (legalEntity: string) =>
    (await preview(asked(set, { legalEntity }), sampleDeal(), firm)).values.map((value) => value.after);
  expect(await after('meridian-us')).toEqual(['of the US']);
  expect(await after('meridian-de')).toEqual([]);
});

test('what a preview needs is asked for', () => {
  for (const body of [
    undefined,
    {},
    { data: 1, stage: 'netsuite.write' },
    { data: '{}', stage: 'sap.write' },
  ])
    expect(() => previewRequest(body)).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
});
