import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import type { ContractLine, DealDocument, Draft } from '../../../../lib/model';
import { createBillingSchedule } from '../../../../lib/systems/netsuite/operations/create-billing-schedule';
import { createCharge } from '../../../../lib/systems/netsuite/operations/create-charge';
import { createSalesOrder } from '../../../../lib/systems/netsuite/operations/create-sales-order';
import { contextOf, fixedBid, id, inNetSuite, provisioned, workedExample } from './support';

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}

const line = (deal: DealDocument, n: number): Draft<ContractLine> =>
  first((deal.contractLines ?? []).filter(({ id: each }) => each === id('contractLine', n)));

describe('billing schedule', () => {
  test('a fixed-bid project takes milestones as percentages', () => {
    const deal = provisioned(fixedBid());
    expect(createBillingSchedule.toSystem(line(deal, 1), contextOf(deal))).toEqual({
      externalId: `q2c:${id('contractLine', 1)}`,
      replace: 'milestone',
      body: {
        name: 'C-2026-0001 / 1',
        isPublic: false,
        scheduleType: { id: 'FBM' },
        project: { id: '328' },
        milestone: {
          items: [
            { milestoneAmount: 30, milestoneDate: '2026-02-28', milestoneCompleted: false, comments: 'M1' },
            { milestoneAmount: 50, milestoneDate: '2026-05-31', milestoneCompleted: false, comments: 'M2' },
            { milestoneAmount: 20, milestoneDate: '2026-08-31', milestoneCompleted: false, comments: 'M3' },
          ],
        },
      },
    });
  });

  test('a project that also bills hours takes dates and amounts', () => {
    const deal = provisioned(workedExample());
    const { body, replace } = createBillingSchedule.toSystem(line(deal, 3), contextOf(deal));
    expect(replace).toBe('recurrence');
    expect(body).toMatchObject({
      scheduleType: { id: 'STD' },
      frequency: { id: 'CUSTOM' },
      initialAmount: 0,
    });
    expect(body.project).toBeUndefined();
    expect(body.recurrence).toMatchObject({
      items: Array.from({ length: 12 }, (_, index) => ({
        amount: 2500,
        recurrenceDate: `2026-${String(index + 1).padStart(2, '0')}-01`,
      })),
    });
  });

  test('is made for lines with planned amounts, not for hours and not for nothing', () => {
    const deal = workedExample();
    const selected = (changed: DealDocument) =>
      createBillingSchedule.select(changed, {}).map(({ lineNo }) => lineNo);
    expect(selected(deal)).toEqual([1, 3]);
    expect(selected({ ...deal, billingSchedule: [] })).toEqual([]);
    const free = deal.billingSchedule.map((entry) => ({
      ...entry,
      amount: { amount: '0.00', currency: 'EUR' },
    }));
    expect(selected({ ...deal, billingSchedule: free })).toEqual([]);
  });

  test('instalments that a change replaced are left out', () => {
    const deal = provisioned(fixedBid());
    const billingSchedule = deal.billingSchedule.map((entry, index) =>
      index === 1 ? { ...entry, status: 'superseded' as const } : entry,
    );
    const { body } = createBillingSchedule.toSystem(line(deal, 1), contextOf({ ...deal, billingSchedule }));
    expect(body.milestone).toMatchObject({ items: [{ milestoneAmount: 60 }, { milestoneAmount: 40 }] });
  });

  test.each<[string, Partial<NonNullable<DealDocument['billingSchedule']>[number]>, string]>([
    ['a date', { plannedDate: undefined }, 'MANDATORY_FIELD_MISSING'],
    ['an amount', { amount: undefined }, 'MANDATORY_FIELD_MISSING'],
    ['the currency of the contract', { amount: { amount: '1.00', currency: 'USD' } }, 'CURRENCY_MISMATCH'],
  ])('an instalment without %s is a case', (_name, change, code) => {
    const deal = provisioned(fixedBid());
    const billingSchedule = deal.billingSchedule.map((entry, index) =>
      index === 0 ? { ...entry, ...change } : entry,
    );
    expect(() =>
      createBillingSchedule.toSystem(line(deal, 1), contextOf({ ...deal, billingSchedule })),
    ).toThrow(expect.objectContaining({ code }));
  });

  test('a holdback that is released by hand needs no date', () => {
    const deal = provisioned(fixedBid());
    const billingSchedule = deal.billingSchedule.map((entry) => ({
      ...entry,
      trigger: 'manual' as const,
      plannedDate: undefined,
    }));
    const { body } = createBillingSchedule.toSystem(line(deal, 1), contextOf({ ...deal, billingSchedule }));
    expect(body.milestone).toMatchObject({ items: [{ milestoneAmount: 30, comments: 'M1' }, {}, {}] });
  });

  test('percentages add up to exactly 100 and give every amount back to the cent', () => {
    const deal = provisioned(fixedBid());
    const template = first(deal.billingSchedule);
    const cents = fc.array(fc.integer({ min: 1, max: 50_000_000_00 }), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(cents, (parts) => {
        const amounts = parts.map((part) => new Decimal(part).div(100));
        const billingSchedule = amounts.map((amount, index) => ({
          ...template,
          id: id('billingScheduleLine', index),
          seq: index,
          amount: { amount: amount.toFixed(2), currency: 'EUR' },
        }));
        const { body } = createBillingSchedule.toSystem(
          line(deal, 1),
          contextOf({ ...deal, billingSchedule }),
        );
        const { items } = body.milestone as { items: { milestoneAmount: number }[] };
        const percentages = items.map(({ milestoneAmount }) => new Decimal(milestoneAmount));
        const total = Decimal.sum(...amounts);
        expect(Decimal.sum(...percentages).toString()).toBe('100');
        expect(percentages.map((percent) => total.mul(percent).div(100).toFixed(2))).toEqual(
          amounts.map((amount) => amount.toFixed(2)),
        );
      }),
    );
  });
});

describe('charge', () => {
  const deal = provisioned(fixedBid());
  const milestone = first(deal.milestones);

  test('of a planned milestone waits on hold', () => {
    expect(createCharge.toSystem(milestone, contextOf(deal))).toEqual({
      externalId: `q2c:${id('milestone', 1)}`,
      body: {
        billTo: { id: '328' },
        stage: { id: 'HOLD_FOR_BILLING' },
        use: { id: 'Actual' },
        chargeDate: '2026-02-28',
        chargeType: { id: '-19' },
        billingItem: { id: '111' },
        department: { id: '12' },
        description: 'M1',
        quantity: 1,
        rate: 45000,
        amount: 45000,
      },
    });
  });

  test('of an accepted milestone is ready for billing', () => {
    const accepted = { ...milestone, status: 'accepted' as const };
    expect(createCharge.toSystem(accepted, contextOf(deal)).body.stage).toEqual({ id: 'READY_FOR_BILLING' });
    const completed = { ...milestone, status: 'completed' as const };
    expect(createCharge.toSystem(completed, contextOf(deal)).body.stage).toEqual({ id: 'HOLD_FOR_BILLING' });
  });

  test('of a percentage is rounded once', () => {
    const share = { ...milestone, amount: undefined, percent: '33.3333' };
    expect(createCharge.toSystem(share, contextOf(deal)).body.amount).toBe(49999.95);
  });

  test('cancelled milestones have none', () => {
    const milestones = [milestone, { ...milestone, status: 'cancelled' as const }];
    expect(createCharge.select({ milestones }, {})).toEqual([milestone]);
  });

  test('a milestone without contract line is a case', () => {
    const lost = { ...milestone, contractLineId: id('contractLine', 99) };
    expect(() => createCharge.toSystem(lost, contextOf(deal))).toThrow(
      expect.objectContaining({ code: 'MANDATORY_FIELD_MISSING' }),
    );
  });
});

describe('sales order', () => {
  const example = provisioned(workedExample());
  const deal = {
    ...example,
    contractLines: example.contractLines.map((each) =>
      each.lineNo === 1 ? inNetSuite(each, 'billingSchedule', '9') : each,
    ),
  };

  test('has a line per agreed amount, as agreed', () => {
    expect(createSalesOrder.toSystem(deal.contract, contextOf(deal))).toEqual({
      externalId: `q2c:${id('contract')}`,
      body: {
        entity: { id: '107' },
        subsidiary: { id: '2' },
        currency: { id: '4' },
        terms: { id: '2' },
        tranDate: '2026-01-05',
        startDate: '2026-01-05',
        endDate: '2026-12-31',
        otherRefNum: 'PO-4711',
        memo: 'C-2026-0001 ERP rollout',
        item: {
          items: [
            {
              item: { id: '111' },
              description: 'Rollout',
              quantity: 1,
              rate: 150000,
              amount: 150000,
              job: { id: '328' },
              department: { id: '12' },
              billingSchedule: { id: '9' },
            },
            {
              item: { id: '111' },
              description: 'Support',
              quantity: 1,
              rate: 30000,
              amount: 30000,
              job: { id: '328' },
              department: { id: '12' },
            },
          ],
        },
      },
    });
  });

  test('a retainer without amount of its own has the sum of its fees', () => {
    const contractLines = deal.contractLines.map((each) =>
      each.lineNo === 3 ? { ...each, amount: undefined } : each,
    );
    const { body } = createSalesOrder.toSystem(deal.contract, contextOf({ ...deal, contractLines }));
    expect(body.item).toMatchObject({ items: [{}, { amount: 30000 }] });
  });

  test('a contract without agreed amounts has none', () => {
    const contractLines = deal.contractLines.filter(
      ({ commercialModel }) => commercialModel === 'time_and_materials',
    );
    expect(createSalesOrder.select({ ...deal, contractLines }, {})).toEqual([]);
    expect(createSalesOrder.select(deal, {})).toEqual([deal.contract]);
  });

  test.each([['project'], ['customer']] as const)('waits for the %s', (part) => {
    const early = { ...deal, [part]: workedExample()[part] };
    expect(() => createSalesOrder.toSystem(deal.contract, contextOf(early))).toThrow(
      expect.objectContaining({ code: 'MANDATORY_FIELD_MISSING' }),
    );
  });

  test('an unknown service line names the table', () => {
    const contractLines = deal.contractLines.map((each) => ({
      ...each,
      dimensions: { serviceLine: 'catering' },
    }));
    expect(() => createSalesOrder.toSystem(deal.contract, contextOf({ ...deal, contractLines }))).toThrow(
      expect.objectContaining({
        code: 'MANDATORY_FIELD_MISSING',
        message: 'item has no entry for catering:fixed',
      }),
    );
  });
});
