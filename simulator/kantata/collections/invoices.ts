import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
  ALL_METHODS,
  both,
  byField,
  type Collection,
  command,
  createdAt,
  dateBetween,
  fieldIn,
  inWorkspaces,
  names,
  onCreate,
  presence,
  READ_ONLY,
  stored,
  updatedAt,
} from '../collection';
import type { Draft } from '../draft';
import { invalid, unprocessable } from '../errors';
import { baseUnit, currencyAttributes, timeCents } from '../money';
import {
  addDays,
  boolean,
  date,
  decimal,
  id,
  ids,
  integer,
  isObject,
  object,
  objects,
  readId,
  strings,
  text,
} from '../values';
import { remove } from '../writing';
import { externalReferences } from './planning';

/** Invoices made in Kantata, the lines they take up, and payments recorded outside of it. */

/** Attribute with the ids of lines → where the lines are. */
const LINES = {
  time_entry_ids: 'time_entries',
  expense_ids: 'expenses',
  billing_milestone_ids: 'billing_milestones',
} as const;
type LineAttribute = keyof typeof LINES;
const LINE_ATTRIBUTES: LineAttribute[] = ['time_entry_ids', 'expense_ids', 'billing_milestone_ids'];
const ITEMS = { fixed_fee_items: 'fixed_fee_item_ids', additional_items: 'additional_item_ids' } as const;

const workspaceIds = (draft: Draft): string[] =>
  [draft.get('workspace_id') ?? [], draft.get('workspace_ids') ?? []].flat().map(String);

export const invoices: Collection = {
  key: 'invoices',
  root: 'invoice',
  subject: 'Invoice',
  methods: ALL_METHODS,
  visible: names(`
    created_at updated_at invoice_date due_date message title draft status balance_in_cents currency
    currency_symbol currency_base_unit payment_schedule user_invoice_title user_invoice_number tax_rate
    purchase_order project_code`),
  present: ({ data }) => ({
    ...currencyAttributes(data.currency),
    title: data.user_invoice_title ?? 'Invoice',
  }),
  associations: {
    additional_items: stored('additional_items', 'additional_item_ids'),
    billing_milestones: stored('billing_milestones', 'billing_milestone_ids'),
    expenses: stored('expenses', 'expense_ids'),
    external_references: externalReferences('Invoice'),
    fixed_fee_items: stored('fixed_fee_items', 'fixed_fee_item_ids'),
    recipient: stored('users', 'recipient_id'),
    time_entries: stored('time_entries', 'time_entry_ids'),
    user: stored('users', 'user_id'),
    workspaces: stored('workspaces', 'workspace_ids'),
  },
  inputs: {
    workspace_id: command(onCreate(id('workspaces'))),
    workspace_ids: onCreate(ids('workspaces')),
    time_entry_ids: both(ids('time_entries')),
    expense_ids: both(ids('expenses')),
    billing_milestone_ids: both(ids('billing_milestones')),
    fixed_fee_items: command(onCreate(objects)),
    additional_items: command(onCreate(objects)),
    payment_schedule: both(integer(0)),
    invoice_date: both(date),
    user_invoice_number: both(text(255)),
    user_invoice_title: both(text(255)),
    draft: both(boolean),
    message: both(text()),
    purchase_order: both(text(255)),
    project_code: both(text(255)),
    suppress_emails: command(onCreate(boolean)),
    tax_rate: both(decimal),
    external_reference: command(both(object)),
  },
  defaults: (draft) => ({
    invoice_date: draft.account.today,
    payment_schedule: 30,
    draft: false,
    tax_rate: 0,
    user_id: draft.account.actor,
    workspace_ids: [],
    time_entry_ids: [],
    expense_ids: [],
    billing_milestone_ids: [],
    fixed_fee_item_ids: [],
    additional_item_ids: [],
    items_in_cents: 0,
    taxable_items_in_cents: 0,
  }),
  check,
  after: takeLines,
  locked: ({ data }) =>
    ['paid', 'cancelled'].includes(String(data.status))
      ? 'A paid or cancelled invoice cannot be changed'
      : null,
  destroy(record, account) {
    releaseLines(record, account);
    remove(account, invoices, record);
  },
  actions: {
    cancel(record, _body, account) {
      if (['paid', 'cancelled'].includes(String(record.data.status))) {
        throw unprocessable([
          invalid('status', `A ${String(record.data.status)} invoice cannot be cancelled`),
        ]);
      }
      releaseLines(record, account);
      return account.update(record, { status: 'cancelled', balance_in_cents: 0 });
    },
  },
  filters: {
    paid: presence(({ data }) => data.status === 'paid'),
    pending: presence(({ data }) => data.status === 'pending'),
    without_drafts: presence(({ data }) => data.draft !== true),
    user_invoice_number: fieldIn('user_invoice_number'),
    within_dates: dateBetween('invoice_date'),
    workspace_id: {
      test:
        (value) =>
        ({ data }) =>
          strings(data.workspace_ids).includes(value),
    },
  },
  orders: {
    created_at: createdAt,
    updated_at: updatedAt,
    id: (record) => Number(record.id),
    invoice_date: byField('invoice_date'),
  },
  order: 'created_at:desc',
};

// ---------------------------------------------------------------- rules

function check(draft: Draft): void {
  const workspaces = [...new Set(workspaceIds(draft))];
  draft.set('workspace_ids', workspaces);
  if (workspaces.length === 0) draft.refuse('workspace_id', "can't be blank");
  const currencies = new Set(workspaces.map((id) => draft.account.need('workspaces', id).data.currency));
  if (currencies.size > 1) draft.refuse('workspace_ids', 'must all have the same currency');
  draft.set('currency', [...currencies][0]);
  const lines = LINE_ATTRIBUTES.flatMap((attribute) => checkLines(draft, attribute, workspaces));
  const items = checkItems(draft);
  if (lines.length === 0 && items === 0 && !draft.before)
    draft.refuse('base', 'An invoice needs at least one item');
  draft.set('due_date', addDays(draft.text('invoice_date'), draft.number('payment_schedule')));
  draft.set('status', draft.get('draft') ? 'draft' : 'pending');
  draft.set('balance_in_cents', total(draft, lines));
}

function checkLines(draft: Draft, attribute: LineAttribute, workspaces: string[]): SimRecord[] {
  const lines = strings(draft.get(attribute)).map((id) => draft.account.need(LINES[attribute], id));
  for (const line of lines) {
    const problem = lineProblem(draft, line, workspaces);
    if (problem) draft.refuse(attribute, problem);
  }
  return lines;
}

/** Why a line cannot be on the invoice. With approvals switched on, only approved lines are invoiceable. */
function lineProblem(draft: Draft, line: SimRecord, workspaces: string[]): string | null {
  const { data } = line;
  if (!workspaces.includes(String(data.workspace_id))) return 'must be in the project of the invoice';
  if (data.invoice_id && data.invoice_id !== draft.before?.id) return 'are invoiced already';
  if (line.type === 'billing_milestones') return null;
  if (data.billable !== true) return 'must be billable';
  return data.approved === true ? null : 'must be approved';
}

const items = (draft: Draft, attribute: string): Data[] => {
  const sent = draft.values[attribute];
  return Array.isArray(sent) ? sent.filter(isObject) : [];
};

/** Amounts of items are whole units of the currency, unlike all other amounts. */
function checkItems(draft: Draft): number {
  let count = 0;
  for (const attribute of Object.keys(ITEMS)) {
    for (const item of items(draft, attribute)) {
      count += 1;
      if (!/^-?\d+$/.test(String(item.amount))) draft.refuse(`${attribute}.amount`, 'must be an integer');
    }
  }
  return count;
}

function total(draft: Draft, lines: SimRecord[]): number {
  const unit = baseUnit(draft.get('currency'));
  let net = draft.number('items_in_cents');
  let taxable = draft.number('taxable_items_in_cents');
  for (const attribute of Object.keys(ITEMS)) {
    for (const item of items(draft, attribute)) {
      net += Number(item.amount) * unit;
      if (item.taxable === true) taxable += Number(item.amount) * unit;
    }
  }
  draft.set('items_in_cents', net);
  draft.set('taxable_items_in_cents', taxable);
  for (const line of lines) {
    net += lineAmount(line);
    if (line.data.taxable === true) taxable += lineAmount(line);
  }
  return net + Math.round((taxable * draft.number('tax_rate')) / 100);
}

const lineAmount = ({ type, data }: SimRecord): number =>
  type === 'time_entries'
    ? timeCents(Number(data.time_in_minutes), Number(data.rate_in_cents))
    : Number(data.amount_in_cents);

// ---------------------------------------------------------------- effects

function takeLines(draft: Draft, record: SimRecord): void {
  const { account } = draft;
  for (const attribute of LINE_ATTRIBUTES) {
    const before = strings(draft.before?.data[attribute]);
    const now = strings(record.data[attribute]);
    for (const id of before.filter((each) => !now.includes(each))) mark(account, attribute, id, null);
    for (const id of now) mark(account, attribute, id, record.id);
  }
  for (const attribute of ['fixed_fee_items', 'additional_items'] as const) {
    const made = items(draft, attribute).map((item) => insertItem(draft, attribute, item).id);
    const key = ITEMS[attribute];
    if (made.length > 0) account.update(record, { [key]: made });
  }
}

function insertItem(draft: Draft, collection: keyof typeof ITEMS, item: Data): SimRecord {
  const currency = draft.get('currency');
  return draft.account.insert(collection, {
    notes: item.notes ?? null,
    amount_in_cents: Number(item.amount) * baseUnit(currency),
    taxable: item.taxable === true,
    currency,
    story_id: readId(item.story_id),
    workspace_id: readId(item.workspace_id) ?? workspaceIds(draft)[0],
  });
}

function mark(account: Account, attribute: LineAttribute, id: string, invoiceId: string | null): void {
  const line = account.get(LINES[attribute], id);
  if (line) account.update(line, { invoice_id: invoiceId, is_invoiced: invoiceId !== null });
}

function releaseLines(record: SimRecord, account: Account): void {
  for (const attribute of LINE_ATTRIBUTES) {
    for (const id of strings(record.data[attribute])) mark(account, attribute, id, null);
  }
}

const item = (key: string, root: string, withStory: boolean): Collection => ({
  key,
  root,
  methods: READ_ONLY,
  visible: ['created_at', 'notes', 'amount_in_cents', 'taxable', 'currency'],
  associations: {
    ...(withStory && { story: stored('stories', 'story_id') }),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {},
});
export const fixedFeeItems = item('fixed_fee_items', 'fixed_fee_item', true);
export const additionalItems = item('additional_items', 'additional_item', false);

/** With an invoice, a payment is always of its whole balance: partial payments cannot be recorded against one. */
export const externalPayments: Collection = {
  key: 'external_payments',
  root: 'external_payment',
  methods: [...READ_ONLY, 'create', 'delete'],
  visible: ['created_at', 'updated_at', 'amount_in_cents', 'message'],
  associations: {
    invoice: stored('invoices', 'invoice_id'),
    user: stored('users', 'user_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    invoice_id: onCreate(id('invoices')),
    amount_in_cents: onCreate(integer(0)),
    message: onCreate(text(255)),
  },
  required: { workspace_id: "can't be blank" },
  defaults: (draft) => ({ user_id: draft.account.actor }),
  check(draft) {
    const invoice = draft.related('invoices', 'invoice_id');
    if (!invoice) {
      if (draft.get('amount_in_cents') === null) draft.refuse('amount_in_cents', "can't be blank");
      return;
    }
    const projects = strings(invoice.data.workspace_ids);
    if (projects.length > 1) draft.refuse('invoice_id', 'must be for a single project');
    if (!projects.includes(draft.text('workspace_id'))) draft.refuse('invoice_id', 'must be of the project');
    if (invoice.data.status !== 'pending') draft.refuse('invoice_id', 'must be pending and not a draft');
    draft.set('amount_in_cents', invoice.data.balance_in_cents);
  },
  after(draft) {
    const invoice = draft.related('invoices', 'invoice_id');
    if (invoice) draft.account.update(invoice, { status: 'paid', balance_in_cents: 0 });
  },
  destroy(record, account) {
    const invoice = account.get('invoices', record.data.invoice_id);
    if (invoice)
      account.update(invoice, { status: 'pending', balance_in_cents: record.data.amount_in_cents });
    account.remove(record);
  },
  filters: {
    workspace_id: inWorkspaces((account, id) => account.find('external_payments.workspace_id', id)),
  },
};
