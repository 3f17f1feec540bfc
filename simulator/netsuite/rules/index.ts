import { billingScheduleRules, chargeRules } from './billing';
import { contactRules, customerRules, employeeRules, jobRules } from './entities';
import { salesOrderRules } from './orders';
import { expenseReportRules, projectTaskRules, timeBillRules } from './projects';
import { creditMemoRules, customerPaymentRules, invoiceRules } from './receivables';
import type { Rules } from './types';

const rules: Readonly<Record<string, Rules>> = {
  customer: customerRules,
  contact: contactRules,
  employee: employeeRules,
  job: jobRules,
  projectTask: projectTaskRules,
  timeBill: timeBillRules,
  expenseReport: expenseReportRules,
  billingSchedule: billingScheduleRules,
  charge: chargeRules,
  salesOrder: salesOrderRules,
  invoice: invoiceRules,
  customerPayment: customerPaymentRules,
  creditMemo: creditMemoRules,
};

const noRules: Rules = {};

/** Business rules of a record type; set-up lists have none beyond their schema. */
export function rulesOf(type: string): Rules {
  return rules[type] ?? noRules;
}
