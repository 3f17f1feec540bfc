import { system } from '../../../simulator/kantata';
import { TransactionalStore } from '../../../simulator/kit/store';
import { generateWorld } from '../../../simulator/seed/generate';
import { KANTATA_LISTS } from '../../../simulator/seed/world';
import { objects, startAccount, type TestAccount } from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());

describe('seed', () => {
  const seeded = () => {
    const db = new TransactionalStore(':memory:', system.indexes, () => 1_750_000_000_000);
    const context = {
      db,
      baseUrl: 'http://127.0.0.1/kantata',
      now: () => 1_750_000_000_000,
      partialPage: false,
      inFlight: 1,
    };
    system.seed(context, generateWorld(1));
    return { db, context };
  };

  it('has the ids that the whole simulated firm agrees on', () => {
    const { db } = seeded();
    for (const id of Object.values(KANTATA_LISTS.projectTemplate))
      expect(db.get('project_templates', id)).toBeDefined();
    for (const id of Object.values(KANTATA_LISTS.role)) expect(db.get('roles', id)).toBeDefined();
    for (const [key, id] of Object.entries(KANTATA_LISTS.rateCard)) {
      expect(db.get('rate_cards', id)?.data.currency).toBe(key.split(':')[1]);
    }
    expect(db.get('users', KANTATA_LISTS.integrationUser)).toBeDefined();
  });

  it('gives the same records for the same world, and a token of its own to every account', () => {
    const [a, b] = [seeded(), seeded()];
    for (const type of a.db.types()) expect(a.db.list(type)).toEqual(b.db.list(type));
    expect(system.credentials(a.context)).not.toEqual(system.credentials(b.context));
  });

  it('has four to six tasks with milestones in every template', async () => {
    for (const template of await account.list('project_templates?optional_fields=raw_json')) {
      const { stories } = JSON.parse(String(template.raw_json));
      expect(stories.length).toBeGreaterThanOrEqual(4);
      expect(stories.length).toBeLessThanOrEqual(6);
      expect(stories.some((story: { story_type: string }) => story.story_type === 'milestone')).toBe(true);
    }
  });
});

describe('what a person does', () => {
  it('logs, submits and approves time, and completes a task', async () => {
    const { id } = await account.create('workspaces', 'workspace', {
      title: 'By hand',
      participations: [{ user_id: 5 }],
    });
    const story = await account.create('stories', 'story', { workspace_id: id, title: 'Task' });
    const logged = await account.byHand('POST', 'time_entries', {
      workspace_id: id,
      story_id: story.id,
      user_id: 5,
      date_performed: '2026-01-06',
      time_in_minutes: 90,
    });
    expect(logged.status).toBe(201);
    const sheet = await account.byHand('POST', 'timesheet_submissions', {
      workspace_id: id,
      user_id: 5,
      title: 'Week 2',
      line_item_ids: [Number(logged.body.id)],
    });
    expect(
      (await account.byHand('PATCH', `timesheet_submissions/${sheet.body.id}`, { status: 'approved' }))
        .status,
    ).toBe(200);
    expect((await account.list(`time_entries?only=${logged.body.id}`))[0]).toMatchObject({ approved: true });
    expect((await account.byHand('PATCH', `stories/${story.id}`, { state: 'completed' })).status).toBe(200);
    expect((await account.list(`stories?only=${story.id}`))[0]).toMatchObject({ percentage_complete: 100 });
    const events = await account.list(
      `subscribed_events?event_types=time_entry:created&optional_fields=current_payload`,
    );
    expect(events.find((event) => event.subject_id === Number(logged.body.id))?.user_id).toBe(5);
  });

  it.each([
    ['POST', 'time_entries', { workspace_id: 1 }, 400],
    ['POST', 'users', { full_name: 'New' }, 400],
    ['PATCH', 'workspaces/424242', { title: 'x' }, 404],
    ['PATCH', 'account/1', { visibleAfterMs: -1 }, 400],
    ['PATCH', 'account/1', { token: 'x' }, 400],
  ] as const)('%s %s %j is refused with %i', async (method, path, body, status) => {
    expect((await account.byHand(method, path, body)).status).toBe(status);
  });
});

describe('faults', () => {
  const once = (fault: object) => account.control('POST', 'faults', { times: 1, ...fault });

  it('rate limits with the error list and without any header', async () => {
    await once({ kind: 'rate-limit' });
    const reply = await account.call('GET', 'roles');
    expect(reply.status).toBe(429);
    expect(reply.body.errors).toMatchObject([{ type: 'system' }]);
    const names: string[] = [];
    reply.headers.forEach((_value, name) => {
      names.push(name);
    });
    expect(names.filter((name) => /retry|limit/i.test(name))).toEqual([]);
    expect(reply.headers.get('x-request-id')).toBeTruthy();
  });

  it.each([503, 500, 504])('fails with %i and a system error', async (status) => {
    await once({ kind: 'status', status });
    const reply = await account.call('GET', 'roles');
    expect(reply.status).toBe(status);
    expect(reply.body.errors).toMatchObject([{ type: 'system' }]);
  });

  it('refuses exactly the matched call with 401, because a token of this vendor cannot be renewed', async () => {
    await once({ kind: 'expire-token', match: { path: '/workspaces' } });
    expect((await account.call('GET', 'roles')).status).toBe(200);
    const refused = await account.call('POST', 'workspaces', { workspace: { title: 'Refused once' } });
    expect(refused.status).toBe(401);
    expect(refused.body.errors).toEqual([{ type: 'oauth', message: 'Invalid OAuth 2 Request' }]);
    expect(await account.list("workspaces?search=title:'refused once'")).toEqual([]);
    expect((await account.call('POST', 'workspaces', { workspace: { title: 'Refused once' } })).status).toBe(
      200,
    );
  });

  it('gives a shorter page than asked, and says so', async () => {
    await once({ kind: 'partial-page' });
    const { body } = await account.call('GET', 'users?per_page=6&order=created_at:asc');
    expect(body.meta).toEqual({ count: 9, page_count: 3, page_number: 1, page_size: 3 });
    expect(objects(body).map(({ id }) => id)).toEqual(['2', '3', '4']);
  });

  it('keeps what was written before the connection was lost', async () => {
    await once({ kind: 'commit-then-drop', match: { method: 'POST', path: '/workspaces' } });
    await expect(account.call('POST', 'workspaces', { workspace: { title: 'Dropped' } })).rejects.toThrow();
    expect(await account.list("workspaces?search=title:'dropped'")).toHaveLength(1);
  });
});
