import type { Contract, ContractLine, Draft, JsonObject, Milestone, Money } from '../../../model';
import { percentOf } from '../../../model';
import { defined, defineOperation, type MappingContext, required } from '../../kit';
import type { NetSuiteClient } from '../client';
import { amountOf, externalIdOf, reference, refTo, serviceLineOf } from '../mapping';
import { adoptByKey, probeByKey, type RecordReply, type RecordWire, remove } from '../written-record';

const STEP = 'the charge is created in NetSuite';

/** In Oracle's sample of a charge; types of the system have negative ids, the same in all accounts. */
const MILESTONE_CHARGE_TYPE = '-19';

/**
 * One charge per milestone, in projects of billing type charge-based: the other way to bill milestones, in place of
 * billing schedules. It stays on hold until the client has accepted the milestone (guides §9).
 */
export const createCharge = defineOperation<NetSuiteClient, Draft<Milestone>, RecordWire, RecordReply>({
  entity: 'charge',
  verb: 'create',
  recordType: 'charge',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: ({ milestones = [] }) => milestones.filter(({ status }) => status !== 'cancelled'),

  toSystem: (milestone, context) => ({
    externalId: externalIdOf(context, milestone.id),
    body: chargeBody(milestone, context),
  }),

  call: async (client, { externalId, body }, { signal }) => ({
    id: await client.records.upsert('charge', externalId, body, { signal }),
  }),

  fromSystem: ({ id }, milestone, context) => ({
    refs: [refTo(context, { id: milestone.id, entity: 'milestone', type: 'charge', recordId: id })],
    evidence: { id },
  }),

  probe: probeByKey('charge'),
  adopt: adoptByKey('charge'),

  // A billed charge cannot be deleted: NetSuite refuses, and a human credits the invoice.
  compensate: (client, _wire, { id }, { signal }) => remove(client, 'charge', id, signal),
});

function chargeBody(milestone: Draft<Milestone>, context: MappingContext): JsonObject {
  const { deal } = context;
  const name = required(milestone.name, 'Name of the milestone', STEP);
  const line = required(
    deal.contractLines?.find(({ id }) => id === milestone.contractLineId),
    `Contract line of milestone "${name}"`,
    STEP,
  );
  const currency = required(deal.contract?.currency, 'Currency of the contract', STEP);
  const amount = amountOf(milestoneMoney(milestone, line, currency), currency, `Milestone "${name}"`);
  const serviceLine = serviceLineOf(line, deal, STEP);
  const department = context.lookupOptional('department', serviceLine);
  return defined({
    billTo: reference(context.refId(deal.project, 'job', 'the project')),
    stage: reference(isAccepted(milestone) ? 'READY_FOR_BILLING' : 'HOLD_FOR_BILLING'),
    use: reference('Actual'),
    chargeDate: required(milestone.plannedDate, `Date of milestone "${name}"`, STEP),
    chargeType: reference(context.lookupOptional('chargeType', 'milestone') ?? MILESTONE_CHARGE_TYPE),
    billingItem: reference(context.lookup('item', `${serviceLine}:fixed`)),
    department: department && reference(department),
    description: name,
    quantity: 1,
    rate: amount,
    amount,
  });
}

function isAccepted({ status }: Draft<Milestone>): boolean {
  return status === 'accepted';
}

function milestoneMoney(
  { amount, percent, name }: Draft<Milestone>,
  line: Draft<ContractLine>,
  currency: Contract['currency'],
): Money {
  if (amount) return amount;
  const share = required(percent, `Amount of milestone "${name}"`, STEP);
  const whole = required(line.amount, `Amount of contract line ${line.lineNo}`, STEP);
  return { amount: percentOf(whole.amount, share, currency), currency: whole.currency };
}
