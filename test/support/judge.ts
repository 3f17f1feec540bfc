import type { SimRecord } from '../../simulator/kit/types';
import { firm } from './deals';
import { moneyComplaints } from './judge-money';
import type { SystemName, VendorControl } from './vendors';

/**
 * Judges what became of won deals from the simulators' records alone, never from the product's own: everything a
 * deal needs is in every system, exactly once.
 */

/** Records of the three vendors, by `<system>.<type>`. */
export type Records = Record<string, SimRecord[]>;

const TYPES: Record<SystemName, string[]> = {
  salesforce: [
    'Account',
    'Contact',
    'Contract',
    'Opportunity',
    'OpportunityContactRole',
    'OpportunityLineItem',
    'OpportunityLineItemSchedule',
  ],
  netsuite: [
    'customer',
    'contact',
    'job',
    'projectTask',
    'billingSchedule',
    'salesOrder',
    'charge',
    'invoice',
  ],
  kantata: [
    'workspaces',
    'stories',
    'billing_milestones',
    'invoices',
    'external_references',
    'project_templates',
  ],
};

export async function readRecords(simulator: VendorControl): Promise<Records> {
  const records: Records = {};
  for (const [system, types] of Object.entries(TYPES) as [SystemName, string[]][]) {
    const counts = await simulator.recordCounts(system);
    for (const type of types) {
      // A simulator knows some types only once it holds a record of them.
      records[`${system}.${type}`] = counts[type] ? await simulator.records(system, type) : [];
    }
  }
  return records;
}

const KEY = 'q2c:';
const FIXED_MODELS = ['fixed_fee', 'milestone', 'retainer'];

type Model = keyof typeof firm.planning.tasks;

interface Line {
  model: Model;
  amount: number;
  /** Dates on which a part of the amount is billed; none for what is billed by consumption. */
  billedParts: number;
  tasks: number;
}

/** A deal as sales entered it, and what has to come of it. */
interface ExpectedDeal {
  opportunity: SimRecord;
  account: SimRecord;
  contract: SimRecord;
  contacts: SimRecord[];
  lines: Line[];
  projectNumber: string;
}

/**
 * Compares the vendors with what the given won opportunities need.
 * @param alone no other deal was ever provisioned: then totals are compared too, so that nothing stray is there
 * @returns what is missing, doubled or stray, in plain words; empty when all is as it must be
 */
export function judge(records: Records, opportunityIds: readonly string[], { alone = true } = {}): string[] {
  return new Judge(records, opportunityIds).complaints(alone);
}

class Judge {
  private readonly found: string[] = [];
  private readonly deals: ExpectedDeal[];

  constructor(
    private readonly records: Records,
    opportunityIds: readonly string[],
  ) {
    this.deals = opportunityIds.map((id) => this.expected(id));
  }

  complaints(alone: boolean): string[] {
    for (const deal of this.deals) this.judgeDeal(deal);
    for (const account of new Set(this.deals.map((deal) => deal.account))) this.judgeAccount(account);
    this.judgeKeys();
    if (alone) {
      this.judgeTotals();
      this.found.push(
        ...moneyComplaints(
          this.records,
          this.deals.map(({ opportunity }) => opportunity.id),
        ),
      );
    }
    return this.found;
  }

  // ---------------------------------------------------------------- what sales entered

  private expected(id: string): ExpectedDeal {
    const opportunity = this.one('salesforce.Opportunity', (record) => record.id === id, `opportunity ${id}`);
    const { AccountId, ContractId, Q2C_Service_Line__c } = opportunity.data;
    const contract = this.one(
      'salesforce.Contract',
      (record) => record.id === ContractId,
      `contract of ${id}`,
    );
    const contactIds = this.all('salesforce.OpportunityContactRole')
      .filter(({ data }) => data.OpportunityId === id)
      .map(({ data }) => data.ContactId);
    const lines = this.all('salesforce.OpportunityLineItem').filter(({ data }) => data.OpportunityId === id);
    return {
      opportunity,
      contract,
      account: this.one('salesforce.Account', (record) => record.id === AccountId, `account of ${id}`),
      contacts: this.all('salesforce.Contact').filter((contact) => contactIds.includes(contact.id)),
      lines: lines.map((line) => this.expectedLine(line, contract, String(Q2C_Service_Line__c))),
      projectNumber: `P-${contract.data.ContractNumber}`,
    };
  }

  private expectedLine({ id, data }: SimRecord, contract: SimRecord, serviceLine: string): Line {
    const model = data.Q2C_Commercial_Model__c as Model;
    const dated = this.all('salesforce.OpportunityLineItemSchedule').filter(
      (part) => part.data.OpportunityLineItemId === id,
    ).length;
    const billedParts = {
      fixed_fee: dated || firm.planning.fixedFeeInstalments.length,
      milestone: dated || 1,
      retainer: Number(contract.data.ContractTerm),
      time_and_materials: 0,
      usage: 0,
      cost_plus: 0,
    }[model];
    const tasks = firm.serviceLines[serviceLine]?.tasks?.[model] ?? firm.planning.tasks[model];
    return {
      model,
      amount: Number(data.Quantity) * Number(data.UnitPrice),
      billedParts,
      tasks: tasks.length,
    };
  }

  // ---------------------------------------------------------------- one deal

  private judgeDeal(deal: ExpectedDeal): void {
    const { opportunity, projectNumber, account } = deal;
    const name = `${projectNumber} (${opportunity.data.Name})`;
    this.same(
      `${name}: status in Salesforce`,
      opportunity.data.Q2C_Status__c,
      `Provisioned: project ${projectNumber}`,
    );
    this.same(`${name}: project number in Salesforce`, opportunity.data.Q2C_Project_Number__c, projectNumber);
    for (const [what, record] of Object.entries({ opportunity, account, contract: deal.contract })) {
      if (!record.data.Q2C_External_Id__c)
        this.found.push(`${name}: no canonical id on the ${what} in Salesforce`);
    }
    this.judgeErp(deal, name);
    this.judgePsa(deal, name);
  }

  private judgeErp({ account, contract, contacts, lines, projectNumber }: ExpectedDeal, name: string): void {
    const fixed = lines.filter(({ model }) => FIXED_MODELS.includes(model));
    const jobs = this.all('netsuite.job').filter(({ data }) => data.entityId === projectNumber);
    this.same(`${name}: jobs in NetSuite`, jobs.length, 1);
    const [job] = jobs;
    if (job === undefined) return;
    const [customer] = this.customersOf(account);
    this.same(`${name}: customer of the job`, job.data.parent, customer?.id);
    for (const { data } of contacts) {
      const same = this.all('netsuite.contact').filter(
        (contact) => contact.data.company === customer?.id && contact.data.email === data.Email,
      );
      this.same(`${name}: contacts ${data.Email} in NetSuite`, same.length, 1);
    }
    const tasks = this.all('netsuite.projectTask').filter(({ data }) => data.project === job.id);
    this.same(
      `${name}: tasks in NetSuite`,
      tasks.length,
      sum(lines, ({ tasks: count }) => count),
    );
    this.same(
      `${name}: tasks of different names`,
      new Set(tasks.map(({ data }) => data.title)).size,
      tasks.length,
    );

    const key = `${KEY}${contract.data.Q2C_External_Id__c}`;
    const orders = this.all('netsuite.salesOrder').filter(({ data }) => data.externalId === key);
    this.same(`${name}: sales orders in NetSuite`, orders.length, fixed.length > 0 ? 1 : 0);
    for (const order of orders) this.judgeOrder(order, job, fixed, name);
  }

  private judgeOrder(order: SimRecord, job: SimRecord, fixed: Line[], name: string): void {
    const items = order.data.item as Record<string, unknown>[];
    this.same(`${name}: lines of the sales order`, items.length, fixed.length);
    this.same(
      `${name}: total of the sales order`,
      Number(order.data.subTotal),
      sum(fixed, ({ amount }) => amount),
    );
    this.same(
      `${name}: project of the sales order`,
      String(items.map((item) => item.job)),
      String(fixed.map(() => job.id)),
    );
    const ids = items.map(({ billingSchedule }) => billingSchedule);
    const schedules = this.all('netsuite.billingSchedule').filter(({ id }) => ids.includes(id));
    this.same(`${name}: billing schedules in NetSuite`, schedules.length, fixed.length);
    const entries = schedules.map(
      ({ data }) => ((data.milestone ?? data.recurrence ?? []) as unknown[]).length,
    );
    this.same(
      `${name}: dates of the billing schedules`,
      String(entries.sort()),
      String(fixed.map(({ billedParts }) => billedParts).sort()),
    );
  }

  private judgePsa({ lines, projectNumber, opportunity }: ExpectedDeal, name: string): void {
    const projects = this.all('kantata.workspaces').filter(({ data }) =>
      String(data.description).startsWith(`Project ${projectNumber}\n`),
    );
    this.same(`${name}: projects in Kantata`, projects.length, 1);
    const [project] = projects;
    if (project === undefined) return;
    const fixed = lines.filter(({ model }) => FIXED_MODELS.includes(model));
    const billed = this.all('kantata.billing_milestones').filter(
      ({ data }) => data.workspace_id === project.id,
    );
    this.same(
      `${name}: billing milestones in Kantata`,
      billed.length,
      sum(fixed, ({ billedParts }) => billedParts),
    );
    this.same(
      `${name}: cents of the billing milestones`,
      sum(billed, ({ data }) => Number(data.amount_in_cents)),
      Math.round(sum(fixed, ({ amount }) => amount * 100)),
    );
    const stories = this.all('kantata.stories').filter(({ data }) => data.workspace_id === project.id);
    const ours = stories.filter(({ id }) => this.referenceOf('Story', id) !== undefined);
    const milestones = lines.filter(({ model }) => model === 'milestone');
    this.same(
      `${name}: milestones in Kantata`,
      ours.length,
      sum(milestones, ({ billedParts }) => billedParts),
    );
    this.same(
      `${name}: tasks from the template in Kantata`,
      stories.length - ours.length,
      this.templateSize(String(opportunity.data.Q2C_Service_Line__c)),
    );
  }

  /** Tasks of the firm's template for a service line, with those inside others. */
  private templateSize(serviceLine: string): number {
    const id = firm.lookups.kantata?.projectTemplate?.[serviceLine];
    const template = this.one('kantata.project_templates', (record) => record.id === id, `template ${id}`);
    const { stories } = JSON.parse(String(template.data.raw_json)) as { stories: TemplateStory[] };
    return sum(stories, sizeOf);
  }

  // ---------------------------------------------------------------- over all deals

  private judgeAccount(account: SimRecord): void {
    const customers = this.customersOf(account);
    this.same(`customers in NetSuite of ${account.data.Name}`, customers.length, 1);
    this.same(
      `customer number in Salesforce of ${account.data.Name}`,
      account.data.Q2C_Customer_Number__c,
      customers[0]?.data.entityId,
    );
    const taxNumber = account.data.Q2C_Tax_Registration__c;
    const sameTax = this.all('netsuite.customer').filter(({ data }) => data.vatRegNumber === taxNumber);
    this.same(`customers in NetSuite with tax registration ${taxNumber}`, sameTax.length, 1);
  }

  private customersOf(account: SimRecord): SimRecord[] {
    const key = `${KEY}${account.data.Q2C_External_Id__c}`;
    return this.all('netsuite.customer').filter(({ data }) => data.externalId === key);
  }

  /** No key of ours is on two records of a type. */
  private judgeKeys(): void {
    for (const type of TYPES.netsuite) {
      const keys = this.ours(type).map(({ data }) => String(data.externalId));
      this.unique(`key of ours in NetSuite ${type}`, keys);
    }
    this.unique(
      'reference of ours in Kantata',
      this.all('kantata.external_references').map(({ data }) => String(data.lookup_key)),
    );
  }

  /** Nothing is there that no deal asked for: a half-made or doubled record with another key would be. */
  private judgeTotals(): void {
    const { deals } = this;
    const lines = deals.flatMap((deal) => deal.lines);
    const fixed = lines.filter(({ model }) => FIXED_MODELS.includes(model));
    const withOrder = deals.filter((deal) => deal.lines.some(({ model }) => FIXED_MODELS.includes(model)));
    const total = (type: string) => this.all(type).length;
    this.same(
      'customers of ours',
      this.ours('customer').length,
      new Set(deals.map(({ account }) => account)).size,
    );
    this.same(
      'contacts of ours',
      this.ours('contact').length,
      new Set(deals.flatMap(({ contacts }) => contacts)).size,
    );
    this.same('jobs in all', total('netsuite.job'), deals.length);
    this.same(
      'tasks in all',
      total('netsuite.projectTask'),
      sum(lines, ({ tasks }) => tasks),
    );
    this.same('billing schedules in all', total('netsuite.billingSchedule'), fixed.length);
    this.same('sales orders in all', total('netsuite.salesOrder'), withOrder.length);
    this.same('Kantata projects in all', total('kantata.workspaces'), deals.length);
    this.same(
      'billing milestones in all',
      total('kantata.billing_milestones'),
      sum(fixed, (line) => line.billedParts),
    );
  }

  // ---------------------------------------------------------------- small parts

  private all(type: string): SimRecord[] {
    const found = this.records[type];
    if (found === undefined) throw new Error(`${type} was not read`);
    return found;
  }

  private one(type: string, is: (record: SimRecord) => boolean, what: string): SimRecord {
    const found = this.all(type).find(is);
    if (found === undefined) throw new Error(`There is no ${what}`);
    return found;
  }

  private ours(type: string): SimRecord[] {
    return this.all(`netsuite.${type}`).filter(({ data }) => String(data.externalId ?? '').startsWith(KEY));
  }

  private referenceOf(subject: string, id: string): SimRecord | undefined {
    return this.all('kantata.external_references').find(
      ({ data }) => data.subject_key === `${subject}/${id}`,
    );
  }

  private same(what: string, actual: unknown, wanted: unknown): void {
    if (actual !== wanted) this.found.push(`${what}: ${String(actual)}, not ${String(wanted)}`);
  }

  private unique(what: string, values: string[]): void {
    const seen = new Set<string>();
    for (const value of values) {
      if (seen.has(value)) this.found.push(`${what} is there twice: ${value}`);
      seen.add(value);
    }
  }
}

interface TemplateStory {
  sub_stories?: TemplateStory[];
}

const sizeOf = ({ sub_stories = [] }: TemplateStory): number => 1 + sum(sub_stories, sizeOf);

function sum<T>(items: readonly T[], numberOf: (item: T) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0);
}
