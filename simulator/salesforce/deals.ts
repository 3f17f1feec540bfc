import { ControlError, type ControlRoute, type SimContext, type SimRecord } from '../kit/types';
import { newAccount, seededAccounts, seededDeal } from '../seed/generate';
import type { SeedAccount, SeedDeal, SeedDealLine, SeedWorld } from '../seed/world';
import { readDeal } from './deal-body';
import type { Org } from './org';
import { asPerson, personOrg } from './person';
import { objectNamed } from './schema';
import { insertAccount, priceBookEntry, priceBookId } from './set-up';

/** Deals of the seeded world in the org: which opportunity is which deal, and what salespeople do with them. */

const OPPORTUNITY = objectNamed('Opportunity');
const CONTRACT = objectNamed('Contract');

/** Internal record types: key of the world ↔ id in the org. */
const DEAL = '_Deal';
const ACCOUNT_KEY = '_AccountKey';
const TAX_NUMBER = '_TaxNumber';
/** Counts the accounts that have come in after those of the world. */
const NEW_ACCOUNT = '_NewAccount';
const SEED = 'world.seed';

export const DEAL_INDEXES = [`${DEAL}.key`, `${DEAL}.accountKey`, `${ACCOUNT_KEY}.key`];

const MAX_CLOSE = 5_000;

/** Stage of a deal that is nearly won. */
const OPEN_STAGE = 'Negotiation/Review';

const ROLES = {
  buyer: 'Economic Buyer',
  approver: 'Decision Maker',
  billing: 'Business User',
  delivery: 'Executive Sponsor',
};

export function insertWorld(context: SimContext, world: SeedWorld): void {
  const org = personOrg(context);
  context.db.setValue(SEED, String(world.seed));
  for (const account of world.accounts) enterAccount(org, account);
  for (const deal of world.deals) {
    context.db.next(DEAL);
    insertDeal(org, deal);
  }
}

function enterAccount(org: Org, account: SeedAccount): void {
  const { key } = account;
  org.context.db.insert(ACCOUNT_KEY, key, { key, accountId: insertAccount(org, account) });
  org.context.db.insert(TAX_NUMBER, account.taxNumber, {});
}

export const dealRoutes: readonly ControlRoute[] = [
  {
    method: 'POST',
    path: 'deals/close',
    handle: (body, context) => asPerson(() => closeDeals(body, context)),
  },
  { method: 'POST', path: 'deals', handle: (body, context) => asPerson(() => createDeal(body, context)) },
];

/** What the routes answer of a deal. */
interface DealAnswer {
  key: string;
  opportunityId: string;
  name: string;
}

/**
 * `POST /_control/deals/close {count?, key?, accountKey?, newAccounts?}`: wins the next open deals (of one account), or
 * the one with the key. Goes on with new deals of the same seed when the open ones run out. With `newAccounts` all are
 * new, each of an account that has bought nothing before.
 */
function closeDeals(body: Record<string, unknown>, context: SimContext): DealAnswer[] {
  const { count = 1, key, accountKey, newAccounts = false } = body;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_CLOSE) {
    throw new ControlError('INVALID_PARAMETER', `count must be a whole number from 1 to ${MAX_CLOSE}`);
  }
  if (typeof newAccounts !== 'boolean' || (newAccounts && (key ?? accountKey) !== undefined)) {
    throw new ControlError(
      'INVALID_PARAMETER',
      'newAccounts is true or false, and true without key and accountKey',
    );
  }
  const org = personOrg(context);
  if (newAccounts)
    return Array.from({ length: count }, () => close(org, insertDeal(org, nextDealOfNewAccount(org))));
  if (key !== undefined) return [close(org, openDeal(org, key))];
  if (accountKey !== undefined) accountId(org, accountKey);
  const wanted = accountKey === undefined ? undefined : String(accountKey);
  const known = wanted === undefined ? context.db.list(DEAL) : context.db.findBy(DEAL, 'accountKey', wanted);
  const open = known.filter((deal) => isOpen(org, deal)).slice(0, count);
  while (open.length < count) open.push(generateNext(org, wanted));
  return open.map((deal) => close(org, deal));
}

/** `POST /_control/deals`: an open deal, see `deal-body.ts` for what can be given. */
function createDeal(body: Record<string, unknown>, context: SimContext): DealAnswer & { contractId: string } {
  const org = personOrg(context);
  const { deal, opportunity, contract } = readDeal(body, nextDeal(org, undefined));
  if (context.db.findBy(DEAL, 'key', deal.key).length > 0) {
    throw new ControlError('DUPLICATE_VALUE', `There is a deal ${deal.key} already`);
  }
  const record = insertDeal(org, deal, { opportunity, contract });
  return { ...answer(org, record), contractId: String(record.data.contractId) };
}

/** The contract is signed and activated, then the deal is won: whoever sees the won deal finds an active contract. */
function close(org: Org, deal: SimRecord): DealAnswer {
  const contract = org.find(CONTRACT, String(deal.data.contractId));
  if (contract && contract.data.Status !== 'Activated') {
    const signed = String(opportunityOf(org, deal).data.CloseDate);
    org.update(CONTRACT, contract, {
      Status: 'Activated',
      CustomerSignedDate: signed,
      CompanySignedDate: signed,
    });
  }
  org.update(OPPORTUNITY, opportunityOf(org, deal), { StageName: 'Closed Won' });
  return answer(org, deal);
}

function openDeal(org: Org, key: unknown): SimRecord {
  const [deal] = org.context.db.findBy(DEAL, 'key', String(key));
  if (!deal) throw new ControlError('NOT_FOUND', `There is no deal ${key}`);
  if (!isOpen(org, deal)) throw new ControlError('DEAL_NOT_OPEN', `Deal ${key} is closed already`);
  return deal;
}

function isOpen(org: Org, deal: SimRecord): boolean {
  const opportunity = org.find(OPPORTUNITY, String(deal.data.opportunityId));
  return opportunity !== undefined && !String(opportunity.data.StageName).startsWith('Closed');
}

function opportunityOf(org: Org, deal: SimRecord): SimRecord {
  const opportunity = org.find(OPPORTUNITY, String(deal.data.opportunityId));
  if (!opportunity)
    throw new ControlError('NOT_FOUND', `The opportunity of deal ${deal.data.key} was deleted`);
  return opportunity;
}

function answer(org: Org, deal: SimRecord): DealAnswer {
  const { id, data } = opportunityOf(org, deal);
  return { key: String(deal.data.key), opportunityId: id, name: String(data.Name) };
}

function generateNext(org: Org, accountKey: string | undefined): SimRecord {
  return insertDeal(org, nextDeal(org, accountKey));
}

function nextDealOfNewAccount(org: Org): SeedDeal {
  const { db } = org.context;
  const seed = Number(db.getValue(SEED));
  const generated = () => newAccount(seed, db.next(NEW_ACCOUNT));
  let account = generated();
  // Among thousands two have the same tax number by chance, which in life is one company entered twice.
  while (db.get(TAX_NUMBER, account.taxNumber) !== undefined) account = generated();
  enterAccount(org, account);
  return seededDeal(seed, db.next(DEAL), [account]);
}

function nextDeal(org: Org, accountKey: string | undefined): SeedDeal {
  const { db } = org.context;
  const seed = Number(db.getValue(SEED));
  const chosen = seededAccounts(seed).filter(({ key }) => accountKey === undefined || key === accountKey);
  return seededDeal(seed, db.next(DEAL), chosen);
}

function accountId(org: Org, key: unknown): string {
  const record = org.context.db.get(ACCOUNT_KEY, String(key));
  if (!record) throw new ControlError('NOT_FOUND', `There is no account ${key}`);
  return String(record.data.accountId);
}

interface Overrides {
  /** Fields of the record as the org names them; they win over what the deal says. */
  opportunity?: Record<string, unknown>;
  contract?: Record<string, unknown>;
}

/** Enters a deal as salespeople do: contract as a draft, opportunity, people, lines, schedules. */
function insertDeal(org: Org, deal: SeedDeal, overrides: Overrides = {}): SimRecord {
  const account = accountId(org, deal.accountKey);
  const contract = org.create(CONTRACT, { ...contractData(deal, account), ...overrides.contract });
  const { Amount: wantedAmount, ...opportunity } = {
    ...opportunityData(org, deal, account, contract.id),
    ...overrides.opportunity,
  };
  const { id } = org.create(OPPORTUNITY, opportunity);
  insertRoles(org, id, account);
  for (const line of deal.lines) insertLine(org, deal, id, line);
  const entered = org.find(OPPORTUNITY, id);
  if (entered && entered.data.Amount !== wantedAmount)
    org.update(OPPORTUNITY, entered, { Amount: wantedAmount });
  const data = { key: deal.key, accountKey: deal.accountKey, opportunityId: id, contractId: contract.id };
  return org.context.db.insert(DEAL, deal.key, data);
}

function contractData(deal: SeedDeal, account: string): Record<string, unknown> {
  return {
    AccountId: account,
    Name: deal.name.slice(0, 80),
    StartDate: deal.startDate,
    ContractTerm: monthsBetween(deal.startDate, deal.endDate),
    CurrencyIsoCode: deal.currency,
    Q2C_Total_Value__c: Number(deal.amount),
    Q2C_PO_Number__c: deal.poNumber ?? null,
    Q2C_Payment_Terms__c: deal.paymentTerms,
  };
}

function opportunityData(
  org: Org,
  deal: SeedDeal,
  account: string,
  contract: string,
): Record<string, unknown> {
  return {
    AccountId: account,
    Name: deal.name,
    StageName: OPEN_STAGE,
    CloseDate: deal.closeDate,
    Amount: Number(deal.amount),
    CurrencyIsoCode: deal.currency,
    Pricebook2Id: priceBookId(org),
    ContractId: contract,
    Type: 'New Customer',
    Q2C_Service_Line__c: deal.serviceLine,
    Q2C_Region__c: deal.region,
  };
}

/** The people of the account take part; its buyer is the primary contact. */
function insertRoles(org: Org, opportunityId: string, account: string): void {
  for (const contact of org.children('Contact', 'AccountId', account)) {
    const role = ROLES[String(contact.data.Q2C_Role__c) as keyof typeof ROLES];
    org.create(objectNamed('OpportunityContactRole'), {
      OpportunityId: opportunityId,
      ContactId: contact.id,
      Role: role ?? 'Other',
      IsPrimary: contact.data.Q2C_Role__c === 'buyer',
    });
  }
}

function insertLine(org: Org, deal: SeedDeal, opportunityId: string, line: SeedDealLine): void {
  const entry = priceBookEntry(org, line.serviceCode, deal.currency);
  if (!entry) throw new ControlError('NOT_FOUND', `There is no product ${line.serviceCode}`);
  const { id } = org.create(objectNamed('OpportunityLineItem'), {
    OpportunityId: opportunityId,
    PricebookEntryId: entry,
    Quantity: Number(line.quantity),
    UnitPrice: Number(line.unitPrice),
    Description: line.description,
    ServiceDate: deal.startDate,
    Q2C_Commercial_Model__c: line.commercialModel,
    Q2C_Cap_Amount__c: line.capAmount === undefined ? null : Number(line.capAmount),
    Q2C_Included_Quantity__c: line.retainer ? Number(line.retainer.includedHours) : null,
    Q2C_Overage_Rate__c: line.retainer ? Number(line.retainer.overageRate) : null,
    Q2C_Markup__c: line.markupPercent === undefined ? null : Number(line.markupPercent),
  });
  for (const part of line.schedule ?? []) {
    org.create(objectNamed('OpportunityLineItemSchedule'), {
      OpportunityLineItemId: id,
      Type: 'Revenue',
      Revenue: Number(part.amount),
      ScheduleDate: part.date,
      Description: part.description,
    });
  }
}

/** Months of a term that begins on the first day and ends on the last, both included. */
function monthsBetween(start: string, end: string): number {
  const [fromYear = 0, fromMonth = 0] = start.split('-').map(Number);
  const [toYear = 0, toMonth = 0, toDay = 0] = end.split('-').map(Number);
  const months = (toYear - fromYear) * 12 + toMonth - fromMonth;
  return toDay >= Number(start.slice(8)) ? months + 1 : months;
}
