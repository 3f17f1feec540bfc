import {
  add,
  compare,
  convert,
  documentTotals,
  dueDate,
  lineNet,
  monthlyDates,
  multiply,
  negate,
  percentOf,
  splitAmount,
  splitEntryAtCap,
  subtract,
  type TaxableLine,
  transition,
  usageCharge,
} from '../../../lib/model';

/** The worked examples of the domain guide (§12), by their numbers. */

const line = (
  net: string,
  taxRate = '19',
  taxCategory: TaxableLine['taxCategory'] = 'standard',
): TaxableLine => ({
  net,
  taxRate,
  taxCategory,
});
const net = (quantity: string, unitPrice: string) => lineNet({ quantity, unitPrice }, 'EUR');

test('1. time-and-materials invoice', () => {
  const principal = net('37.5', '220.00');
  const consultant = net('112.25', '150.00');
  expect([principal, consultant]).toEqual(['8250.00', '16837.50']);

  const { totals, taxBreakdown } = documentTotals(
    [principal, consultant, '1284.37'].map((n) => line(n)),
    'EUR',
  );
  expect(taxBreakdown).toEqual([{ category: 'standard', rate: '19', base: '26371.87', tax: '5010.66' }]);
  expect(totals).toEqual({ net: '26371.87', tax: '5010.66', gross: '31382.53', payable: '31382.53' });
});

test('2. two tax groups', () => {
  const { totals, taxBreakdown } = documentTotals([line('24000.00'), line('1284.37', '7', 'reduced')], 'EUR');
  expect(taxBreakdown.map(({ tax }) => tax)).toEqual(['4560.00', '89.91']);
  expect(totals.gross).toBe('29934.28');
});

test('3. cap: the entry that crosses it is split', () => {
  const entries = [
    { quantity: '37.5', amount: '8250.00' },
    { quantity: '60', amount: '9000.00' },
    { quantity: '52.25', amount: net('52.25', '150') },
  ];
  let room = subtract('60000.00', '41000.00');
  const parts = entries.map((entry) => {
    const split = splitEntryAtCap(entry, room, 'EUR');
    room = subtract(room, split.billed?.amount ?? '0');
    return split;
  });
  expect(parts.map(({ billed }) => billed?.amount)).toEqual(['8250.00', '9000.00', '1750.00']);
  expect(parts[2]).toEqual({
    billed: { quantity: '11.6667', amount: '1750.00' },
    held: { quantity: '40.5833', amount: '6087.50' },
  });
  expect(room).toBe('0.00');
});

test('4. retainer: overage in arrears and the next fee in advance', () => {
  const overage = net(subtract('21.5', '16'), '165.00');
  expect(overage).toBe('907.50');
  const lines = [line(overage), line('2500.00')];
  expect(documentTotals(lines, 'EUR').totals).toMatchObject({
    net: '3407.50',
    tax: '647.43',
    gross: '4054.93',
  });
  expect(documentTotals(lines, 'EUR', {}, 'half_even').totals.tax).toBe('647.42');
});

test('5. discount split over three equal lines', () => {
  expect(splitAmount('100.00', 3, 'EUR')).toEqual(['33.34', '33.33', '33.33']);
});

test('6. change order: sums before and after', () => {
  const before = add(add('45000.00', '75000.00', '30000.00'), '60000.00', multiply('12', '2500.00'));
  const delta = add(subtract('87000.00', '75000.00'), '18000.00');
  expect(before).toBe('240000.00');
  expect(delta).toBe('30000.00');
  expect(add(before, delta)).toBe('270000.00');
  expect(add('45000', '87000', '30000', '18000')).toBe('180000');
});

test('7. retroactive rate: credit note', () => {
  const credit = subtract(net('37.5', '210.00'), net('37.5', '220.00'));
  const { totals } = documentTotals([line(credit)], 'EUR');
  expect(totals).toMatchObject({ net: '-375.00', tax: '-71.25', gross: '-446.25' });
});

test('8. payment and credit', () => {
  const balance = subtract('31382.53', '31000.00');
  expect(balance).toBe('382.53');
  expect(transition('invoice.settlementStatus', 'open', 'partially_paid')).toBe('partially_paid');

  const credit = negate('-446.25');
  const applied = compare(credit, balance) <= 0 ? credit : balance;
  expect(applied).toBe('382.53');
  expect(subtract(balance, applied)).toBe('0.00');
  expect(transition('invoice.settlementStatus', 'partially_paid', 'paid')).toBe('paid');
  expect(subtract(credit, applied)).toBe('63.72');
});

test('9. percent complete by cost', () => {
  const first = percentOf('150000.00', '35', 'EUR');
  const second = percentOf('150000.00', '55', 'EUR');
  expect([first, second]).toEqual(['52500.00', '82500.00']);
  expect(subtract(second, first)).toBe('30000.00');
  expect(subtract(first, '45000.00')).toBe('7500.00');
  expect(subtract(second, '120000.00')).toBe('-37500.00');
});

test('10. exchange rates: realised difference', () => {
  const invoiced = convert('12345.67', '0.9213', 'EUR');
  const paid = convert('12345.67', '0.9150', 'EUR');
  expect([invoiced, paid]).toEqual(['11374.07', '11296.29']);
  expect(subtract(paid, invoiced)).toBe('-77.78');
});

test('11. dates', () => {
  expect(dueDate('2026-01-31', 'net_30')).toEqual({ due: '2026-03-02' });
  expect(dueDate('2026-01-15', 'eom_30')).toEqual({ due: '2026-03-02' });
  expect(monthlyDates('2026-01-31', 3)).toEqual(['2026-01-31', '2026-02-28', '2026-03-31']);
});

test('12. usage tiers', () => {
  const charge = usageCharge(
    '27500',
    [{ upTo: '10000', rate: '0.08' }, { upTo: '25000', rate: '0.06' }, { rate: '0.045' }],
    'EUR',
  );
  expect(charge.tiers.map(({ quantity, amount }) => [quantity, amount])).toEqual([
    ['10000', '800.00'],
    ['15000', '900.00'],
    ['2500', '112.50'],
  ]);
  expect(charge.amount).toBe('1812.50');
});

test('13. partial consumption: each part of a timesheet has its own billing status', () => {
  const timesheet = [
    { project: 'A', hours: '10', billingStatus: 'reserved' },
    { project: 'B', hours: '6', billingStatus: 'unbilled' },
  ].map((part) =>
    part.project === 'A'
      ? { ...part, billingStatus: transition('billingStatus', part.billingStatus, 'invoiced') }
      : part,
  );
  expect(timesheet.map(({ hours, billingStatus }) => [hours, billingStatus])).toEqual([
    ['10', 'invoiced'],
    ['6', 'unbilled'],
  ]);
});
