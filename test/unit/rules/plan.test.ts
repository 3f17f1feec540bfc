import fc from 'fast-check';
import { add, compare, entitySchemas } from '../../../lib/model';
import { checkReadiness, type PlannedDeal, planDeal } from '../../../lib/rules';
import { firm, wonDeal } from '../../support/deals';

function plan(change: (deal: ReturnType<typeof wonDeal>) => void = () => undefined): PlannedDeal {
  const deal = wonDeal();
  change(deal);
  const readiness = checkReadiness(deal, firm);
  if (!readiness.ready) throw new Error(JSON.stringify(readiness.issues));
  return planDeal(readiness.deal, firm);
}
const scheduleOf = (deal: PlannedDeal, lineNo: number) => {
  const line = deal.contractLines.find((candidate) => candidate.lineNo === lineNo);
  return deal.billingSchedule.filter(({ contractLineId }) => contractLineId === line?.id);
};

test('every commercial model gets its lines, tasks and schedule', () => {
  const deal = plan();
  expect(deal.contractLines.map(({ commercialModel }) => commercialModel)).toEqual([
    'fixed_fee',
    'milestone',
    'time_and_materials',
    'retainer',
    'usage',
    'cost_plus',
  ]);
  // Half of an odd cent amount: the largest remainder goes to the first instalment.
  expect(scheduleOf(deal, 1).map(({ amount, plannedDate }) => [amount.amount, plannedDate])).toEqual([
    ['25000.01', '2026-01-31'],
    ['25000.00', '2026-12-31'],
  ]);
  expect(scheduleOf(deal, 2).map(({ trigger, triggerRef }) => [trigger, triggerRef])).toEqual(
    deal.milestones.map(({ id }) => ['milestone', id]),
  );
  expect(scheduleOf(deal, 3)).toEqual([]);
  const fees = scheduleOf(deal, 4);
  expect(fees).toHaveLength(12);
  expect(fees.slice(0, 3).map(({ plannedDate }) => plannedDate)).toEqual([
    '2026-01-31',
    '2026-02-28',
    '2026-03-31',
  ]);
  expect(fees.every(({ trigger, amount }) => trigger === 'period_start' && amount.amount === '2500.00')).toBe(
    true,
  );
});

test('hours of a time line are split over its tasks by the template', () => {
  const deal = plan();
  const line = deal.contractLines[2];
  const tasks = deal.tasks.filter(({ contractLineId }) => contractLineId === line?.id);
  expect(tasks.map(({ code, budgetHours }) => [code, budgetHours])).toEqual([
    ['3.DESIGN', '75.0000'],
    ['3.BUILD', '125.0000'],
    ['3.ROLLOUT', '50.0000'],
  ]);
  expect(deal.project.budget).toEqual({
    revenue: { amount: '240000.00', currency: 'EUR' },
    hours: '250.0000',
  });
});

test('a repeated plan plans the same records', () => {
  const deal = wonDeal();
  const readiness = checkReadiness(deal, firm);
  if (!readiness.ready) throw new Error('not ready');
  expect(planDeal(readiness.deal, firm)).toEqual(planDeal(readiness.deal, firm));
});

test('everything planned is a valid entity, with one id each', () => {
  const deal = plan();
  const ids = new Set<string>();
  const check = (name: keyof typeof entitySchemas, values: { id: string }[]) => {
    for (const value of values) {
      entitySchemas[name].parse(value);
      ids.add(value.id);
    }
  };
  check('contractLine', deal.contractLines);
  check('project', [deal.project]);
  check('task', deal.tasks);
  check('milestone', deal.milestones);
  check('billingScheduleLine', deal.billingSchedule);
  const count =
    1 + deal.contractLines.length + deal.tasks.length + deal.milestones.length + deal.billingSchedule.length;
  expect(ids.size).toBe(count);
});

test('any fixed fee and any term keep invariants 1 and 2', () => {
  const cents = fc.integer({ min: 1, max: 999_999_999 });
  const months = fc.integer({ min: 1, max: 36 });
  fc.assert(
    fc.property(cents, months, (amount, term) => {
      const total = (amount / 100).toFixed(2);
      const end = new Date(Date.UTC(2026, term, 15)).toISOString().slice(0, 10);
      const deal = plan((draft) => {
        Object.assign(draft.quote ?? {}, {
          lines: [
            {
              lineNo: 1,
              serviceCode: 'R',
              description: 'Care',
              commercialModel: 'retainer',
              amount: total,
              retainer: { period: 'month', fee: '1.00' },
            },
          ],
        });
        for (const money of [draft.opportunity?.amount, draft.contract?.totalValue, draft.quote?.total]) {
          Object.assign(money ?? {}, { amount: total });
        }
        Object.assign(draft.contract ?? {}, { effective: { from: '2026-01-31', to: end } });
      });
      const sum = add(...deal.billingSchedule.map((line) => line.amount.amount));
      expect(compare(sum, total)).toBe(0);
      expect(
        deal.billingSchedule.every(
          ({ servicePeriod }) => servicePeriod !== undefined && servicePeriod.from <= servicePeriod.to,
        ),
      ).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('names made of a long description stay short and different', () => {
  const deal = plan((draft) => {
    for (const line of draft.quote?.lines ?? []) Object.assign(line, { description: '🚀'.repeat(255) });
  });
  const names = deal.tasks.map(({ name }) => name);
  expect(Math.max(...names.map((name) => [...name].length))).toBe(200);
  expect(names).toContainEqual(expect.stringMatching(/^🚀+…: Design$/u));
  expect(Math.max(...deal.billingSchedule.map(({ description = '' }) => [...description].length))).toBe(200);
});
