import type { Contract, ContractLine, Draft, JsonObject } from '../../../model';
import { defined, defineOperation, type MappingContext, required } from '../../kit';
import type { NetSuiteClient } from '../client';
import {
  amountOf,
  externalIdOf,
  fixedAmount,
  liveLines,
  recordIdOf,
  reference,
  refTo,
  sellingEntity,
  serviceLineOf,
} from '../mapping';
import { adoptByKey, probeByKey, type RecordReply, type RecordWire, remove } from '../written-record';

const STEP = 'the sales order is created in NetSuite';

/**
 * One order per contract, with a line per agreed amount. A contract that bills only what is consumed has none: its
 * time and charges are billed from the project.
 */
export const createSalesOrder = defineOperation<NetSuiteClient, Draft<Contract>, RecordWire, RecordReply>({
  entity: 'salesOrder',
  verb: 'create',
  recordType: 'salesOrder',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: (deal) =>
    deal.contract && liveLines(deal).some((line) => fixedAmount(line, deal)) ? [deal.contract] : [],

  toSystem: (contract, context) => ({
    externalId: externalIdOf(context, contract.id),
    body: orderBody(contract, context),
  }),

  call: async (client, { externalId, body }, { signal }) => ({
    id: await client.records.upsert('salesOrder', externalId, body, { replace: 'item', signal }),
  }),

  fromSystem: ({ id }, contract, context) => ({
    refs: [refTo(context, { id: contract.id, entity: 'contract', type: 'salesOrder', recordId: id })],
    evidence: { id },
  }),

  probe: probeByKey('salesOrder'),
  adopt: adoptByKey('salesOrder'),

  // An order that is invoiced cannot be deleted: NetSuite refuses, and a human credits the invoice (guides §11).
  compensate: (client, _wire, { id }, { signal }) => remove(client, 'salesOrder', id, signal),
});

function orderBody(contract: Draft<Contract>, context: MappingContext): JsonObject {
  const { deal } = context;
  const currency = required(contract.currency, 'Currency of the contract', STEP);
  const effective = required(contract.effective, 'Start date of the contract', STEP);
  const terms = required(contract.paymentTerms, 'Payment terms of the contract', STEP);
  const lines = liveLines(deal).toSorted((a, b) => (a.lineNo ?? 0) - (b.lineNo ?? 0));
  return defined({
    entity: reference(context.refId(deal.customer, 'customer', 'the customer')),
    subsidiary: reference(context.lookup('subsidiary', sellingEntity(deal, STEP))),
    currency: reference(context.lookup('currency', currency)),
    terms: reference(context.lookup('terms', terms)),
    tranDate: effective.from,
    startDate: effective.from,
    endDate: effective.to,
    otherRefNum: contract.poNumber,
    memo: [contract.number, contract.title].filter(Boolean).join(' ') || undefined,
    item: { items: lines.flatMap((line) => orderLines(line, currency, context)) },
  });
}

/** None for a line without agreed amount. The amount is sent as agreed, never computed by NetSuite. */
function orderLines(line: Draft<ContractLine>, currency: string, context: MappingContext): JsonObject[] {
  const { deal } = context;
  const money = fixedAmount(line, deal);
  if (!money) return [];
  const amount = amountOf(money, currency, `Contract line ${line.lineNo}`);
  const serviceLine = serviceLineOf(line, deal, STEP);
  const department = context.lookupOptional('department', serviceLine);
  const scheduleId = recordIdOf(line, 'billingSchedule', context);
  return [
    defined({
      item: reference(context.lookup('item', `${serviceLine}:fixed`)),
      description: line.description,
      quantity: 1,
      rate: amount,
      amount,
      job: reference(context.refId(deal.project, 'job', 'the project')),
      department: department && reference(department),
      billingSchedule: scheduleId && reference(scheduleId),
    }),
  ];
}
