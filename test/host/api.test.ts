import type { Page } from '../../lib/api/paging';
import type { RunSummary } from '../../lib/api/reports';
import type { DealSummary } from '../../lib/api/schemas/deals';
import type { CaseLine, CaseView } from '../../lib/governance';
import { adminAuth, tokenOf } from '../support/admin-users';
import { Host } from '../support/host';
import { until } from '../support/until';
import { Simulator } from '../support/vendors';
import { templateFlow } from '../support/world';
import { enterDeal, winDeal } from './deals';

/** The programs' interface through a real Node-RED: who may do what, what is sent live, lookups with tokens. */

jest.setTimeout(120_000);

const USERS = {
  all: ['*'],
  reader: ['read'],
  finance: ['read', 'q2c.role.finance_ops'],
  auditor: ['read', 'q2c.unmask'],
};
type User = keyof typeof USERS;

let simulator: Simulator;
let host: Host;
const tokens = new Map<User, string>();

const SETTINGS = {
  httpAdminRoot: '/red',
  httpNodeRoot: '/api',
  adminAuth: adminAuth(USERS),
};

interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** @param as null = without a login */
function ask(as: User | null, method: string, path: string, { body, headers, signal }: Asked = {}) {
  const token = as === null ? undefined : tokens.get(as);
  return fetch(`${host.url}/red/q2c/api/v1/${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

const status = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).status;
const json = async <T>(...asked: Parameters<typeof ask>) => (await (await ask(...asked)).json()) as T;

/** A deal that the ERP has refused. */
let stopped: { run: RunSummary; line: CaseLine };

beforeAll(async () => {
  simulator = await Simulator.start();
  const flow = templateFlow((node) => {
    if (node.type === 'q2c-store') node.lookups = true;
  });
  host = await Host.prepare({ env: { Q2C_SIMULATOR_URL: simulator.url }, settings: SETTINGS, flow });
  await host.start();
  for (const user of Object.keys(USERS) as User[]) tokens.set(user, await tokenOf(`${host.url}/red`, user));
  await until('the store to open', async () => (await ask('all', 'GET', 'runs/counts')).ok, 30_000, 50);
  await simulator.polledAgain();
  await simulator.fault('netsuite', {
    kind: 'status',
    status: 400,
    match: { method: 'PUT', path: '/record/v1/job' },
    times: 1,
  });
  await winDeal(simulator, await enterDeal(simulator, 1));
  await until(
    'the deal to stop',
    async () => (await json<Page<CaseLine>>('all', 'GET', 'cases')).items.length === 1,
    60_000,
    50,
  );
  const [line] = (await json<Page<CaseLine>>('all', 'GET', 'cases')).items;
  await until(
    'its run to end',
    async () => (await json<Page<RunSummary>>('all', 'GET', 'runs?state=failed')).items.length === 1,
    30_000,
    50,
  );
  const [run] = (await json<Page<RunSummary>>('all', 'GET', 'runs')).items;
  if (line === undefined || run === undefined) throw new Error('no deal has stopped');
  stopped = { run, line };
});

afterAll(async () => {
  await host?.dispose();
  await simulator?.stop();
});

test('without a login nothing is told, not even what there is', async () => {
  for (const path of [
    'session',
    'runs',
    'cases',
    'openapi.json',
    'events',
    'metrics',
    `cases/${stopped.line.id}`,
  ]) {
    expect({ path, status: await status(null, 'GET', path) }).toEqual({ path, status: 401 });
  }
});

test('who may only read sees everything and changes nothing', async () => {
  const { run, line } = stopped;
  const key = encodeURIComponent(line.stepKey ?? '');
  for (const path of [
    'runs',
    `runs/${run.id}`,
    'cases',
    `cases/${line.id}`,
    'deals',
    'systems',
    'audit',
    'metrics',
    'kpis',
  ]) {
    expect({ path, status: await status('reader', 'GET', path) }).toEqual({ path, status: 200 });
  }
  const refused: [string, unknown][] = [
    [`runs/${run.id}/retry`, {}],
    [`runs/${run.id}/cancel`, { reason: 'x' }],
    [`steps/${key}/skip`, { reason: 'x' }],
    [`cases/${line.id}/comment`, { text: 'x' }],
    [`cases/${line.id}/act`, { request: { action: 'retry' }, reason: 'x' }],
    ['bulk', { action: 'retry_runs', filter: {}, reason: 'x' }],
    ['tokens', { name: 'x', scopes: ['rates'] }],
  ];
  for (const [path, body] of refused) {
    expect({ path, status: await status('reader', 'POST', path, { body }) }).toEqual({ path, status: 401 });
  }
  expect((await json<CaseView>('reader', 'GET', `cases/${line.id}`)).actions).toEqual([]);
  expect(await json('reader', 'GET', 'session')).toMatchObject({ permissions: { read: true, write: false } });
});

test('a role works on its cases, and on nothing else', async () => {
  const { run, line } = stopped;
  expect(line.ownerRole).toBe('finance_ops');
  expect(await status('finance', 'POST', `runs/${run.id}/retry`, { body: {} })).toBe(401);
  const noted = await ask('finance', 'POST', `cases/${line.id}/comment`, {
    body: { text: 'asked the vendor' },
  });
  expect(noted.status).toBe(200);
  const { actions, history } = await json<CaseView>('finance', 'GET', `cases/${line.id}`);
  expect(actions).toEqual(expect.arrayContaining(['assign', 'correct', 'retry']));
  expect(history.at(-1)).toMatchObject({ by: 'finance', action: 'commented' });
});

test('payloads are masked; unmasked for whoever may, with a line in the audit', async () => {
  const { steps } = await json<{ steps: { key: string; operation: string }[] }>(
    'all',
    'GET',
    `runs/${stopped.run.id}`,
  );
  const customer = steps.find(({ operation }) => operation === 'customer.upsert');
  const path = `steps/${encodeURIComponent(customer?.key ?? '')}`;
  const { wire } = await json<{ wire: { keys: { taxNumber: string } } }>('reader', 'GET', path);
  expect(wire.keys.taxNumber).toBe('•••');
  expect(await status('reader', 'GET', `${path}?unmask=true`)).toBe(401);
  const shown = await json<typeof wire & { wire: typeof wire }>('auditor', 'GET', `${path}?unmask=true`);
  expect(shown.wire.keys.taxNumber).toMatch(/\d{6}/);
  const { items } = await json<Page<{ actor: string }>>('all', 'GET', 'audit?action=data.unmasked');
  expect(items).toMatchObject([{ actor: 'auditor' }]);
});

test('a deal is found by its name and by an id of any system', async () => {
  const { title, correlationId } = stopped.run;
  const { refs } = await json<{ refs: { system: string; externalId: string }[] }>(
    'all',
    'GET',
    `runs/${stopped.run.id}`,
  );
  const inErp = refs.find(({ system }) => system === 'netsuite');
  for (const q of [title, correlationId, inErp?.externalId ?? '']) {
    const { items } = await json<Page<DealSummary>>('reader', 'GET', `deals?q=${encodeURIComponent(q)}`);
    expect({ q, found: items.map(({ id }) => id) }).toEqual({ q, found: [correlationId] });
  }
});

test('changes come live, over the connection of a page', async () => {
  const gone = new AbortController();
  const response = await ask('reader', 'GET', 'events', { signal: gone.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let told = '';
  const listening = (async () => {
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value; part = await reader?.read())
      told += decoder.decode(part.value);
  })();
  await until('the first part', async () => told.length > 0, 10_000, 20);
  // Listening begins with the first part: what is done from now on is told.
  await until(
    'a change',
    async () => {
      await ask('finance', 'POST', `cases/${stopped.line.id}/comment`, { body: { text: 'live' } });
      return told.includes('"case.commented"');
    },
    10_000,
    300,
  );
  gone.abort();
  await listening.catch((error: Error) => expect(error.name).toBe('AbortError'));
});

test('lookups: with a token of their scope, on the root of HTTP nodes, and only where they are switched on', async () => {
  const made = await json<{ secret: string; id: string }>('all', 'POST', 'tokens', {
    body: { name: 'portal', scopes: ['deal_status', 'project_templates', 'rates', 'credit_status'] },
  });
  const look = (path: string, secret = made.secret) =>
    fetch(`${host.url}/api/q2c/v1/${path}`, { headers: { authorization: `Bearer ${secret}` } });
  const { correlationId, title } = stopped.run;
  const deal = await look(`deals/${correlationId}`);
  expect(deal.status).toBe(200);
  expect(await deal.json()).toMatchObject({
    title,
    state: 'failed',
    waitsFor: [{ kind: 'person', who: 'finance_ops' }],
  });
  expect(await (await look('project-templates?serviceLine=implementation')).json()).toMatchObject([
    { serviceLine: 'implementation', isAvailable: true, templates: [{ system: 'kantata', id: '812' }] },
  ]);
  expect(await (await look('rates?currency=USD')).json()).toMatchObject([
    { system: 'kantata', rateCard: '53' },
  ]);
  const { refs } = await json<{ refs: { type: string; externalId: string; system: string }[] }>(
    'all',
    'GET',
    `runs/${stopped.run.id}`,
  );
  const customer = refs.find(({ system, type }) => system === 'netsuite' && type === 'customer');
  expect(await (await look(`customers/${customer?.externalId}/credit`)).json()).toMatchObject({
    creditStatus: 'ok',
  });
  expect((await look('invoices/x')).status).toBe(401);
  expect((await look('deals/nobody')).status).toBe(404);
  expect((await look(`deals/${correlationId}`, `${made.secret.slice(0, -2)}xx`)).status).toBe(403);
  expect((await look(`deals/${correlationId}`, '')).status).toBe(403);
  expect(await status('all', 'GET', 'runs', { headers: { authorization: `Bearer ${made.secret}` } })).toBe(
    401,
  );

  await ask('all', 'DELETE', `tokens/${made.id}`);
  expect((await look(`deals/${correlationId}`)).status).toBe(403);
});

test('the write that was refused goes through once it is corrected by its owner', async () => {
  const { run, line } = stopped;
  const retried = await ask('finance', 'POST', `cases/${line.id}/act`, {
    body: { request: { action: 'retry' }, reason: 'the vendor is well again' },
    headers: { 'idempotency-key': 'retry-1' },
  });
  expect(await retried.json()).toMatchObject({ status: 'done' });
  await until(
    'the deal to come through',
    async () => (await json<RunSummary>('all', 'GET', `runs/${run.id}`)).state === 'completed',
    60_000,
    100,
  );
});

test('without logins everybody may do everything but see what is masked; lookups are off', async () => {
  const open = await Host.start({
    flow: [{ id: 'store', type: 'q2c-store', name: '', path: '', tenant: 'main' }],
  });
  try {
    const get = (path: string) => fetch(`${open.url}/q2c/api/v1/${path}`);
    await until('the store to open', async () => (await get('runs/counts')).ok, 30_000, 50);
    expect(await (await get('session')).json()).toMatchObject({
      user: 'anonymous',
      isAnonymous: true,
      permissions: { read: true, write: true, approve: true, unmask: false },
    });
    const unmasked = await get('audit?unmask=true');
    expect({ status: unmasked.status, ...((await unmasked.json()) as object) }).toMatchObject({
      status: 403,
      code: 'LOGIN_REQUIRED',
    });
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(`${open.url}/q2c/api/v1/audit/verify`, post)).status).toBe(200);
    expect((await fetch(`${open.url}/q2c/v1/deals/x`)).status).toBe(404);
    const text = await (await fetch(`${open.url}/q2c/v1/deals/x`)).text();
    expect(text).toContain('Cannot GET');
  } finally {
    await open.dispose();
  }
});
