import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas } from './canvas';

/** Messages that no source node sent, as while trying things: they work all the same, each as a run of its own. */

const check = { id: 'check', type: 'q2c-check', name: '', store: 'store', firm: 'firm' };
const plan = { id: 'plan', type: 'q2c-plan', name: '', store: 'store', firm: 'firm' };
let canvas: Canvas;

beforeEach(async () => {
  canvas = await Canvas.load([check, plan]);
});
afterEach(() => canvas.close());

test('a message without a run gets one, keeps it through the flow, and the run comes to an end', async () => {
  const deal = wonDeal();
  const { sent } = await canvas.pass({ payload: deal });
  const [run, ...more] = await canvas.runs();
  expect(more).toEqual([]);
  expect(run).toMatchObject({ title: 'ACME roll-out', correlationId: deal.opportunity?.id, attempt: 1 });
  expect(sent?.q2c).toMatchObject({ run: run?.id, correlationId: deal.opportunity?.id });
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
});

test('two messages are two runs, also when they come at once', async () => {
  const other = wonDeal();
  canvas.node('check').receive({ payload: { ...other, contacts: [] } });
  await canvas.pass({ payload: { ...wonDeal(), contacts: [], customer: other.customer } });
  await until('two runs to complete', async () => {
    const runs = await canvas.runs();
    return runs.length === 2 && runs.every(({ state }) => state === 'completed');
  });
});

test('a message that comes after its run has ended goes on with that run', async () => {
  const { sent: first } = await canvas.pass({ payload: wonDeal() });
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
  const { sent: second } = await canvas.pass({ payload: first?.payload, q2c: first?.q2c }, 'plan');
  expect(second?.q2c?.run).toBe(first?.q2c?.run);
  await until('the run to complete again', async () => (await canvas.runs())[0]?.state === 'completed');
  expect(await canvas.runs()).toHaveLength(1);
});

test('a message of a run that this store does not know stops', async () => {
  const { error } = await canvas.stopped({
    payload: wonDeal(),
    q2c: { run: 'run_unknown', dispatch: 0, correlationId: 'opp_unknown' },
  });
  expect(error).toMatchObject({
    code: 'RUN_NOT_ACTIVE',
    message: 'Run run_unknown is not under way, or belongs to another store; its message cannot go on.',
  });
  expect(await canvas.runs()).toEqual([]);
});

test.each<[string, unknown, string]>([
  ['text', 'a deal', 'the payload: '],
  ['another shape', { customer: { name: 'ACME' } }, 'customer.id: '],
])('a payload that is %s is refused with its place', async (_, payload, place) => {
  const { error } = await canvas.stopped({ payload });
  expect(error.code).toBe('DEAL_DOCUMENT_INVALID');
  expect(error.message).toContain(place);
  expect(error.message).toContain('Wire the node behind one that reads a deal.');
});
