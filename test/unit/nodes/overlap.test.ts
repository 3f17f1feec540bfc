import { Overlap } from '../../../nodes/_system/events/overlap';

const page = (...ids: string[]) => ids.map((id) => ({ id }));

let overlap: Overlap;
beforeEach(() => {
  overlap = new Overlap();
});

/** Takes up the pages of a poll. @returns what was news in each */
const poll = (...pages: { id: string; stamp?: string }[][]) => {
  const news = pages.map((events) => {
    const found = overlap.news(events).map(({ id }) => id);
    overlap.took(events);
    return found;
  });
  overlap.ended();
  return news;
};

test('what the poll before has shown is no news, on whatever page', () => {
  expect(poll(page('a', 'b'), page('c'))).toEqual([['a', 'b'], ['c']]);
  expect(poll(page('b', 'c', 'd'))).toEqual([['d']]);
  expect(poll(page('c', 'd'))).toEqual([[]]);
});

test('what is not in the store is news again', () => {
  poll(page('a'));
  overlap.news(page('b'));
  overlap.ended();
  expect(poll(page('b'))).toEqual([['b']]);
});

test('only what the overlap still shows is kept', () => {
  poll(page('a'));
  poll(page('b'));
  expect(poll(page('a'))).toEqual([['a']]);
});

test('a state that returns is news', () => {
  poll([{ id: 'amount 100', stamp: '2026-01-01' }], [{ id: 'amount 200', stamp: '2026-01-02' }]);
  expect(poll([{ id: 'amount 100', stamp: '2026-01-03' }])).toEqual([['amount 100']]);
});
