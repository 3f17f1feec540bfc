import { runInNewContext } from 'node:vm';
import { deadlineOf } from '../../../nodes/q2c-wait/deadline';
import { keptMessage, MAX_BYTES } from '../../../nodes/q2c-wait/kept-message';

const now = '2026-01-30T10:00:00.000Z';

test.each([
  ['', null],
  [undefined, null],
  [null, null],
  ['45 s', '2026-01-30T10:00:45.000Z'],
  ['30 minutes', '2026-01-30T10:30:00.000Z'],
  ['1.5h', '2026-01-30T11:30:00.000Z'],
  ['3 days', '2026-02-02T10:00:00.000Z'],
  ['1 Week', '2026-02-06T10:00:00.000Z'],
  ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01T00:00:00+02:00', '2026-02-28T22:00:00.000Z'],
  [new Date('2026-03-01T00:00:00Z'), '2026-03-01T00:00:00.000Z'],
])('a wait until %p is over at %p', (value, at) => {
  expect(deadlineOf(value, now)).toBe(at);
});

test.each(['3', 3, 'soon', '3 months', '2026-03-01', '2026-13-01T00:00:00Z', '-1 h', {}])(
  '%p is no time to wait',
  (value) => {
    expect(() => deadlineOf(value, now)).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  },
);

test('a message is kept as JSON, without its connection', () => {
  const msg = {
    _msgid: 'm1',
    topic: 't',
    payload: { at: new Date(now), list: [1, undefined, Number.NaN], none: undefined, deep: { yes: true } },
    q2c: { run: 'run_1' },
    req: { socket: () => undefined },
    res: () => undefined,
  };
  expect(JSON.parse(JSON.stringify(keptMessage(msg)))).toEqual({
    _msgid: 'm1',
    topic: 't',
    payload: { at: now, list: [1, null, null], deep: { yes: true } },
    q2c: { run: 'run_1' },
  });
});

test('objects that a function node has made are kept', () => {
  const payload = runInNewContext('({ list: [{ a: 1 }], bare: Object.create(null) })') as object;
  expect(JSON.parse(JSON.stringify(keptMessage({ payload })))).toEqual({
    payload: { list: [{ a: 1 }], bare: {} },
  });
});

test('the same object twice is kept twice', () => {
  const same = { a: 1 };
  expect(keptMessage({ payload: [same, same] })).toEqual({ payload: [same, same] });
});

const circular: Record<string, unknown> = {};
circular.self = circular;

test.each([
  ['a function', { payload: { f: () => 1 } }, 'msg.payload.f is a function'],
  ['a buffer', { payload: [Buffer.from('x')] }, 'msg.payload[0] is a Buffer'],
  ['a map', { payload: new Map() }, 'msg.payload is a Map'],
  ['a big integer', { payload: 1n }, 'msg.payload is a bigint'],
  ['a circle', { payload: circular }, 'msg.payload.self contains itself'],
  ['too much', { payload: 'x'.repeat(MAX_BYTES) }, 'at most 1048576 are kept'],
])('%s is refused with its place', (_, msg, reason) => {
  expect(() => keptMessage(msg)).toThrow(
    expect.objectContaining({ code: 'MESSAGE_NOT_STORABLE', message: expect.stringContaining(reason) }),
  );
});
