import { createBillingSchedule } from '../../../../lib/systems/kantata/operations/create-billing-schedule';
import { createProject } from '../../../../lib/systems/kantata/operations/create-project';
import { createStaffingRequest } from '../../../../lib/systems/kantata/operations/create-staffing-request';
import { createTasks } from '../../../../lib/systems/kantata/operations/create-tasks';
import { readTimeEntries } from '../../../../lib/systems/kantata/operations/read-time-entries';
import { contextOf, firmTables, ids, sampleDeal, withProject } from './support';

const withoutTemplates = { ...firmTables, projectTemplate: {} };

describe('create project', () => {
  const wireOf = (deal = sampleDeal(), tables = firmTables) => {
    const [planned] = createProject.toSystem(deal.project, contextOf(deal, { tables }));
    return planned?.body;
  };

  it('maps the project from the template of its service line', () => {
    expect(wireOf()).toEqual({
      title: 'ACME – CRM rollout',
      description:
        'Project P-1001\nContract C-1001, CRM rollout\nPurchase order PO-77\nContract value EUR 30000.50 (the budget of the project is rounded up to whole units)',
      creator_role: 'maven',
      currency: 'EUR',
      start_date: '2026-01-05',
      due_date: '2026-06-30',
      require_time_approvals: true,
      require_expense_approvals: true,
      rate_card_id: 51,
      budgeted: true,
      price: 30001,
      project_tracker_template_id: 812,
      project_template_start_date: '2026-01-05',
      external_reference: {
        service_name: 'q2c',
        service_model: 'Project',
        service_model_ref: ids.project,
        status: 'successful',
        external_message: 'Contract value EUR 30000.50',
      },
    });
  });

  it('works without template, rate card and budget', () => {
    const deal = sampleDeal();
    deal.contract = { ...deal.contract, id: 'ctr', externalRefs: [], totalValue: undefined, currency: 'EUR' };
    const body = wireOf(deal, {});
    expect(body).not.toHaveProperty('project_tracker_template_id');
    expect(body).not.toHaveProperty('project_template_start_date');
    expect(body).not.toHaveProperty('rate_card_id');
    expect(body).not.toHaveProperty('price');
    expect(body).not.toHaveProperty('budgeted');
  });

  it('takes the service line of the opportunity when the project has none', () => {
    const deal = sampleDeal();
    deal.project.serviceLine = undefined;
    deal.opportunity = { id: 'opp', externalRefs: [], serviceLine: 'training' };
    expect(wireOf(deal)).toMatchObject({ project_tracker_template_id: 814 });
  });

  it('cuts a title that is too long', () => {
    const deal = sampleDeal();
    deal.project.name = '名'.repeat(300);
    expect([...String(wireOf(deal)?.title)]).toHaveLength(255);
  });

  it.each([
    ['Project name', (deal: ReturnType<typeof sampleDeal>) => (deal.project.name = '')],
    ['Start date of the project', (deal: ReturnType<typeof sampleDeal>) => (deal.project.period = undefined)],
    ['Currency of the contract', (deal: ReturnType<typeof sampleDeal>) => (deal.contract = undefined)],
  ])('asks for %s', (field, spoil) => {
    const deal = sampleDeal();
    spoil(deal);
    expect(() => wireOf(deal)).toThrow(
      expect.objectContaining({
        code: 'MANDATORY_FIELD_MISSING',
        params: expect.objectContaining({ field }),
      }),
    );
  });

  it('names a look-up value that is no id of Kantata', () => {
    expect(() => wireOf(sampleDeal(), { projectTemplate: { implementation: 'Standard' } })).toThrow(
      /projectTemplate of implementation .*"Standard" is not an id/,
    );
  });

  it('has nothing to do without a project', () => {
    expect(createProject.select({}, {})).toEqual([]);
  });
});

describe('create tasks', () => {
  const wireOf = (deal = sampleDeal(), tables = firmTables) => {
    const provisioned = withProject(deal, '4511');
    return createTasks.toSystem(provisioned.project, contextOf(provisioned, { tables }));
  };
  const titles = (levels: ReturnType<typeof wireOf>) =>
    levels.map((level) => level.map(({ body }) => body.title));

  it('adds only the milestones to a project from a template', () => {
    expect(titles(wireOf())).toEqual([['Go-live', 'Acceptance']]);
  });

  it('adds everything without template, parents before their children', () => {
    expect(titles(wireOf(sampleDeal(), withoutTemplates))).toEqual([
      ['Discovery', 'Go-live', 'Acceptance'],
      ['Interviews'],
    ]);
  });

  it('maps a task and a milestone', () => {
    const [[discovery, goLive] = [], [interviews] = []] = wireOf(sampleDeal(), withoutTemplates);
    expect(discovery).toEqual({
      canonicalId: ids.discovery,
      parent: null,
      body: {
        title: 'Discovery',
        workspace_id: 4511,
        story_type: 'task',
        start_date: '2026-01-05',
        due_date: '2026-03-31',
        billable: true,
        time_estimate_in_minutes: 2250,
        external_reference: {
          service_name: 'q2c',
          service_model: 'Task',
          service_model_ref: ids.discovery,
          status: 'successful',
        },
      },
    });
    expect(interviews).toMatchObject({ canonicalId: ids.interviews, parent: ids.discovery });
    expect(goLive?.body).toEqual({
      title: 'Go-live',
      workspace_id: 4511,
      story_type: 'milestone',
      due_date: '2026-04-30',
      external_reference: {
        service_name: 'q2c',
        service_model: 'Milestone',
        service_model_ref: ids.goLive,
        status: 'successful',
      },
    });
  });

  it('leaves budget fields out of a project without budget', () => {
    const deal = sampleDeal();
    deal.contract = {
      ...deal.contract,
      id: 'ctr',
      externalRefs: [],
      totalValue: { amount: '0.00', currency: 'EUR' },
    };
    const body = wireOf(deal, withoutTemplates)[0]?.[0]?.body;
    expect(body).not.toHaveProperty('billable');
    expect(body).not.toHaveProperty('time_estimate_in_minutes');
  });

  it('writes a name that is too long in full into the description', () => {
    const deal = sampleDeal();
    const name = `Go-live ${'x'.repeat(240)}`;
    deal.milestones = deal.milestones
      ?.slice(0, 1)
      .map((milestone) => ({ ...milestone, name, acceptanceCriteria: 'Signed' }));
    const body = wireOf(deal)[0]?.[0]?.body;
    expect(String(body?.title)).toHaveLength(200);
    expect(body?.description).toBe(`${name}\n\nSigned`);
  });

  it('leaves out what is cancelled', () => {
    const deal = sampleDeal();
    deal.milestones = deal.milestones?.map((milestone) => ({ ...milestone, status: 'cancelled' }));
    expect(wireOf(deal)).toEqual([]);
  });

  it.each([
    ['a circle', 2, (index: number) => (index + 1) % 2],
    ['six levels', 6, (index: number) => index - 1],
  ])('refuses %s of tasks', (_name, count, parent) => {
    const deal = sampleDeal();
    const [task] = deal.tasks ?? [];
    const id = (index: number) => `tsk_${index}`;
    deal.tasks = Array.from({ length: count }, (_, index) => ({
      ...(task as NonNullable<typeof task>),
      id: id(index),
      parentId: id(parent(index)),
    }));
    expect(() => wireOf(deal, withoutTemplates)).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });

  it('needs the project to be in Kantata', () => {
    const deal = sampleDeal();
    expect(() => createTasks.toSystem(deal.project, contextOf(deal))).toThrow(
      /Workspace of project is missing/,
    );
  });

  it('tells tasks from milestones in its result', () => {
    const deal = withProject(sampleDeal(), '4511');
    const records = [ids.discovery, ids.goLive].map((canonicalId, index) => ({
      canonicalId,
      id: String(index + 1),
      updatedAt: '2026-01-02T10:00:00Z',
      referenceId: '9',
    }));
    expect(createTasks.fromSystem(records, deal.project, contextOf(deal)).refs).toEqual([
      {
        id: ids.discovery,
        entity: 'task',
        ref: {
          system: 'kantata',
          instance: 'meridian',
          type: 'Story',
          id: '1',
          role: 'master',
          version: '2026-01-02T10:00:00Z',
        },
      },
      {
        id: ids.goLive,
        entity: 'milestone',
        ref: {
          system: 'kantata',
          instance: 'meridian',
          type: 'Story',
          id: '2',
          role: 'master',
          version: '2026-01-02T10:00:00Z',
        },
      },
    ]);
  });
});

describe('create billing schedule', () => {
  const wireOf = (deal = sampleDeal()) => {
    const provisioned = withProject(deal, '4511');
    return createBillingSchedule.toSystem(provisioned.project, contextOf(provisioned));
  };

  it('maps lines with their exact amounts and the story of their milestone', () => {
    const deal = sampleDeal();
    deal.milestones = deal.milestones?.map((milestone, index) => ({
      ...milestone,
      externalRefs: [
        { system: 'kantata', instance: 'meridian', type: 'Story', id: `70${index}`, role: 'master' as const },
      ],
    }));
    expect(wireOf(deal).map(({ body }) => body)).toEqual([
      {
        title: 'Go-live',
        date_to_invoice: '2026-04-30',
        amount_in_cents: 2000025,
        workspace_id: 4511,
        story_id: 700,
        external_reference: {
          service_name: 'q2c',
          service_model: 'BillingScheduleLine',
          service_model_ref: ids.first,
          status: 'successful',
        },
      },
      {
        title: 'Acceptance',
        date_to_invoice: '2026-06-30',
        amount_in_cents: 1000025,
        workspace_id: 4511,
        story_id: 701,
        external_reference: {
          service_name: 'q2c',
          service_model: 'BillingScheduleLine',
          service_model_ref: ids.second,
          status: 'successful',
        },
      },
    ]);
  });

  it('names a line after itself, its milestone or its contract line; without date it is due with the project', () => {
    const deal = sampleDeal();
    const [first, second] = deal.billingSchedule ?? [];
    deal.billingSchedule = [
      { ...(first as NonNullable<typeof first>), description: 'Down payment' },
      {
        ...(second as NonNullable<typeof second>),
        trigger: 'date',
        triggerRef: undefined,
        plannedDate: undefined,
      },
    ];
    const bodies = wireOf(deal).map(({ body }) => body);
    expect(bodies.map(({ title }) => title)).toEqual(['Down payment', 'Rollout 2']);
    expect(bodies[1]).toMatchObject({ date_to_invoice: deal.project.period?.to });
  });

  it('leaves out superseded and cancelled lines; nothing else is nothing to do', () => {
    const deal = sampleDeal();
    deal.billingSchedule = deal.billingSchedule?.map((line, index) => ({
      ...line,
      status: index ? 'superseded' : 'cancelled',
    }));
    expect(createBillingSchedule.select(deal, {})).toEqual([]);
  });

  it('refuses an amount with a fraction of a cent', () => {
    const deal = sampleDeal();
    deal.billingSchedule = deal.billingSchedule?.map((line) => ({
      ...line,
      amount: { amount: '0.001', currency: 'EUR' },
    }));
    expect(() => wireOf(deal)).toThrow(expect.objectContaining({ code: 'AMOUNT_INVALID' }));
  });
});

describe('request staff', () => {
  const wireOf = (roles: string) => {
    const deal = withProject(sampleDeal(), '4511');
    return createStaffingRequest.toSystem(deal.project, contextOf(deal, { parameters: { roles } }));
  };

  it('asks for one unnamed resource per role, a role named twice for two', () => {
    const wire = wireOf(' project_manager, consultant ,consultant,');
    expect(wire.map(({ body }) => [body.workspace_id, body.user_id, body.role_id])).toEqual([
      [4511, null, 33],
      [4511, null, 32],
      [4511, null, 32],
    ]);
    expect(new Set(wire.map(({ canonicalId }) => canonicalId)).size).toBe(3);
  });

  it('gives the same positions the same ids again', () => {
    expect(wireOf('consultant, project_manager')).toEqual(
      expect.arrayContaining(wireOf('project_manager, consultant')),
    );
  });

  it('names a role that the firm has not set up', () => {
    expect(() => wireOf('astronaut')).toThrow(/role of astronaut is missing/);
  });

  it('has nothing to do without roles', () => {
    expect(createStaffingRequest.select(sampleDeal(), { roles: ' , ' })).toEqual([]);
  });
});

describe('read approved time', () => {
  const row = {
    id: '901',
    user_id: '21',
    story_id: '700',
    date_performed: '2026-01-07',
    time_in_minutes: 450,
    billable: true,
    approved: true,
    is_invoiced: false,
    rate_in_cents: 15000,
    currency: 'EUR',
    notes: 'Workshop',
    created_at: '2026-01-07T18:00:00+01:00',
    updated_at: '2026-01-09T09:30:00+01:00',
  };
  const entryOf = (changes: Partial<typeof row> = {}) => {
    const deal = withProject(sampleDeal(), '4511');
    return readTimeEntries.fromSystem([{ ...row, ...changes }], deal.project, contextOf(deal)).merge
      ?.timeEntries?.[0];
  };

  it('names the entry, the person and the task that need canonical ids', () => {
    expect(readTimeEntries.references?.([row])).toEqual([
      { entity: 'timeEntry', type: 'TimeEntry', id: '901' },
      { entity: 'resource', type: 'User', id: '21' },
      { entity: 'task', type: 'Story', id: '700' },
    ]);
  });

  it('maps an entry', () => {
    const context = contextOf({});
    expect(entryOf()).toMatchObject({
      id: context.idOf('timeEntry', 'TimeEntry', '901'),
      resourceId: context.idOf('resource', 'User', '21'),
      taskId: context.idOf('task', 'Story', '700'),
      projectId: ids.project,
      date: '2026-01-07',
      hours: '7.5',
      billable: true,
      notes: 'Workshop',
      rateApplied: { amount: '150.00', currency: 'EUR' },
      approvalStatus: 'approved',
      billingStatus: 'unbilled',
      createdAt: '2026-01-07T17:00:00.000Z',
      updatedAt: '2026-01-09T08:30:00.000Z',
      externalRefs: [
        {
          system: 'kantata',
          instance: 'meridian',
          type: 'TimeEntry',
          id: '901',
          role: 'master',
          version: row.updated_at,
        },
      ],
    });
  });

  it.each([
    [{ is_invoiced: true }, 'invoiced'],
    [{ is_invoiced: true, billable: false }, 'invoiced'],
    [{ billable: false }, 'not_billable'],
  ])('an entry with %j is %s', (changes, status) => {
    expect(entryOf(changes)?.billingStatus).toBe(status);
  });
});
