import { type Attributes, fields, ids, objects, reference, startAccount, type TestAccount } from './support';

let account: TestAccount;
let workspaceId: string;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());
beforeEach(async () => {
  workspaceId = (await project()).id;
});

const project = (attributes: Attributes = {}) =>
  account.create('workspaces', 'workspace', {
    title: 'Billable',
    currency: 'EUR',
    rate_card_id: 51,
    participations: [{ user_id: 5 }, { user_id: 6 }],
    ...attributes,
  });
const entry = (attributes: Attributes = {}, query = '') =>
  account.create(
    'time_entries',
    'time_entry',
    {
      workspace_id: workspaceId,
      user_id: 5,
      date_performed: '2026-01-06',
      time_in_minutes: 450,
      ...attributes,
    },
    query,
  );
const submit = (line_item_ids: string[], attributes: Attributes = {}) =>
  account.call('POST', 'timesheet_submissions?include=time_entries', {
    timesheet_submission: {
      workspace_id: workspaceId,
      user_id: 5,
      title: 'Week 2',
      line_item_ids: line_item_ids.map(Number),
      ...attributes,
    },
  });
const submission = async (line_item_ids: string[]) => {
  const [made] = objects((await submit(line_item_ids)).body);
  if (!made) throw new Error('nothing was submitted');
  return made;
};
const resolve = (id: string, action: string) =>
  account.call('PUT', `timesheet_submissions/${id}/${action}`, {
    resolution: { description: `to ${action}` },
  });
const reload = async (id: string) =>
  (await account.list(`time_entries?only=${id}&include=active_submission,recent_submission,invoice`))[0];
const approvedEntry = async (attributes: Attributes = {}) => {
  const made = await entry(attributes);
  await resolve((await submission([made.id])).id, 'approve');
  return made;
};

describe('time entries', () => {
  it('take rate and role from the person, billable from the task', async () => {
    const story = await account.create('stories', 'story', { workspace_id: workspaceId, title: 'Design' });
    const made = await entry({ story_id: story.id }, '?include=role,user,story,workspace');
    expect(made).toMatchObject({
      rate_in_cents: 150_00,
      role_id: '32',
      user_id: '5',
      story_id: story.id,
      workspace_id: workspaceId,
      billable: true,
      approved: false,
      is_invoiced: false,
      currency: 'EUR',
    });
    expect((await account.list(`stories?only=${story.id}`))[0]).toMatchObject({
      logged_billable_time_in_minutes: 450,
      budget_used_in_cents: 1125_00,
    });
    expect((await account.list(`workspaces?only=${workspaceId}`))[0]).toMatchObject({
      budget_used: '€1,125',
    });
  });

  it.each([
    [{ time_in_minutes: 0 }, 'time_in_minutes'],
    [{ time_in_minutes: 1441 }, 'time_in_minutes'],
    [{ time_in_minutes: 7.5 }, 'time_in_minutes'],
    [{ date_performed: undefined }, 'date_performed'],
    [{ user_id: 7 }, 'user_id'],
    [{ story_id: 1 }, 'story_id'],
    [{ location: 'Berlin' }, 'location'],
  ])('are refused with %j', async (attributes, field) => {
    const time_entry = {
      workspace_id: workspaceId,
      user_id: 5,
      date_performed: '2026-01-06',
      time_in_minutes: 60,
      ...attributes,
    };
    expect(fields(await account.call('POST', 'time_entries', { time_entry }))).toEqual([field]);
  });

  it('need notes and approval as the project says', async () => {
    const { id } = await project({ require_time_approvals: false, require_notes_on_time_entries: true });
    const time_entry = { workspace_id: id, user_id: 5, date_performed: '2026-01-06', time_in_minutes: 60 };
    expect(fields(await account.call('POST', 'time_entries', { time_entry }))).toEqual(['notes']);
    expect(await entry({ workspace_id: id, notes: 'done' })).toMatchObject({ approved: true });
  });

  it('are filtered by day, person, project and billing', async () => {
    const early = await entry({ date_performed: '2025-12-31' });
    const other = await entry({ user_id: 6, date_performed: '2026-01-31' });
    const found = async (query: string) =>
      (await account.list(`time_entries?workspace_ids=${workspaceId}&${query}`)).map(({ id }) => id);
    expect(await found('date_performed_between=2026-01-01:2026-01-31')).toEqual([other.id]);
    expect(await found('with_user_ids=5,9')).toEqual([early.id]);
    expect(await found('')).toEqual([other.id, early.id]);
    expect(await found('invoiced=false')).toEqual([]);
    expect(await found('uninvoiced=false')).toHaveLength(2);
    await account.call('PUT', `workspaces/${workspaceId}`, { workspace: { archived: true } });
    expect(await found('')).toEqual([]);
    expect(await found('from_archived_workspaces=true')).toHaveLength(2);
  });

  it('are deleted in bulk, all or none', async () => {
    const [a, b, locked] = [await entry(), await entry(), await approvedEntry()];
    const remove = async (...entries: string[]) =>
      (await account.call('DELETE', `time_entries?ids=${entries.join()}`)).status;
    expect(await remove(a.id, locked.id)).toBe(422);
    expect(await remove(a.id, '999999')).toBe(404);
    expect(await account.list(`time_entries?only=${a.id},${b.id}`)).toHaveLength(2);
    expect(await remove(a.id, b.id)).toBe(204);
    expect(await account.list(`time_entries?only=${a.id},${b.id}`)).toEqual([]);
    expect(await remove(...Array.from({ length: 101 }, (_, n) => String(n)))).toBe(400);
  });
});

describe('timesheets', () => {
  it('hold the entries of one person, project and week', async () => {
    const [monday, sunday] = [
      await entry({ date_performed: '2026-01-05' }),
      await entry({ date_performed: '2026-01-11' }),
    ];
    expect(await submission([monday.id, sunday.id])).toMatchObject({
      status: 'new',
      start_date: '2026-01-05',
      end_date: '2026-01-11',
      line_item_total_in_cents: 2250_00,
      time_entry_ids: [monday.id, sunday.id],
      permissions: { can_approve_submission: true },
    });
    const nextWeek = await entry({ date_performed: '2026-01-12' });
    const free = await entry();
    expect(fields(await submit([free.id, nextWeek.id]))).toEqual(['line_item_ids']);
    expect(fields(await submit([free.id], { user_id: 6 }))).toEqual(['line_item_ids']);
    expect(fields(await submit([monday.id]))).toEqual(['line_item_ids']);
    expect(fields(await submit([]))).toEqual(['line_item_ids']);
  });

  it('approve their entries, once and for all', async () => {
    const { id } = await entry();
    const sheet = await submission([id]);
    expect(await reload(id)).toMatchObject({ approved: false, active_submission_id: sheet.id });
    const reply = await resolve(sheet.id, 'approve');
    expect(reply.status).toBe(200);
    expect(objects(reply.body)[0]).toMatchObject({
      status: 'approved',
      current_resolution_description: 'to approve',
    });
    expect(await reload(id)).toMatchObject({ approved: true, active_submission_id: sheet.id });
    for (const action of ['approve', 'reject', 'cancel'])
      expect((await resolve(sheet.id, action)).status).toBe(422);
    const locked = await account.call('PUT', `time_entries/${id}`, { time_entry: { time_in_minutes: 1 } });
    expect(locked.status).toBe(422);
    expect((await account.call('DELETE', `time_entries/${id}`)).status).toBe(422);
    const external_reference = reference('billed');
    expect(
      (await account.call('PUT', `time_entries/${id}`, { time_entry: { external_reference } })).status,
    ).toBe(200);
  });

  it.each([
    ['reject', 'rejected'],
    ['cancel', 'cancelled'],
  ])('%s sets the entries free for a new sheet', async (action, status) => {
    const { id } = await entry();
    const sheet = await submission([id]);
    expect(objects((await resolve(sheet.id, action)).body)[0]).toMatchObject({ status });
    expect(await reload(id)).toMatchObject({
      approved: false,
      active_submission_id: null,
      recent_submission_id: sheet.id,
    });
    const again = await submission([id]);
    expect(again.id).not.toBe(sheet.id);
    expect(await reload(id)).toMatchObject({
      active_submission_id: again.id,
      recent_submission_id: again.id,
    });
    const inSheet = async (sheetId: string) => account.list(`time_entries?with_timesheet_id=${sheetId}`);
    expect([await inSheet(sheet.id), (await inSheet(again.id)).length]).toEqual([[], 1]);
  });

  it('are resolved many at once, all or none', async () => {
    const sheets = [await submission([(await entry()).id]), await submission([(await entry()).id])];
    const approve = (submission_ids: number[]) =>
      account.call('POST', 'timesheet_approvals', { resolution: { submission_ids, description: 'fine' } });
    const [first, second] = sheets.map(({ id }) => Number(id));
    expect((await approve([first ?? 0, 999999])).status).toBe(422);
    const statuses = async () =>
      (await account.list(`timesheet_submissions?workspace_ids=${workspaceId}`)).map(({ status }) => status);
    expect(await statuses()).toEqual(['new', 'new']);
    const reply = await approve([first ?? 0, second ?? 0]);
    expect(reply.status).toBe(200);
    expect(reply.body.resolutions).toMatchObject([
      { type: 'approval', target_id: first, target_type: 'TimesheetSubmission' },
      { type: 'approval', target_id: second },
    ]);
    expect(await statuses()).toEqual(['approved', 'approved']);
    expect(
      (await account.list(`timesheet_submissions?workspace_ids=${workspaceId}&statuses=new,rejected`)).length,
    ).toBe(0);
    expect(
      (await account.list(`timesheet_submissions?workspace_ids=${workspaceId}&active=true`)).length,
    ).toBe(2);
  });
});

describe('expenses', () => {
  it('are approved by expense reports', async () => {
    const expense = await account.create('expenses', 'expense', {
      workspace_id: workspaceId,
      user_id: 5,
      date: '2026-01-07',
      expense_category_id: 101,
      amount_in_cents: 128_437,
    });
    expect(expense).toMatchObject({
      category: 'Travel',
      is_billable: true,
      is_invoiced: false,
      currency: 'EUR',
    });
    const missing = await account.call('POST', 'expenses', { expense: { workspace_id: workspaceId } });
    expect(fields(missing).sort()).toEqual(['amount_in_cents', 'category', 'date']);
    const report = await account.create('expense_report_submissions', 'expense_report_submission', {
      title: 'Trip',
      workspace_id: workspaceId,
      user_id: 5,
      line_item_ids: [Number(expense.id)],
    });
    expect((await account.call('PUT', `expense_report_submissions/${report.id}/approve`, {})).status).toBe(
      200,
    );
    expect((await account.call('DELETE', `expenses/${expense.id}`)).status).toBe(422);
  });
});

describe('invoices', () => {
  const invoice = (attributes: Attributes) =>
    account.call('POST', 'invoices?include=time_entries,workspaces,fixed_fee_items', {
      invoice: { workspace_id: Number(workspaceId), suppress_emails: true, ...attributes },
    });

  it('take up approved time, milestones and items in whole units', async () => {
    const { id } = await approvedEntry();
    const milestone = await account.create('billing_milestones', 'billing_milestone', {
      workspace_id: workspaceId,
      title: 'M1',
      amount_in_cents: 45_000_00,
      date_to_invoice: '2026-01-31',
    });
    const [made] = objects(
      (
        await invoice({
          time_entry_ids: [Number(id)],
          billing_milestone_ids: [Number(milestone.id)],
          fixed_fee_items: [{ notes: 'Workshop', amount: 500, taxable: true }],
          invoice_date: '2026-01-31',
          payment_schedule: 30,
          tax_rate: '19',
        })
      ).body,
    );
    expect(made).toMatchObject({
      status: 'pending',
      balance_in_cents: 1125_00 + 45_000_00 + 500_00 + 95_00,
      due_date: '2026-03-02',
      currency: 'EUR',
      time_entry_ids: [id],
      workspace_ids: [workspaceId],
    });
    expect(ids(made?.fixed_fee_item_ids)).toHaveLength(1);
    expect(await reload(id)).toMatchObject({ is_invoiced: true, invoice_id: made?.id });
    expect(fields(await invoice({ time_entry_ids: [Number(id)] }))).toEqual(['time_entry_ids']);
    const change = { billing_milestone: { amount_in_cents: 1 } };
    expect((await account.call('PUT', `billing_milestones/${milestone.id}`, change)).status).toBe(422);
    expect((await account.call('DELETE', `workspaces/${workspaceId}`)).status).toBe(422);
  });

  it('refuse what cannot be billed', async () => {
    const unapproved = await entry();
    const unbillable = await approvedEntry({ billable: false });
    expect(fields(await invoice({ time_entry_ids: [Number(unapproved.id)] }))).toEqual(['time_entry_ids']);
    expect(fields(await invoice({ time_entry_ids: [Number(unbillable.id)] }))).toEqual(['time_entry_ids']);
    expect(fields(await invoice({}))).toEqual(['base']);
    expect(fields(await invoice({ additional_items: [{ amount: '12.50' }] }))).toEqual([
      'additional_items.amount',
    ]);
    expect(fields(await invoice({ workspace_id: undefined, additional_items: [{ amount: 12 }] }))).toEqual([
      'workspace_id',
    ]);
    const dollars = await project({ currency: 'USD', rate_card_id: 53 });
    const mixed = { workspace_id: undefined, workspace_ids: [Number(workspaceId), Number(dollars.id)] };
    expect(fields(await invoice({ ...mixed, additional_items: [{ amount: 12 }] }))).toEqual([
      'workspace_ids',
    ]);
  });

  it('set their lines free when they are cancelled or deleted', async () => {
    const { id } = await approvedEntry();
    const make = async () => objects((await invoice({ time_entry_ids: [Number(id)] })).body)[0]?.id;
    const cancelled = await account.call('PUT', `invoices/${await make()}/cancel`, {});
    expect(objects(cancelled.body)[0]).toMatchObject({ status: 'cancelled', balance_in_cents: 0 });
    expect(await reload(id)).toMatchObject({ is_invoiced: false, invoice_id: null, approved: true });
    const again = await make();
    expect((await account.call('DELETE', `invoices/${again}`)).status).toBe(204);
    expect((await account.call('GET', `invoices/${again}`)).status).toBe(404);
    expect(await reload(id)).toMatchObject({ is_invoiced: false });
  });

  it('are paid in full or not at all', async () => {
    const items = { additional_items: [{ notes: 'Fee', amount: 1000 }] };
    const [open] = objects((await invoice({ ...items, user_invoice_number: 'RE-1' })).body);
    const [draft] = objects((await invoice({ ...items, draft: true })).body);
    expect(draft?.status).toBe('draft');
    const pay = (attributes: Attributes) =>
      account.call('POST', 'external_payments', {
        external_payment: { workspace_id: Number(workspaceId), ...attributes },
      });
    expect(fields(await pay({ invoice_id: Number(draft?.id) }))).toEqual(['invoice_id']);
    expect(fields(await pay({}))).toEqual(['amount_in_cents']);
    const paid = await pay({ invoice_id: Number(open?.id), amount_in_cents: 5 });
    expect(objects(paid.body)[0]?.amount_in_cents).toBe(1000_00);
    expect(fields(await pay({ invoice_id: Number(open?.id) }))).toEqual(['invoice_id']);
    const list = async (query: string) =>
      (await account.list(`invoices?workspace_id=${workspaceId}&${query}`)).map(({ id }) => id);
    expect(await list('paid=')).toEqual([open?.id]);
    expect(await list('pending=')).toEqual([]);
    expect(await list('without_drafts=')).toEqual([open?.id]);
    expect(await list('user_invoice_number=RE-1')).toEqual([open?.id]);
  });
});
