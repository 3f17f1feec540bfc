import type { Rule } from '../../../lib/mapping';
import { TIME_LIMIT_MS } from '../../../lib/mapping/expressions';
import { wonDeal } from '../../support/deals';
import { mapDeal, mappingOf } from './support';

const named = (expression: string): Partial<Rule> => ({ source: { kind: 'jsonata', expression } });

/** The longest time in milliseconds for which the event loop stood still while a task ran. */
async function longestBlock(task: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  await task();
  look();
  clearInterval(timer);
  return longest;
}

/** A busy machine takes its share beside the limit; without the limit these would take seconds, or for ever. */
const TOLERANCE_MS = 200;

test.each([
  ['a loop without end', '($f := function($x) { $f($x + 1) }; $f(0))'],
  ['a recursion without end', '($f := function($x) { 1 + $f($x + 1) }; $f(0))'],
  ['a regular expression that backtracks', `$match("${'a'.repeat(40)}!", /^(a+)+$/)`],
  ['a large range', '$sum([1..9999999].($ * $))'],
  ['a text that fills the memory', '$pad("", 1000000000)'],
  ['an expression within an expression', '$eval("($f := function($x) { $f($x + 1) }; $f(0))")'],
])('%s does not hold up the host', async (_, expression) => {
  const mapping = mappingOf(named(expression));
  let problems: unknown[] = [];
  const longest = await longestBlock(async () => {
    ({ problems } = await mapDeal(mapping));
  });
  expect(problems).toMatchObject([{ code: 'MAPPING_FAILED', target: 'opportunity.0.name' }]);
  expect(longest).toBeLessThan(TIME_LIMIT_MS + TOLERANCE_MS);
});

test('after a broken off expression the others give what they always give', async () => {
  const mapping = mappingOf(
    { ...named('($f := function($x) { $f($x + 1) }; $f(0))'), when: '$deal.customer.country = "FR"' },
    {
      entity: 'customer',
      target: 'displayName',
      source: { kind: 'jsonata', expression: '$uppercase(legalName)' },
    },
  );
  for (let round = 0; round < 2; round++) {
    // The slow one does not count for this deal, and so does it no harm.
    const { deal, problems } = await mapDeal(mapping);
    expect(problems).toEqual([]);
    expect(deal.customer?.displayName).toBe('ACME GMBH');
  }
});

test('an expression that was broken off is not tried on every record of the deal', async () => {
  const deal = wonDeal();
  const line = deal.quote?.lines?.[0];
  Object.assign(deal.quote ?? {}, { lines: Array.from({ length: 200 }, () => structuredClone(line)) });
  const slow = '($f := function($x) { $f($x + 1) }; $f(lineNo))';
  const mapping = mappingOf({ ...named(slow), entity: 'quoteLine', target: 'description' });
  const begun = performance.now();
  const { problems } = await mapDeal(mapping, { deal });
  expect(problems).toHaveLength(200);
  // Tried on each line it would take 200 times twice the limit, which is 8 seconds.
  expect(performance.now() - begun).toBeLessThan(4000);
});

test('several deals at once do not get mixed up', async () => {
  const mapping = mappingOf(named('$deal.customer.legalName & "/" & $deal.contract.number'));
  const mapped = await Promise.all(Array.from({ length: 20 }, () => mapDeal(mapping)));
  expect(new Set(mapped.map(({ deal }) => deal.opportunity?.name))).toEqual(new Set(['ACME GmbH/00000101']));
});

test('an expression reaches neither the host nor what another one left', async () => {
  const { problems } = await mapDeal(
    mappingOf(named('$eval("process.exit(1)")'), { ...named('$exists(documents)'), target: 'ownerId' }),
  );
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ target: 'opportunity.0.ownerId' });
});

test('what is not JSONata is refused when the set is read', () => {
  expect(() => mappingOf(named('$f('))).toThrow(
    expect.objectContaining({
      code: 'MAPPING_INVALID',
      message: expect.stringMatching(/opportunity\.name: .* at character \d+ in \$f\(/),
    }),
  );
});
