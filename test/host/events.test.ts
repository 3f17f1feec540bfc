import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/engine';
import type { FlowNode } from '../support/host';
import { templateFlow, World } from '../support/world';

/** What people do in the ERP and the PSA, as runs of a real Node-RED. */

let world: World;
afterEach(() => world?.stop());

const STORE = 'q2c0000000000001';

/** The connections and the source of the template flow, and further sources that write their messages to a file. */
function flow(): FlowNode[] {
  const config = templateFlow((node) => {
    if (node.type.endsWith('-events')) node.wires = [[]];
  }).filter(({ type }) => /^tab$|^q2c-store$|-connection$|-events$/.test(type));
  const tab = config.find(({ type }) => type === 'tab')?.id;
  const source = (system: string, event: string): FlowNode => ({
    id: event,
    type: `q2c-${system}-events`,
    z: tab,
    connection: config.find(({ type }) => type === `q2c-${system}-connection`)?.id,
    store: STORE,
    event,
    interval: '0.2',
    startAt: '',
    concurrency: '8',
    x: 100,
    y: 100,
    wires: [['messages']],
  });
  return [
    ...config,
    source('netsuite', 'invoice-status-changed'),
    source('netsuite', 'payment-received'),
    source('kantata', 'time-approved'),
    {
      id: 'messages',
      type: 'file',
      z: tab,
      filename: 'messages.jsonl',
      filenameType: 'str',
      appendNewline: true,
      overwriteFile: 'false',
      x: 300,
      y: 100,
      wires: [[]],
    },
  ];
}

/** Resolves when both systems have been asked again, twice by each source: the first look may have begun before. */
async function polledAgain({ simulator }: World): Promise<void> {
  for (const [system, path, polls] of [
    ['netsuite', '/suiteql', 4],
    ['kantata', '/timesheet_submissions', 2],
  ] as const) {
    const before = await simulator.requestCount(system);
    const asked = async () =>
      (await simulator.requestsSince(system, before)).filter((request) => request.path.endsWith(path)).length;
    await until(`${polls} polls of ${system}`, async () => (await asked()) >= polls, 30_000);
  }
}

test('an invoice, its payment and approved time become one run each', async () => {
  world = await World.start({ flow: flow() });
  const { simulator, host } = world;
  const byHand = async (system: string, type: string, data: object) =>
    (await simulator.control<{ id: string }>('POST', `${system}/records/${type}`, data)).id;
  await polledAgain(world);

  const customer = await byHand('netsuite', 'customer', {
    companyName: 'Nordwind GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
  });
  const invoice = await byHand('netsuite', 'invoice', {
    entity: { id: customer },
    item: { items: [{ item: { id: '101' }, quantity: 1, rate: 1000, amount: 1000 }] },
  });
  await until('the run of the invoice', async () => (await world.runs()).length === 1, 30_000);
  await byHand('netsuite', 'customerPayment', { createdFrom: invoice });
  const project = await byHand('kantata', 'workspaces', {
    title: 'Rollout',
    creator_role: 'maven',
    participations: [{ user_id: 5 }],
  });
  const entry = await byHand('kantata', 'time_entries', {
    workspace_id: Number(project),
    user_id: 5,
    date_performed: '2026-01-07',
    time_in_minutes: 90,
  });
  const timesheet = await byHand('kantata', 'timesheet_submissions', {
    workspace_id: Number(project),
    user_id: 5,
    title: 'Week 2',
    line_item_ids: [Number(entry)],
  });
  await simulator.patch('kantata', 'timesheet_submissions', timesheet, { status: 'approved' });
  // Posted, paid (which settles the invoice), approved.
  await world.settled(4);
  await polledAgain(world);

  const runs = await world.runs();
  expect(runs.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed', 'completed']);
  const lines = (await readFile(join(host.userDir, 'messages.jsonl'), 'utf8')).trim().split('\n');
  const payloads = lines.map((line) => Object.entries(JSON.parse(line) as object));
  expect(payloads.map((parts) => parts.map(([part]) => part).join('+')).sort()).toEqual([
    'invoices',
    'invoices',
    'payments+invoices',
    'timeEntries+project',
  ]);
}, 180_000);
