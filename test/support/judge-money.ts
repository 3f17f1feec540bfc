import Decimal from 'decimal.js';
import type { SimRecord } from '../../simulator/kit/types';
import { firm } from './deals';
import type { Records } from './judge';

/** Exact sums of what was written for won deals (guides §15, 1 to 5 and 7), from the vendors' records alone. */

interface OrderLine {
  amount: number;
  job: string;
  billingSchedule: string;
}

/** Amounts of these models are billed by consumption: they are in no order, only under the contract's cap. */
const BY_CONSUMPTION = ['time_and_materials', 'usage', 'cost_plus'];

/** @returns what does not add up, in plain words */
export function moneyComplaints(records: Records, opportunityIds: readonly string[]): string[] {
  const found = strays(records);
  for (const id of opportunityIds) {
    const opportunity = all(records, 'salesforce.Opportunity').find((record) => record.id === id);
    const contract = all(records, 'salesforce.Contract').find(
      (record) => record.id === opportunity?.data.ContractId,
    );
    if (contract !== undefined) found.push(...dealComplaints(records, id, contract));
  }
  return found;
}

function dealComplaints(records: Records, opportunityId: string, contract: SimRecord): string[] {
  const found: string[] = [];
  const number = String(contract.data.ContractNumber);
  const same = (what: string, actual: unknown, wanted: unknown) => {
    if (String(actual) !== String(wanted))
      found.push(`contract ${number}: ${what}: ${actual}, not ${wanted}`);
  };

  const job = all(records, 'netsuite.job').find(({ data }) => data.entityId === `P-${number}`);
  const project = all(records, 'kantata.workspaces').find(({ data }) =>
    String(data.description).startsWith(`Project P-${number}\n`),
  );
  const orders = all(records, 'netsuite.salesOrder').filter(({ data }) =>
    linesOf(data).some((line) => line.job === job?.id),
  );
  const byConsumption = all(records, 'salesforce.OpportunityLineItem')
    .filter(({ data }) => data.OpportunityId === opportunityId)
    .filter(({ data }) => BY_CONSUMPTION.includes(String(data.Q2C_Commercial_Model__c)))
    .map(({ data }) => new Decimal(String(data.Quantity)).times(String(data.UnitPrice)));
  const ordered = orders.flatMap(({ data }) => linesOf(data).map(({ amount }) => amount));
  const value = new Decimal(String(contract.data.Q2C_Total_Value__c));
  same('ordered and agreed as a limit (1)', sum([...ordered, ...byConsumption]), value);

  const planned = all(records, 'kantata.billing_milestones')
    .filter(({ data }) => data.workspace_id === project?.id)
    .map(({ data }) => new Decimal(String(data.amount_in_cents)).dividedBy(100));
  same('planned in Kantata (2)', sum(planned), sum(ordered));
  same('budget in Kantata', project?.data.price, value.ceil());

  const currency = String(contract.data.CurrencyIsoCode);
  const erpCurrency = firm.lookups.netsuite?.currency?.[currency];
  same('currency of the Kantata project (5)', project?.data.currency, currency);
  for (const record of [job, ...orders]) same('currency in NetSuite (5)', record?.data.currency, erpCurrency);
  for (const line of orders.flatMap(({ data }) => linesOf(data))) {
    const schedule = all(records, 'netsuite.billingSchedule').find(({ id }) => id === line.billingSchedule);
    const [parts, whole] = partsOf(schedule, line);
    same(`dates of billing schedule ${schedule?.id} (2)`, sum(parts), whole);
  }
  return found;
}

/** A schedule has amounts of the line, or percents of it. */
function partsOf(schedule: SimRecord | undefined, { amount }: OrderLine): [parts: unknown[], whole: number] {
  const { recurrence, milestone, initialAmount } = schedule?.data ?? {};
  if (Array.isArray(milestone)) return [milestone.map(({ milestoneAmount }) => milestoneAmount), 100];
  const recurring = Array.isArray(recurrence) ? recurrence.map(({ amount: part }) => part) : [];
  return [[initialAmount ?? 0, ...recurring], amount];
}

/** What stands for itself: billed twice, billed without a project, or billed at all, which this flow never does. */
function strays(records: Records): string[] {
  const found: string[] = [];
  const jobs = new Set(all(records, 'netsuite.job').map(({ id }) => id));
  const projects = new Set(all(records, 'kantata.workspaces').map(({ id }) => id));
  const lines = all(records, 'netsuite.salesOrder').flatMap(({ data }) => linesOf(data));
  for (const { job } of lines) if (!jobs.has(job)) found.push(`an order line is for no project: ${job} (7)`);
  for (const { id, data } of all(records, 'kantata.billing_milestones')) {
    if (!projects.has(String(data.workspace_id))) found.push(`billing milestone ${id} has no project (7)`);
  }
  for (const { id } of all(records, 'netsuite.billingSchedule')) {
    const users = lines.filter(({ billingSchedule }) => billingSchedule === id).length;
    if (users !== 1) found.push(`billing schedule ${id} is used by ${users} order lines, not 1 (3)`);
  }
  for (const type of ['netsuite.invoice', 'netsuite.charge', 'kantata.invoices']) {
    const { length } = all(records, type);
    if (length > 0) found.push(`${length} ${type} that nothing should have made (3, 4)`);
  }
  return found;
}

const linesOf = (order: SimRecord['data']): OrderLine[] => order.item as OrderLine[];

const all = (records: Records, type: string): SimRecord[] => records[type] ?? [];

const sum = (numbers: readonly unknown[]): Decimal =>
  numbers.reduce((total: Decimal, number) => total.plus(String(number)), new Decimal(0));
