import fc from 'fast-check';
import {
  advance,
  nextPosition,
  type PollCursor,
  type Position,
  pollOverlapMinutes,
  readCursor,
  wholeSecond,
} from '../../../../lib/systems/kit';

const START = '2026-01-01T00:00:00.000Z';
const at = (seconds: number) => new Date(Date.parse(START) + seconds * 1000).toISOString();
const options = { startAt: START, overlapMinutes: 1 };
const fresh: PollCursor = readCursor('acme', null);

/** A vendor's list of rows as of now, asked the way the cursor says. */
function page(rows: readonly Position[], cursor: PollCursor, size: number) {
  const from = nextPosition(cursor, options);
  const behind = rows
    .filter(({ stamp, id }) =>
      from.id === '' ? stamp >= from.stamp : stamp > from.stamp || (stamp === from.stamp && id > from.id),
    )
    .sort((a, b) => (a.stamp === b.stamp ? (a.id < b.id ? -1 : 1) : a.stamp < b.stamp ? -1 : 1));
  return { rows: behind.slice(0, size), complete: behind.length < size };
}

function pollAll(rows: readonly Position[], start: PollCursor, size: number) {
  const seen: string[] = [];
  let cursor = start;
  for (let more = true; more; ) {
    const step = advance(cursor, page(rows, cursor, size), options);
    seen.push(...step.fresh.map(({ id, stamp }) => `${id}@${stamp}`));
    // The cursor goes through the store between two polls.
    cursor = readCursor('acme', JSON.parse(JSON.stringify(step.cursor)));
    more = step.more;
  }
  return { seen, cursor };
}

test('rows with one stamp are split over pages by id', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, stamp: at(5) }));
  const { seen } = pollAll(rows, fresh, 2);
  expect(seen.map((key) => key[0]).join('')).toBe('abcde');
});

test('rows before the start are not read, the start itself is', () => {
  const rows = [
    { id: 'old', stamp: at(-1) },
    { id: 'first', stamp: at(0) },
  ];
  expect(pollAll(rows, fresh, 10).seen).toEqual([`first@${at(0)}`]);
});

test('a second poll delivers nothing again, and a change of a delivered row once', () => {
  const rows = [
    { id: 'a', stamp: at(10) },
    { id: 'b', stamp: at(20) },
  ];
  const first = pollAll(rows, fresh, 10);
  const second = pollAll(rows, first.cursor, 10);
  expect(second.seen).toEqual([]);
  const changed = [{ id: 'a', stamp: at(30) }, rows[1] as Position];
  expect(pollAll(changed, second.cursor, 10).seen).toEqual([`a@${at(30)}`]);
});

test('a row committed late, behind the watermark but inside the overlap, is delivered', () => {
  const first = pollAll([{ id: 'b', stamp: at(100) }], fresh, 10);
  const late = [
    { id: 'a', stamp: at(60) },
    { id: 'b', stamp: at(100) },
  ];
  expect(pollAll(late, first.cursor, 10).seen).toEqual([`a@${at(60)}`]);
});

test('what is remembered does not outgrow the overlap', () => {
  let cursor = fresh;
  for (let second = 0; second < 600; second += 1) {
    cursor = pollAll([{ id: `r${second}`, stamp: at(second) }], cursor, 10).cursor;
  }
  expect(cursor.delivered.length).toBeLessThanOrEqual(61);
});

test('a stored position that cannot be read is refused instead of starting over', () => {
  expect(() => readCursor('acme', { watermark: 'yesterday' })).toThrow(/reset the source/);
});

test('whatever the order of commits, each row version is delivered exactly once when it is late by at most the overlap', () => {
  const commit = fc.record({ id: fc.integer({ min: 0, max: 20 }), late: fc.integer({ min: 0, max: 60 }) });
  fc.assert(
    fc.property(
      fc.array(fc.array(commit, { maxLength: 8 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (rounds, size) => {
        const table = new Map<string, Position>();
        const expected = new Set<string>();
        const delivered: string[] = [];
        let cursor = fresh;
        for (const [round, commits] of rounds.entries()) {
          for (const { id, late } of commits) {
            // Each round is half a minute later; a stamp can lie up to a minute before its commit.
            const stamp = at(60 + round * 30 - late);
            const key = `r${id}`;
            const before = table.get(key);
            if (before && before.stamp >= stamp) continue;
            table.set(key, { id: key, stamp });
          }
          for (const { id, stamp } of table.values()) expected.add(`${id}@${stamp}`);
          const watermark = cursor.watermark;
          const polled = pollAll([...table.values()], cursor, size);
          cursor = polled.cursor;
          delivered.push(...polled.seen);
          if (watermark) expect((cursor.watermark ?? '') >= watermark).toBe(true);
        }
        expect(new Set(delivered).size).toBe(delivered.length);
        expect(new Set(delivered)).toEqual(expected);
      },
    ),
  );
});

test.each([
  ['10', 10],
  ['0', 0],
  ['', 0],
  [undefined, 5],
  ['-1', 5],
  ['soon', 5],
])('an overlap of %j is %i minutes', (setting, minutes) => {
  expect(pollOverlapMinutes(setting === undefined ? {} : { pollOverlapMinutes: setting })).toBe(minutes);
});

test('a start for stamps of whole seconds takes in its whole second', () => {
  expect(wholeSecond('2026-01-31T00:00:00.999Z')).toBe('2026-01-31T00:00:00.000Z');
  expect(wholeSecond('2026-01-31T00:00:00Z')).toBe('2026-01-31T00:00:00.000Z');
});
