import { type CaseProperties, defaults } from '../../nodes/q2c-case/types';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas } from './canvas';

let canvas: Canvas;
afterEach(() => canvas.close());

async function load(properties: Partial<CaseProperties>): Promise<void> {
  canvas = await Canvas.load([{ id: 'raise', type: 'q2c-case', ...defaults, store: 'store', ...properties }]);
}

test('raises the case that its form describes; the message stops and its run waits', async () => {
  await load({ name: 'Ask', code: 'CREDIT_HOLD', ownerRole: 'finance_controller', severity: 'critical' });
  const deal = wonDeal();
  const { error, q2c } = await canvas.stopped({ payload: deal });
  const told = { code: 'CREDIT_HOLD', message: 'ACME GmbH is on credit hold; provisioning waits.' };
  expect(error).toMatchObject(told);
  expect(await canvas.cases()).toMatchObject([
    {
      ...told,
      ownerRole: 'finance_controller',
      severity: 'critical',
      subject: deal.opportunity?.id,
      node: 'Ask',
      runId: q2c?.run,
      amountAtRisk: { amount: '240000.00', currency: 'EUR' },
    },
  ]);
  await until('the run to wait', async () => (await canvas.runs())[0]?.state === 'failed');
});

test('a form that names no owner leaves the case to the role of its code', async () => {
  await load({ code: 'DUPLICATE_SUSPECTED' });
  await canvas.stopped({ payload: wonDeal() });
  expect(await canvas.cases()).toMatchObject([{ ownerRole: 'data_steward', severity: 'error' }]);
});

test.each<[CaseProperties['messageType'], string, string]>([
  ['str', 'Ask the partner.', 'Ask the partner.'],
  ['msg', 'question', 'May we?'],
  ['jsonata', '"Ask about " & payload.customer.legalName & "."', 'Ask about ACME GmbH.'],
  ['env', 'Q2C_TEST_QUESTION', 'Really?'],
])('its message can come from %s', async (messageType, message, said) => {
  process.env.Q2C_TEST_QUESTION = 'Really?';
  await load({ code: 'CREDIT_HOLD', message, messageType });
  const { error } = await canvas.stopped(Object.assign({ payload: wonDeal() }, { question: 'May we?' }));
  expect(error.message).toBe(said);
  expect(await canvas.cases()).toMatchObject([{ message: said }]);
});

test('a message that cannot be made is an error of the node, not a case without words', async () => {
  await load({ name: 'Ask', code: 'CREDIT_HOLD', message: 'payload.(', messageType: 'jsonata' });
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({ code: 'NODE_FAILED', message: expect.stringContaining('Ask failed: ') });
});

test('without a code the form is to be filled in', async () => {
  await load({ name: 'Ask', code: 'NO_SUCH_CODE' });
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toBe('Ask failed: Choose the code of the case in the form.');
});
