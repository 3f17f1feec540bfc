import type { DispatchedRun, Engine } from '../../../lib/engine';
import type { JsonObject } from '../../../lib/model';
import { system } from '../../../lib/systems/kantata';
import type { KantataClient } from '../../../lib/systems/kantata/client';
import { stories, workspaces } from '../../../lib/systems/kantata/collections';
import { timeApproved } from '../../../lib/systems/kantata/events/time-approved';
import { messageOf } from '../../../nodes/_system/events/message';
import { system as simulated } from '../../../simulator/kantata';
import type { Fault } from '../../../simulator/kit/types';
import { startEngine, until } from '../../support/engine';
import { clientOf } from '../../unit/systems/kantata/support';
import { type Intake, Polling } from './event-polling';
import { Vendor } from './vendor';

/** Time that people log, submit and approve in Kantata, as events in the store. */

const signal = new AbortController().signal;
const START = Date.now() - (Date.now() % 1000);
const PERSON = 5;

let clock = START;
let vendor: Vendor;
let client: KantataClient;
let engine: Engine;
let stop: () => Promise<void>;
let dispatched: DispatchedRun[];
let approvals: Polling<KantataClient>;
let project: string;
/** Milliseconds. */
let pace: number;

beforeAll(async () => {
  vendor = await Vendor.start(simulated, { clock: () => clock });
});

beforeEach(async () => {
  clock = START;
  pace = 1000;
  await vendor.reset();
  const { credentials } = await vendor.account('access-token');
  const { accessToken = '', baseUrl = '' } = credentials;
  client = clientOf({ accessToken, baseUrl });
  ({ engine, stop } = await startEngine());
  dispatched = [];
  engine.registerSource('events', 1000, (run) => dispatched.push(run));
  approvals = new Polling(engine, () => client, timeApproved, new Date(START).toISOString());
  project = await byHand('workspaces', {
    title: 'Rollout',
    creator_role: 'maven',
    currency: 'EUR',
    participations: [{ user_id: PERSON }],
  });
});

afterEach(async () => {
  await Promise.all([client.close(), stop()]);
  await vendor.expectFaultsFired();
});

afterAll(() => vendor.close());

const fault = (settings: Omit<Fault, 'id'>) => vendor.fault(settings);

/** What a person does on the screens, `pace` after the last thing he did. */
async function byHand(collection: string, data: JsonObject): Promise<string> {
  clock += pace;
  return (await vendor.create(collection, data)).id;
}

async function changeByHand(collection: string, id: string, data: JsonObject): Promise<void> {
  clock += pace;
  await vendor.change(collection, id, data);
}

const log = (more: JsonObject = {}) =>
  byHand('time_entries', {
    workspace_id: Number(project),
    user_id: PERSON,
    date_performed: '2026-01-07',
    time_in_minutes: 90,
    rate_in_cents: 15000,
    ...more,
  });

const submit = (entries: string[]) =>
  byHand('timesheet_submissions', {
    workspace_id: Number(project),
    user_id: PERSON,
    title: 'Week 2',
    line_item_ids: entries.map(Number),
  });

async function approve(entries: string[]): Promise<string> {
  const id = await submit(entries);
  await changeByHand('timesheet_submissions', id, { status: 'approved' });
  return id;
}

/** `count` timesheets of `each` entries, approved one after the other. */
async function approveMany(count: number, each: number): Promise<string[]> {
  const all: string[] = [];
  for (let n = 0; n < count; n++) {
    const entries = [];
    for (let m = 0; m < each; m++) entries.push(await log());
    await approve(entries);
    all.push(...entries);
  }
  return all;
}

const withoutCursor = (to: Engine): Intake => ({
  cursor: async () => null,
  accept: (batch) => to.accept(batch),
  identify: (...records) => to.identify(...records),
});

const told = async (): Promise<string[]> => (await approvals.poll()).events.map(({ subject }) => subject.id);

test('each entry of an approved timesheet is one event, however often it is looked for', async () => {
  const story = await byHand('stories', {
    workspace_id: Number(project),
    title: 'Design',
    story_type: 'task',
  });
  const entries = [await log({ story_id: Number(story), notes: 'Workshop' }), await log({ billable: false })];
  const timesheet = await submit(entries);
  expect(await told()).toEqual([]);
  await changeByHand('timesheet_submissions', timesheet, { status: 'approved' });
  const { events, accepted } = await approvals.poll();
  expect(accepted).toBe(2);
  expect(events).toMatchObject([
    {
      id: expect.stringMatching(new RegExp(`^${entries[0]}:[0-9a-f]{32}$`)),
      type: 'q2c.time.approved.v1',
      time: new Date(clock).toISOString(),
      subject: { entity: 'timeEntry', type: 'TimeEntry', id: entries[0] },
      data: {
        date: '2026-01-07',
        hours: '1.5',
        billable: true,
        approvalStatus: 'approved',
        billingStatus: 'unbilled',
        notes: 'Workshop',
        rateApplied: { amount: '150.00', currency: 'EUR' },
      },
    },
    { subject: { id: entries[1] }, data: { billable: false, billingStatus: 'not_billable' } },
  ]);
  expect([await approvals.news(), await approvals.news()]).toEqual([0, 0]);

  await until('both messages', () => dispatched.length === 2);
  const payloads = dispatched.map((run) => messageOf(run).payload);
  const [projectId, taskId] = await engine.identify('kantata', client.instance, [
    { entity: 'project', type: 'Workspace', id: project },
    { entity: 'task', type: 'Story', id: story },
  ]);
  const known = { resourceId: expect.stringMatching(/^res_/), projectId, hours: '1.5' };
  expect(payloads).toMatchObject([
    {
      timeEntries: [
        { ...known, id: expect.stringMatching(/^tim_/), taskId, externalRefs: [{ id: entries[0] }] },
      ],
      project: { id: projectId, externalRefs: [{ system: 'kantata', type: 'Workspace', id: project }] },
      tasks: [{ id: taskId, externalRefs: [{ type: 'Story', id: story }] }],
    },
    { timeEntries: [{ ...known, externalRefs: [{ id: entries[1] }] }], project: { id: projectId } },
  ]);
  expect(payloads[1]).not.toHaveProperty('tasks');
});

test('a rejected timesheet tells nothing, its entries are told when they are approved after all', async () => {
  const entry = await log();
  await changeByHand('timesheet_submissions', await submit([entry]), { status: 'rejected' });
  expect(await told()).toEqual([]);
  await approve([entry]);
  expect(await told()).toEqual([entry]);
});

test('our own writes and the invoicing of the time are no news', async () => {
  const entry = await log();
  await approve([entry]);
  expect(await approvals.news()).toBe(1);
  clock += 1000;
  await client.create(stories, [{ workspace_id: Number(project), title: 'Build' }], signal);
  await client.updateIfPresent(workspaces, project, { title: 'Renamed' }, signal);
  await byHand('invoices', { workspace_id: Number(project), time_entry_ids: [Number(entry)] });
  expect(await approvals.news()).toBe(0);
  // Without its cursor the source reads the entry again, invoiced by now: it is the same event.
  const again = new Polling(withoutCursor(engine), () => client, timeApproved, new Date(START).toISOString());
  expect(await again.poll()).toMatchObject({
    accepted: 0,
    events: [{ data: { billingStatus: 'invoiced' } }],
  });
});

test.each([1, 3, 200])(
  'many timesheets with one stamp are read in pages of %i entries, each once',
  async (pageSize) => {
    pace = 0;
    const entries = await approveMany(5, 2);
    approvals.pageSize = pageSize;
    const { events, accepted } = await approvals.poll();
    expect(new Set(events.map(({ time }) => time)).size).toBe(1);
    expect(events.map(({ subject }) => subject.id)).toEqual(entries);
    expect(accepted).toBe(10);
    expect(await approvals.news()).toBe(0);
  },
);

test('more timesheets and entries than a page of the vendor holds are all told', async () => {
  pace = 0;
  const entries = await approveMany(205, 1);
  expect(await told()).toEqual(entries);
});

test('a list of timesheets that comes short is refused, the next poll tells all', async () => {
  pace = 0;
  const entries = await approveMany(110, 1);
  await fault({ kind: 'partial-page', match: { method: 'GET', path: '/timesheet_submissions' } });
  await expect(approvals.poll()).rejects.toMatchObject({ kind: 'transient' });
  expect(await told()).toEqual(entries);
});

test('time of an archived project is told', async () => {
  const entry = await log();
  await approve([entry]);
  await changeByHand('workspaces', project, { archived: true });
  expect(await told()).toEqual([entry]);
});

test('every event of the manifest has its source', () => {
  expect(system.events.map(({ id }) => id)).toEqual(Object.keys(system.manifest.events));
});
