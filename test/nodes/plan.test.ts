import { add, type CommercialModel, type DealDocument, type QuoteLine } from '../../lib/model';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas } from './canvas';

const check = { id: 'check', type: 'q2c-check', name: '', store: 'store', firm: 'firm' };
const plan = { id: 'plan', type: 'q2c-plan', name: 'Plan it', store: 'store', firm: 'firm' };
let canvas: Canvas;

beforeEach(async () => {
  canvas = await Canvas.load([check, plan]);
});
afterEach(() => canvas.close());

/** A won deal of these lines alone. */
function dealOf(lines: QuoteLine[]): DealDocument {
  const deal = wonDeal();
  const amount = add(...lines.map((line) => line.amount));
  Object.assign(deal.quote ?? {}, { lines });
  for (const money of [deal.opportunity?.amount, deal.quote?.total, deal.contract?.totalValue])
    Object.assign(money ?? {}, { amount });
  return deal;
}

const lines = wonDeal().quote?.lines ?? [];

/** What the line of a commercial model becomes: tasks, milestones, and for each planned amount trigger and date. */
const planned: Record<CommercialModel, { tasks: string[]; milestones: string[]; schedule: string[] }> = {
  fixed_fee: {
    tasks: ['1.DESIGN', '1.BUILD', '1.ROLLOUT'],
    milestones: [],
    schedule: ['date 2026-01-31 25000.01', 'date 2026-12-31 25000.00'],
  },
  milestone: {
    tasks: ['2.MILESTONES'],
    milestones: ['Design accepted', 'Go-live'],
    schedule: ['milestone 2026-03-31 30000.00', 'milestone 2026-09-30 70000.00'],
  },
  time_and_materials: {
    tasks: ['3.DESIGN 75.0000', '3.BUILD 125.0000', '3.ROLLOUT 50.0000'],
    milestones: [],
    schedule: [],
  },
  retainer: {
    tasks: ['4.RETAINER'],
    milestones: [],
    schedule: [
      '01-31',
      '02-28',
      '03-31',
      '04-30',
      '05-31',
      '06-30',
      '07-31',
      '08-31',
      '09-30',
      '10-31',
      '11-30',
      '12-31',
    ].map((day) => `period_start 2026-${day} 2500.00`),
  },
  usage: { tasks: ['5.USAGE'], milestones: [], schedule: [] },
  cost_plus: { tasks: ['6.COST'], milestones: [], schedule: [] },
};

test.each(lines.map((line) => [line.commercialModel, line] as const))(
  'a %s line becomes tasks and its billing schedule',
  async (model, line) => {
    const deal = await canvas.through(dealOf([line]));
    expect(deal.contractLines).toMatchObject([{ commercialModel: model, lineNo: line.lineNo }]);
    expect(deal.tasks?.map(({ code, budgetHours }) => [code, budgetHours].filter(Boolean).join(' '))).toEqual(
      planned[model].tasks,
    );
    expect(deal.milestones?.map(({ name }) => name)).toEqual(planned[model].milestones);
    expect(
      deal.billingSchedule?.map(
        ({ trigger, plannedDate, amount }) => `${trigger} ${plannedDate} ${amount?.amount}`,
      ),
    ).toEqual(planned[model].schedule);
  },
);

test('a deal of all six commercial models becomes one project', async () => {
  const deal = await canvas.through(wonDeal());
  expect(deal.contractLines?.map(({ commercialModel }) => commercialModel)).toEqual(Object.keys(planned));
  expect(deal.project).toMatchObject({
    code: 'P-00000101',
    name: 'ACME roll-out',
    status: 'provisioning',
    budget: { revenue: { amount: '240000.00', currency: 'EUR' }, hours: '250.0000' },
  });
  for (const { projectId } of [...(deal.tasks ?? []), ...(deal.milestones ?? [])])
    expect(projectId).toBe(deal.project?.id);
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
});

test('the same deal is planned as the same records', async () => {
  const deal = wonDeal();
  const ids = async () => {
    const { project, tasks, billingSchedule } = await canvas.through(deal);
    return [project, ...(tasks ?? []), ...(billingSchedule ?? [])].map((record) => record?.id);
  };
  expect(await ids()).toEqual(await ids());
});

test('a plan that does not add up is a case of the contract, and nothing goes on', async () => {
  const deal = await canvas.through(wonDeal());
  const [line] = deal.quote?.lines ?? [];
  Object.assign(line ?? {}, { amount: '50000.02' });
  const { caught } = await canvas.pass({ payload: deal }, 'plan');
  const message = 'The lines of contract 00000101 add up to 240000.01, not to 240000.00.';
  expect(caught?.error).toMatchObject({ code: 'SUM_MISMATCH', message });
  expect(await canvas.cases()).toMatchObject([
    { code: 'SUM_MISMATCH', message, subject: deal.contract?.id, ownerRole: 'sales_ops', node: 'Plan it' },
  ]);
});

test('a deal that was not checked says where the node belongs', async () => {
  const { caught } = await canvas.pass({ payload: wonDeal() }, 'plan');
  expect(caught?.error).toMatchObject({
    code: 'NODE_FAILED',
    message: expect.stringContaining('wire this node behind a readiness check (q2c-check)'),
    source: { id: 'plan' },
  });
  expect(await canvas.cases()).toMatchObject([{ code: 'NODE_FAILED', ownerRole: 'integration_ops' }]);
});
