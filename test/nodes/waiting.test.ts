import { open } from '../../lib/store';
import { defaults as onceDefaults } from '../../nodes/q2c-once/types';
import { defaults as waitDefaults } from '../../nodes/q2c-wait/types';
import { until } from '../support/engine';
import { Canvas } from './canvas';

const wait = {
  ...waitDefaults,
  id: 'wait',
  type: 'q2c-wait',
  name: 'Approval',
  store: 'store',
  key: 'payload.deal',
  wires: [['end'], ['late']],
};
const late = {
  id: 'late',
  type: 'q2c-once',
  ...onceDefaults,
  name: 'Late',
  store: 'store',
  wires: [['end'], []],
};
const deal = { topic: 'approval', payload: { deal: 'D-1', amount: '12.50' } };

let canvas: Canvas;
afterEach(() => canvas.close());

const signal = async (data = {}) =>
  (await canvas.engine()).signal({ event: 'approval', key: 'D-1', actor: 'mia', id: 's1', data });

test('a message goes on with the event, as it was kept', async () => {
  canvas = await Canvas.load([wait, late]);
  const passed = canvas.pass(structuredClone(deal));
  await until('the run to wait', async () => (await canvas.runs())[0]?.state === 'waiting');
  await until('its status', () => canvas.statuses.get('wait') === '1 waiting');
  await signal({ note: 'fine' });
  const { sent } = await passed;
  expect(sent).toMatchObject({
    ...deal,
    event: { id: 's1', type: 'approval', key: 'D-1', actor: 'mia', data: { note: 'fine' } },
  });
  await until('the run to end', async () => (await canvas.runs())[0]?.state === 'completed');
});

test('what has happened before lets it pass at once; the event goes where the form says', async () => {
  canvas = await Canvas.load([{ ...wait, field: 'payload.approval' }, late]);
  await signal();
  const { sent } = await canvas.pass(structuredClone(deal));
  expect(sent).toMatchObject({ payload: { deal: 'D-1', approval: { id: 's1' } } });
});

test('when the time is over it leaves by the second output', async () => {
  canvas = await Canvas.load([{ ...wait, timeout: '1 s' }, late]);
  const { sent } = await canvas.pass(structuredClone(deal));
  expect(sent).toMatchObject({ ...deal, event: { type: 'timeout' } });
});

test('told to tell, it sends the message on and lets others go on, once per run', async () => {
  canvas = await Canvas.load([{ ...wait, mode: 'notify', wires: [['end']] }]);
  const { sent } = await canvas.pass(structuredClone(deal));
  expect(sent).toMatchObject(deal);
  const { store } = await canvas.engine();
  const row = await store.db.selectFrom('signal').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ event: 'approval', match_key: 'D-1' });
  const content = JSON.parse(open(store.db, 'signal', 'content', row));
  expect(content).toMatchObject({ data: { payload: deal.payload } });
});

test.each([
  ['no key', {}, { ...deal, payload: {} }, 'The key of the event cannot be used: it is empty'],
  ['no event', {}, { payload: deal.payload }, 'The name of the event cannot be used: it is empty'],
  ['no time', { timeout: 'soon' }, deal, '"soon" is no time to wait'],
  ['a function', {}, { ...deal, f: () => undefined }, 'msg.f is a function'],
])('%s is a case that says what to do', async (_, properties, msg, reason) => {
  canvas = await Canvas.load([{ ...wait, ...properties }, late]);
  const { error } = await canvas.stopped({ ...msg });
  expect(error).toMatchObject({ code: 'NODE_FAILED', message: expect.stringContaining(reason) });
});

test('once per key: the first leaves by the first output, others by the second', async () => {
  const once = {
    id: 'once',
    type: 'q2c-once',
    ...onceDefaults,
    store: 'store',
    scope: 'key',
    key: 'payload.deal',
  };
  canvas = await Canvas.load([{ ...once, wires: [['end'], []] }]);
  expect((await canvas.pass(structuredClone(deal))).sent).toMatchObject(deal);
  await canvas.close();

  canvas = await Canvas.load([
    { ...once, wires: [['again'], ['end']] },
    { ...once, id: 'again', wires: [[], []] },
  ]);
  const [first, second] = [structuredClone(deal), structuredClone(deal)];
  canvas.node('once').receive(first);
  const { sent } = await canvas.pass(second);
  const [run] = await canvas.runs();
  expect(sent).toMatchObject({ ...deal, passed: { run: run?.id } });
});

test('once without a key says so', async () => {
  const once = { id: 'once', type: 'q2c-once', ...onceDefaults, name: 'Mail', store: 'store', scope: 'key' };
  canvas = await Canvas.load([{ ...once, wires: [['end'], []] }]);
  const { error } = await canvas.stopped({ payload: {} });
  expect(error).toMatchObject({
    code: 'NODE_FAILED',
    message: expect.stringContaining('The key cannot be used: Cannot read'),
  });
});
