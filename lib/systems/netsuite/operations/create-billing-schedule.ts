import {
  add,
  type BillingScheduleLine,
  compare,
  type ContractLine,
  type DealDocument,
  type Draft,
  type JsonObject,
  type Money,
} from '../../../model';
import { defined, defineOperation, jsonNumberOf, MappingError, type MappingContext } from '../../kit';
import { billingTypeOf } from '../billing-type';
import type { NetSuiteClient } from '../client';
import { amountOf, externalIdOf, isFixed, liveLines, reference, refTo, required, scheduleOf } from '../mapping';
import { percentagesOf } from '../milestone-percentages';
import { probeByKey, type RecordReply, type RecordWire, removeOrInactivate } from '../written-record';

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
export const createBillingSchedule = defineOperation<NetSuiteClient, Draft<ContractLine>, ScheduleWire, RecordReply>({
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

  compensate: (client, _wire, { id }, { signal }) => removeOrInactivate(client, 'billingSchedule', id, signal),
});

function hasAmounts(schedule: Draft<BillingScheduleLine>[]): boolean {
  return schedule.length > 0 && compare(add(...schedule.map(({ amount }) => amount?.amount ?? '0')), '0') > 0;
}

/** Each entry bills when its date has come and its milestone is completed; see docs/systems/netsuite.md. */
function milestoneSchedule(line: Draft<ContractLine>, context: MappingContext): JsonObject {
  const schedule = scheduleOf(line, context.deal);
  const amounts = milestoneAmounts(line, schedule, context);
  return {
    ...commonBody(line, context),
    scheduleType: reference('FBM'),
    initialAmount: 0,
    milestone: {
      items: schedule.map((entry, index) =>
        defined({
          milestoneAmount: amounts[index],
          milestoneDate: dateOf(entry),
          milestoneCompleted: false,
          comments: entry.description,
        }),
      ),
    },
  };
}

function datedSchedule(line: Draft<ContractLine>, context: MappingContext): JsonObject {
  const schedule = scheduleOf(line, context.deal);
  const amounts = milestoneAmounts(line, schedule, context);
  return {
    ...commonBody(line, context),
    scheduleType: reference('STD'),
    frequency: reference('CUSTOM'),
    initialAmount: 0,
    recurrence: {
      items: schedule.map((entry, index) => defined({ amount: amounts[index], recurrenceDate: dateOf(entry) })),
    },
  };
}
