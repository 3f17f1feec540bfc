import {
  add,
  addDays,
  type BillingScheduleLine,
  type CommercialModel,
  type ContractLine,
  compare,
  type Decimal,
  deriveId,
  type LocalDate,
  type Milestone,
  monthlyDates,
  type Project,
  Q2cError,
  type QuoteLine,
  type Retainer,
  type RevenueMethod,
  shortened,
  splitAmount,
  splitDecimal,
  type Task,
  type TaxCategory,
  transition,
} from '../model';
import { type Firm, taskTemplates } from './firm';
import type { ReadyDeal } from './ready-deal';

/**
 * From contract to project, tasks, milestones and billing schedule, for all six commercial models (guides §9).
 * Pure: ids of what is planned derive from the contract, so that a repeated plan plans the same records.
 */

export interface PlannedDeal extends ReadyDeal {
  contractLines: ContractLine[];
  project: Project;
  tasks: Task[];
  milestones: Milestone[];
  billingSchedule: BillingScheduleLine[];
}

/** Everything one contract line becomes. */
interface PlannedLine {
  line: ContractLine;
  tasks: Task[];
  milestones: Milestone[];
  schedule: BillingScheduleLine[];
}

/**
 * Plans a deal that passed the readiness check.
 * @throws Q2cError `SUM_MISMATCH` when an invariant of guides §15 (1, 2, 7) does not hold; nothing is planned then.
 */
export function planDeal(deal: ReadyDeal, firm: Firm): PlannedDeal {
  const planner = new Planner(deal, firm);
  const planned = planner.plan();
  checkInvariants(planned);
  return planned;
}

class Planner {
  private readonly project: Project;
  private readonly base;

  constructor(
    private readonly deal: ReadyDeal,
    private readonly firm: Firm,
  ) {
    const { contract } = deal;
    this.base = {
      version: 1,
      legalEntityId: contract.legalEntityId,
      externalRefs: [],
      createdAt: contract.createdAt,
      updatedAt: contract.updatedAt,
      sourceSystem: 'q2c',
      extensions: {},
    };
    this.project = this.planProject();
  }

  plan(): PlannedDeal {
    const { deal } = this;
    const lines = deal.quote.lines.map((line, index) => this.planLine(line, line.lineNo ?? index + 1));
    const tasks = lines.flatMap((line) => line.tasks);
    const hours = tasks.flatMap(({ budgetHours }) => (budgetHours === undefined ? [] : [budgetHours]));
    return {
      ...deal,
      contractLines: lines.map(({ line }) => line),
      project: {
        ...this.project,
        budget: {
          revenue: deal.contract.totalValue,
          ...(hours.length > 0 ? { hours: add(...hours) } : {}),
        },
      },
      tasks,
      milestones: lines.flatMap(({ milestones }) => milestones),
      billingSchedule: lines.flatMap(({ schedule }) => schedule),
    };
  }

  private planProject(): Project {
    const { contract, opportunity } = this.deal;
    return {
      ...this.base,
      id: deriveId('project', contract.id, 'project'),
      contractId: contract.id,
      code: `P-${contract.number}`,
      name: opportunity.name,
      customerId: contract.customerId,
      deliveryEntityId: contract.legalEntityId,
      serviceLine: opportunity.serviceLine,
      period: contract.effective,
      dimensions: {
        serviceLine: opportunity.serviceLine,
        ...(opportunity.region === undefined ? {} : { region: opportunity.region }),
      },
      status: transition('project.status', 'draft', 'provisioning'),
      percentComplete: '0',
    };
  }

  private planLine(quoteLine: QuoteLine, lineNo: number): PlannedLine {
    const line = this.contractLine(quoteLine, lineNo);
    const tasks = this.tasksOf(line, quoteLine);
    switch (line.commercialModel) {
      case 'fixed_fee':
        return { line, tasks, milestones: [], schedule: this.instalments(line, quoteLine) };
      case 'milestone': {
        const milestones = this.milestonesOf(line, quoteLine);
        return { line, tasks, milestones, schedule: this.milestoneSchedule(line, milestones) };
      }
      case 'retainer':
        return { line, tasks, milestones: [], schedule: this.retainerFees(line, quoteLine) };
      // Billed from approved time, usage or cost: nothing to schedule in advance.
      case 'time_and_materials':
      case 'usage':
      case 'cost_plus':
        return { line, tasks, milestones: [], schedule: [] };
    }
  }

  private contractLine(quoteLine: QuoteLine, lineNo: number): ContractLine {
    const { contract, opportunity } = this.deal;
    const { commercialModel } = quoteLine;
    const money = (amount: Decimal) => ({ amount, currency: contract.currency });
    // The CRM's line id survives reordering of lines; the number stands in where there is none.
    const discriminator = quoteLine.externalRefs?.[0]?.id ?? `line:${lineNo}`;
    return {
      ...this.base,
      id: deriveId('contractLine', contract.id, discriminator),
      contractId: contract.id,
      lineNo,
      description: quoteLine.description ?? quoteLine.serviceCode,
      commercialModel,
      serviceCode: quoteLine.serviceCode,
      ...(quoteLine.quantity === undefined ? {} : { quantity: quoteLine.quantity }),
      ...(quoteLine.unitPrice === undefined ? {} : { unitPrice: quoteLine.unitPrice }),
      ...(hasFixedAmount(commercialModel) ? { amount: money(quoteLine.amount) } : {}),
      ...(quoteLine.capAmount === undefined
        ? {}
        : { capAmount: money(quoteLine.capAmount), capScope: 'fees' as const }),
      ...(quoteLine.retainer === undefined ? {} : { retainer: quoteLine.retainer }),
      ...(quoteLine.markup === undefined ? {} : { markup: quoteLine.markup }),
      revenueMethod: REVENUE_METHOD[commercialModel],
      taxCategory: this.taxCategory(quoteLine),
      dimensions: { serviceLine: quoteLine.serviceLine ?? opportunity.serviceLine },
      status: 'planned',
    };
  }

  private taxCategory(quoteLine: QuoteLine): TaxCategory {
    return quoteLine.taxCategory ?? this.firm.planning.defaultTaxCategory;
  }

  private tasksOf(line: ContractLine, quoteLine: QuoteLine): Task[] {
    const serviceLine = quoteLine.serviceLine ?? this.deal.opportunity.serviceLine;
    const templates = taskTemplates(this.firm, serviceLine, line.commercialModel);
    const hours = quoteLine.quantity?.unit === 'hour' ? quoteLine.quantity.value : undefined;
    const shares = templates.map(({ hoursPercent }) => hoursPercent ?? '0');
    const budgets =
      hours === undefined || shares.every((share) => share === '0')
        ? []
        : splitDecimal(hours, shares, HOUR_PLACES);
    return templates.map((template, index) => ({
      ...this.base,
      id: deriveId('task', line.id, template.code),
      projectId: this.project.id,
      code: `${line.lineNo}.${template.code}`,
      name: described(line, `: ${template.name}`),
      contractLineId: line.id,
      billable: template.billable,
      ...(budgets[index] === undefined ? {} : { budgetHours: budgets[index] }),
      ...(this.project.period === undefined ? {} : { period: this.project.period }),
      status: 'planned' as const,
    }));
  }

  // ---------------------------------------------------------------- fixed fee

  /** The dates of the quote, else the firm's instalments of the amount. */
  private instalments(line: ContractLine, quoteLine: QuoteLine): BillingScheduleLine[] {
    if (quoteLine.schedule !== undefined && quoteLine.schedule.length > 0) {
      return quoteLine.schedule.map((entry, index) =>
        this.scheduleLine(line, index + 1, {
          description: entry.description,
          trigger: 'date',
          plannedDate: entry.date,
          amount: entry.amount,
        }),
      );
    }
    const { from, to } = this.deal.contract.effective;
    const { fixedFeeInstalments } = this.firm.planning;
    const amounts = splitAmount(
      quoteLine.amount,
      fixedFeeInstalments.map(({ percent }) => percent),
      this.deal.contract.currency,
    );
    return fixedFeeInstalments.map((instalment, index) =>
      this.scheduleLine(line, index + 1, {
        description: described(line, `: ${instalment.description}`),
        trigger: 'date',
        plannedDate: instalment.at === 'start' ? from : to,
        amount: amounts[index] ?? '0',
      }),
    );
  }

  // ---------------------------------------------------------------- milestones

  private milestonesOf(line: ContractLine, quoteLine: QuoteLine): Milestone[] {
    const planned =
      quoteLine.schedule !== undefined && quoteLine.schedule.length > 0
        ? quoteLine.schedule
        : [
            {
              description: `Acceptance of ${line.description}`,
              date: this.deal.contract.effective.to,
              amount: quoteLine.amount,
            },
          ];
    return planned.map((entry, index) => ({
      ...this.base,
      id: deriveId('milestone', line.id, `milestone:${index + 1}`),
      contractLineId: line.id,
      projectId: this.project.id,
      name: entry.description,
      plannedDate: entry.date,
      amount: { amount: entry.amount, currency: this.deal.contract.currency },
      status: 'planned' as const,
      billingStatus: 'not_ready' as const,
    }));
  }

  private milestoneSchedule(line: ContractLine, milestones: Milestone[]): BillingScheduleLine[] {
    return milestones.map((milestone, index) =>
      this.scheduleLine(line, index + 1, {
        description: milestone.name,
        trigger: 'milestone',
        triggerRef: milestone.id,
        plannedDate: milestone.plannedDate,
        amount: milestone.amount?.amount ?? '0',
      }),
    );
  }

  // ---------------------------------------------------------------- retainer

  /** One fee per period in advance; the periods conserve the line's amount. */
  private retainerFees(line: ContractLine, quoteLine: QuoteLine): BillingScheduleLine[] {
    const { from, to } = this.deal.contract.effective;
    const monthsPerPeriod = MONTHS[quoteLine.retainer?.period ?? 'month'];
    const starts = monthlyDates(from, monthsBetween(from, to)).filter(
      (_, index) => index % monthsPerPeriod === 0,
    );
    const dates = starts.filter((date) => date <= to);
    const amounts = splitAmount(quoteLine.amount, dates.length, this.deal.contract.currency);
    return dates.map((date, index) =>
      this.scheduleLine(line, index + 1, {
        description: described(line, `, period from ${date}`),
        trigger: 'period_start',
        plannedDate: date,
        servicePeriod: { from: date, to: lastDay(dates[index + 1], to) },
        amount: amounts[index] ?? '0',
      }),
    );
  }

  private scheduleLine(
    line: ContractLine,
    seq: number,
    plan: Pick<
      BillingScheduleLine,
      'description' | 'trigger' | 'triggerRef' | 'plannedDate' | 'servicePeriod'
    > & {
      amount: Decimal;
    },
  ): BillingScheduleLine {
    const { contract } = this.deal;
    const { amount, ...rest } = plan;
    return {
      ...this.base,
      id: deriveId('billingScheduleLine', line.id, `${contract.revision}:${seq}`),
      contractLineId: line.id,
      projectId: this.project.id,
      seq,
      ...rest,
      amount: { amount, currency: contract.currency },
      taxCategory: line.taxCategory,
      revision: contract.revision,
      status: 'planned',
    };
  }
}

/** Decimals of a quantity (guides §1). */
const HOUR_PLACES = 4;

/**
 * Longest name that planning makes up. Every target takes it whole; a longer one would be refused, or cut off where
 * the names of a line's tasks begin to differ.
 */
const NAME_MAX = 200;

/** A name made of the line's description and what tells its parts from each other. */
function described({ description }: ContractLine, part: string): string {
  return shortened(description, NAME_MAX - [...part].length) + part;
}

const REVENUE_METHOD: Record<CommercialModel, RevenueMethod> = {
  fixed_fee: 'percent_complete_hours',
  milestone: 'point_in_time',
  time_and_materials: 'as_invoiced',
  retainer: 'straight_line',
  usage: 'as_invoiced',
  cost_plus: 'as_invoiced',
};

const MONTHS: Record<Retainer['period'], number> = { month: 1, quarter: 3, year: 12 };

/** Models whose price is agreed in advance; the others are estimates, limited by their cap if there is one. */
export function hasFixedAmount(model: CommercialModel): boolean {
  return model === 'fixed_fee' || model === 'milestone' || model === 'retainer';
}

/** Months that begin in the period, counted from its first day. */
function monthsBetween(from: LocalDate, to: LocalDate): number {
  const [fromYear = 0, fromMonth = 0] = from.split('-').map(Number);
  const [toYear = 0, toMonth = 0] = to.split('-').map(Number);
  return Math.max(1, (toYear - fromYear) * 12 + toMonth - fromMonth + 1);
}

function lastDay(nextStart: LocalDate | undefined, end: LocalDate): LocalDate {
  return nextStart === undefined ? end : addDays(nextStart, -1);
}

/**
 * Invariants of guides §15 that a plan must keep: fixed amounts, retainers and estimates make up the contract
 * value (1); schedule lines and milestones sum to their line (2); every line belongs to the contract (7).
 */
function checkInvariants(deal: PlannedDeal): void {
  const estimates = deal.quote.lines.filter(({ commercialModel }) => !hasFixedAmount(commercialModel));
  const parts = [
    ...deal.contractLines.flatMap(({ amount }) => (amount === undefined ? [] : [amount.amount])),
    ...estimates.map(({ amount }) => amount),
  ];
  expectSum(parts, deal.contract.totalValue.amount, `The lines of contract ${deal.contract.number}`);
  for (const line of deal.contractLines) {
    if (line.amount === undefined) continue;
    const total = line.amount.amount;
    const scheduled = deal.billingSchedule.filter(({ contractLineId }) => contractLineId === line.id);
    expectSum(
      scheduled.map(({ amount }) => amount.amount),
      total,
      `The billing schedule of ${line.description}`,
    );
    const milestones = deal.milestones.filter(({ contractLineId }) => contractLineId === line.id);
    if (milestones.length === 0) continue;
    expectSum(
      milestones.map(({ amount }) => amount?.amount ?? '0'),
      total,
      `The milestones of ${line.description}`,
    );
  }
}

function expectSum(parts: Decimal[], total: Decimal, what: string): void {
  const sum = add(...parts);
  if (compare(sum, total) !== 0) {
    throw new Q2cError('SUM_MISMATCH', `${what} add up to ${sum}, not to ${total}.`);
  }
}
