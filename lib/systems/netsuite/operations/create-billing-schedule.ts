import {
  add,
  type BillingScheduleLine,
  type ContractLine,
  compare,
  type Draft,
  type JsonObject,
  type Money,
  splitDecimal,
} from '../../../model';
import { defined, defineOperation, jsonNumberOf, type MappingContext, required } from '../../kit';
import { billingTypeOf } from '../billing-type';
import type { NetSuiteClient } from '../client';
import { amountOf, externalIdOf, isFixed, liveLines, reference, refTo, scheduleOf } from '../mapping';
import {
  adoptByKey,
  probeByKey,
  type RecordReply,
  type RecordWire,
  removeOrInactivate,
} from '../written-record';

const STEP = 'the billing schedule is created in NetSuite';

interface ScheduleWire extends RecordWire {
  /** Sublist that holds the planned amounts. */
  replace: 'milestone' | 'recurrence';
}

/**
 * One billing schedule per contract line with planned amounts, which the sales order's line refers to.
 *
 * A fixed-bid project takes a fixed bid milestone schedule. NetSuite refuses that type in any other project, so a
 * contract that also bills hours or usage takes a standard schedule with a custom recurrence: the same dates and
 * amounts. Fees of a retainer are dated entries like any other, because an interval schedule would compute dates and
 * amounts of its own.
 */
export const createBillingSchedule = defineOperation<
  NetSuiteClient,
  Draft<ContractLine>,
  ScheduleWire,
  RecordReply
>({
  entity: 'billingSchedule',
  verb: 'create',
  recordType: 'billingSchedule',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: (deal) => liveLines(deal).filter((line) => isFixed(line) && hasAmounts(scheduleOf(line, deal))),

  toSystem(line, context) {
    const milestones = billingTypeOf(context.deal) === 'fixed_bid_milestone';
    return {
      externalId: externalIdOf(context, line.id),
      body: milestones ? milestoneSchedule(line, context) : datedSchedule(line, context),
      replace: milestones ? 'milestone' : 'recurrence',
    };
  },

  call: async (client, { externalId, body, replace }, { signal }) => ({
    id: await client.records.upsert('billingSchedule', externalId, body, { replace, signal }),
  }),

  fromSystem: ({ id }, line, context) => ({
    refs: [refTo(context, { id: line.id, entity: 'contractLine', type: 'billingSchedule', recordId: id })],
    evidence: { id },
  }),

  probe: probeByKey('billingSchedule'),
  adopt: adoptByKey('billingSchedule'),

  compensate: (client, _wire, { id }, { signal }) =>
    removeOrInactivate(client, 'billingSchedule', id, signal),
});

function hasAmounts(schedule: Draft<BillingScheduleLine>[]): boolean {
  return schedule.length > 0 && compare(add(...schedule.map(({ amount }) => amount?.amount ?? '0')), '0') > 0;
}

/** Milestones cannot be added later, and the schedule must belong to the project (Oracle help "Billing Schedule"). */
function milestoneSchedule(line: Draft<ContractLine>, context: MappingContext): JsonObject {
  const entries = scheduleOf(line, context.deal);
  const amounts = milestonePercentages(entries, context);
  const items = entries.map((entry, index) =>
    defined({
      milestoneAmount: amounts[index],
      milestoneDate: dateOf(entry),
      milestoneCompleted: false,
      comments: entry.description,
    }),
  );
  return {
    ...commonBody(line, context),
    scheduleType: reference('FBM'),
    project: reference(context.refId(context.deal.project, 'job', 'the project')),
    milestone: { items },
  };
}

function datedSchedule(line: Draft<ContractLine>, context: MappingContext): JsonObject {
  const items = scheduleOf(line, context.deal).map((entry) =>
    defined({ amount: plannedNumber(entry, context), recurrenceDate: dateOf(entry) }),
  );
  return {
    ...commonBody(line, context),
    scheduleType: reference('STD'),
    frequency: reference('CUSTOM'),
    initialAmount: 0,
    recurrence: { items },
  };
}

function commonBody(line: Draft<ContractLine>, context: MappingContext): JsonObject {
  const { contract } = context.deal;
  return {
    name: `${required(contract?.number, 'Contract number', STEP)} / ${required(line.lineNo, 'Number of the contract line', STEP)}`,
    isPublic: false,
  };
}

/** Enough decimals that each percentage gives its amount back to the cent, up to amounts of a billion. */
const PERCENT_PLACES = 10;

/**
 * Amounts of milestones are percentages (Oracle help "Creating a Milestone Billing Schedule"), here of the order's
 * line. They add up to exactly 100: NetSuite would bill what is missing at once, as the schedule's initial amount.
 */
function milestonePercentages(entries: Draft<BillingScheduleLine>[], context: MappingContext): number[] {
  for (const entry of entries) plannedNumber(entry, context);
  const amounts = entries.map((entry) => plannedMoney(entry).amount);
  return splitDecimal('100', amounts, PERCENT_PLACES).map((percent) =>
    jsonNumberOf(percent, 'NetSuite', 'Percentage of a milestone'),
  );
}

function plannedNumber(entry: Draft<BillingScheduleLine>, { deal }: MappingContext): number {
  const currency = required(deal.contract?.currency, 'Currency of the contract', STEP);
  return amountOf(plannedMoney(entry), currency, nameOf(entry));
}

const plannedMoney = (entry: Draft<BillingScheduleLine>): Money =>
  required(entry.amount, `Amount of ${nameOf(entry)}`, STEP);

/** Only what is released by hand, such as a holdback, may be without a date. */
function dateOf(entry: Draft<BillingScheduleLine>): string | undefined {
  return entry.trigger === 'manual'
    ? entry.plannedDate
    : required(entry.plannedDate, `Date of ${nameOf(entry)}`, STEP);
}

const nameOf = ({ description, seq }: Draft<BillingScheduleLine>): string =>
  description ? `"${description}"` : `instalment ${seq}`;
