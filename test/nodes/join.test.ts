import type { DealDocument } from '../../lib/model';
import { defaults as joinDefaults } from '../../nodes/q2c-join/types';
import { defaults as onceDefaults } from '../../nodes/q2c-once/types';
import { until } from '../support/engine';
import { Canvas, type FlowNode } from './canvas';

/** A node of ours, so that the message has a run, from which it goes to several. */
const fork = (...wires: string[]): FlowNode => ({
  ...onceDefaults,
  id: 'fork',
  type: 'q2c-once',
  store: 'store',
  wires: [wires, []],
});
const join = {
  ...joinDefaults,
  id: 'join',
  type: 'q2c-join',
  name: 'Both',
  store: 'store',
  wires: [['end']],
};

let canvas: Canvas;
afterEach(() => canvas.close());

/** A branch of one function node. */
const branch = (id: string, func: string, wires: string[][] = [['join']]): FlowNode => ({
  id,
  type: 'function',
  name: id.toUpperCase(),
  func,
  outputs: wires.length,
  libs: [],
  wires,
});
const setNumber = (number: string) => `msg.payload.customer.number = '${number}'; return msg;`;
const addRef = (system: string) =>
  `msg.payload.customer.externalRefs.push({ system: '${system}', instance: 'main', type: 'customer', id: '1', role: 'copy' }); return msg;`;

const deal = (): DealDocument => ({
  customer: { id: 'cus_01KASY4Q8G3M6Z0V5T9R2B7XDE', legalName: 'Nordwind GmbH', externalRefs: [] },
});
const systemsIn = (payload: unknown) =>
  (payload as DealDocument).customer?.externalRefs.map(({ system }) => system);
const ended = (state: string) =>
  until(`the run to be ${state}`, async () => (await canvas.runs()).at(-1)?.state === state);

test('one message goes on when both branches have come, with what each has added', async () => {
  canvas = await Canvas.load([fork('a', 'b'), branch('a', addRef('erp')), branch('b', addRef('psa')), join]);
  for (let deals = 0; deals < 2; deals++) {
    const { sent } = await canvas.pass({ payload: deal() });
    expect(systemsIn(sent?.payload)).toEqual(['erp', 'psa']);
    expect(sent?.q2c).not.toHaveProperty('forks');
    await ended('completed');
  }
  expect((await canvas.runs()).map(({ state }) => state)).toEqual(['completed', 'completed']);
  await until('its status', () => canvas.statuses.get('join') === '2 done');
});

test('what a branch changes in place counts as its change, however far behind the fork', async () => {
  canvas = await Canvas.load([
    fork('ours', 'b'),
    { ...fork('a'), id: 'ours' },
    branch('a', addRef('erp')),
    { ...fork('join'), id: 'b' },
    join,
  ]);
  const { sent } = await canvas.pass({ payload: deal() });
  expect(systemsIn(sent?.payload)).toEqual(['erp']);
});

test('the topmost branch says what the rest of the message is, whichever is the faster', async () => {
  canvas = await Canvas.load([
    fork('a', 'b'),
    branch('a', "setTimeout(() => node.send({ ...msg, topic: 'a' }), 50);"),
    branch('b', "return { ...msg, topic: 'b', more: 'b' };"),
    join,
  ]);
  const { sent } = await canvas.pass({ payload: deal() });
  expect(sent).toMatchObject({ topic: 'a', more: 'b' });
});

test('a branch that has stopped leaves the others waiting; its case is the only one', async () => {
  const stop = { id: 'b', type: 'q2c-case', name: 'B', store: 'store', code: 'CREDIT_HOLD', ownerRole: '' };
  canvas = await Canvas.load([
    fork('a', 'b'),
    branch('a', addRef('erp')),
    { ...stop, severity: 'error', message: '', messageType: 'str', wires: [['join']] },
    join,
  ]);
  await canvas.stopped({ payload: deal() });
  await ended('failed');
  expect((await canvas.cases()).map(({ code }) => code)).toEqual(['CREDIT_HOLD']);
});

test('a branch that ends without a word is a case that names it', async () => {
  canvas = await Canvas.load([fork('a', 'b'), branch('a', 'return msg;'), branch('b', 'return null;'), join]);
  canvas.node('fork').receive({ payload: deal() });
  await ended('failed');
  expect(await canvas.cases()).toMatchObject([
    {
      code: 'BRANCH_MISSING',
      ownerRole: 'integration_ops',
      message: 'One-off message waits at Both for B, which has sent nothing on.',
    },
  ]);
});

test('a branch may come long after it said that it was through', async () => {
  canvas = await Canvas.load([
    fork('a', 'b'),
    branch('a', addRef('erp')),
    branch('b', "setTimeout(() => { msg.payload.customer.number = 'C-1'; node.send(msg); }, 400);"),
    join,
  ]);
  const passed = canvas.pass({ payload: deal() });
  await ended('failed');
  const { sent } = await passed;
  expect(sent?.payload).toMatchObject({ customer: { number: 'C-1', externalRefs: [{ system: 'erp' }] } });
  await ended('completed');
  expect(await canvas.cases()).toEqual([]);
});

test.each([
  [
    'two that set a field differently',
    [branch('a', setNumber('C-1')), branch('b', setNumber('C-2'))],
    'Nordwind GmbH cannot go on at Both: its branches say different things about customer.number.',
  ],
  [
    'one that sends twice',
    [
      branch('a', 'return [[msg, RED.util.cloneMessage(msg)]];'),
      branch('b', 'setTimeout(() => node.send(msg), 100);'),
    ],
    'Nordwind GmbH cannot go on at Both: “A” has sent more than one message.',
  ],
])('%s: nothing goes on that is not agreed', async (_, branches, message) => {
  canvas = await Canvas.load([fork('a', 'b'), ...branches, join]);
  const { error } = await canvas.stopped({ payload: deal() });
  expect(error).toMatchObject({ code: 'BRANCHES_DISAGREE', message });
  await ended('failed');
});

test('branches are counted along links and junctions; two outputs of a node are one', async () => {
  const way = { links: ['in'], wires: [] };
  canvas = await Canvas.load([
    fork('a', 'b', 'c'),
    branch('a', `${addRef('a').replace('return msg;', '')} return [null, msg];`, [['out'], ['out']]),
    branch('b', addRef('b'), [['meet']]),
    branch('c', addRef('c')),
    { id: 'out', type: 'link out', mode: 'link', ...way },
    { id: 'in', type: 'link in', links: ['out'], wires: [['meet']] },
    { id: 'meet', type: 'junction', wires: [['join']] },
    { id: 'off', type: 'function', d: true, func: 'return msg;', outputs: 1, libs: [], wires: [['join']] },
    join,
  ]);
  const { sent } = await canvas.pass({ payload: deal() });
  expect(systemsIn(sent?.payload)?.sort()).toEqual(['a', 'b', 'c']);
  await ended('completed');
});

test('a number of branches goes before the wires; what is no number says so', async () => {
  const either = branch('a', 'return [msg, null];', [['b'], ['c']]);
  const ways = [branch('b', addRef('b')), branch('c', addRef('c')), branch('d', addRef('d'))];
  canvas = await Canvas.load([fork('a', 'd'), either, ...ways, { ...join, branches: '2' }]);
  const { sent } = await canvas.pass({ payload: deal() });
  expect(systemsIn(sent?.payload)).toEqual(['b', 'd']);
  await canvas.close();

  canvas = await Canvas.load([fork('a', 'd'), either, ...ways, { ...join, branches: 'two' }]);
  const { error } = await canvas.stopped({ payload: deal() });
  expect(error.message).toContain('Branches: "two" is not a number of branches.');
});

test('branches within a branch come together by themselves', async () => {
  canvas = await Canvas.load([
    fork('a', 'b'),
    branch('a', setNumber('C-1'), [['c', 'd']]),
    branch('b', addRef('b')),
    branch('c', setNumber('C-2'), [['inner']]),
    branch('d', addRef('d'), [['inner']]),
    { ...join, id: 'inner', wires: [['join']] },
    join,
  ]);
  const { sent } = await canvas.pass({ payload: deal() });
  expect(sent?.payload).toMatchObject({ customer: { number: 'C-2' } });
  expect(systemsIn(sent?.payload)).toEqual(['b', 'd']);
  await ended('completed');
});

test('several messages of one run are not mixed up', async () => {
  const split = { arraySplt: 1, arraySpltType: 'len', spltType: 'str', splt: '', property: 'payload' };
  canvas = await Canvas.load([
    { ...fork('each'), id: 'first' },
    { id: 'each', type: 'split', ...split, wires: [['a', 'b']] },
    branch('a', addRef('erp')),
    branch('b', addRef('psa')),
    join,
  ]);
  const seen: unknown[] = [];
  canvas.node('end').on('input', (msg, _send, done) => {
    const payload = msg.payload as DealDocument;
    seen.push([payload.customer?.legalName, systemsIn(payload)]);
    done();
  });
  const deals = ['1', '2', '3'].map((legalName) => ({ customer: { ...deal().customer, legalName } }));
  canvas.node('first').receive({ payload: deals });
  await ended('completed');
  expect(seen.sort()).toEqual(['1', '2', '3'].map((name) => [name, ['erp', 'psa']]));
});
