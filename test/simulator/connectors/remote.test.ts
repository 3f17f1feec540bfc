import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { type HttpCall, newId } from '../../../lib/model';
import { type Connected, connectInThread, type RemoteDependencies } from '../../../lib/remote/connect';
import { SystemsThread } from '../../../lib/remote/thread';
import type { CallContext, ConnectionConfig, TokenStore } from '../../../lib/systems/kit';
import { memoryTokens } from '../../../lib/systems/kit';
import { system as simulated } from '../../../simulator/salesforce';
import { until } from '../../support/until';
import { Vendor } from './vendor';

/** Systems whose calls are made in a thread (docs/decisions/0031). */

const program = join(mkdtempSync(join(tmpdir(), 'q2c-thread-')), 'systems-thread.js');
const TRACE = 'a'.repeat(32);
let vendor: Vendor;
let thread: SystemsThread;
let connected: Connected;
let calls: HttpCall[];
let log: string[];
let traceparent: string | null;

beforeAll(async () => {
  await build({
    entryPoints: [join(__dirname, '../../support/systems-thread.ts')],
    outfile: program,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    logLevel: 'warning',
  });
  vendor = await Vendor.start(simulated);
  thread = new SystemsThread(program);
});
beforeEach(async () => {
  await vendor.reset();
  [calls, log, traceparent] = [[], [], null];
  connected = await connect();
});
afterEach(() => connected.client.close());
afterAll(async () => {
  await vendor.close();
  rmSync(dirname(program), { recursive: true });
});

async function connect(
  more: Partial<RemoteDependencies> = {},
  config: Partial<ConnectionConfig> = {},
): Promise<Connected> {
  const { credentials: values } = await vendor.account('client-credentials');
  return connectInThread(
    'salesforce',
    { environment: 'simulator', auth: 'client-credentials', values, ...config },
    {
      tokens: memoryTokens(),
      log: (_, message) => log.push(message),
      observe: () => ({ traceparent, report: (some) => calls.push(...some) }),
      ...more,
    },
    thread,
  );
}

/** Ends the thread as a fault of its own would. @param pending fails when it has ended */
async function endThread(pending: Promise<unknown>): Promise<void> {
  const channel = new BroadcastChannel('end-systems-thread');
  channel.postMessage('end');
  await expect(pending).rejects.toThrow();
  channel.close();
}

/** A query that gets no answer. */
async function hangingQuery(signal?: AbortSignal): Promise<{ pending: Promise<unknown> }> {
  await vendor.fault({ kind: 'latency', ms: 60_000, match: { path: 'query' } });
  const pending = query(connected, contextOf(signal));
  pending.catch(() => 'looked at later');
  await until('the call is under way', () => vendor.faultsFired());
  expect(await connected.client.health()).toMatchObject({ inFlight: 1 });
  return { pending };
}

const contextOf = (signal = new AbortController().signal): CallContext => ({
  idempotencyKey: 'k',
  attempt: 1,
  signal,
});

function operationOf({ module }: Connected, name: string) {
  const found = module.operations.find(({ entity, verb }) => `${entity}.${verb}` === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}

const query = (from = connected, context = contextOf()): Promise<unknown> =>
  operationOf(from, 'records.query').call(from.client, { soql: 'SELECT Name FROM Account LIMIT 1' }, context);

/** Writes a customer; the wire is what its mapping gives. */
function upsert(context = contextOf()): Promise<unknown> {
  const operation = operationOf(connected, 'customer.upsert');
  const customer = { id: newId('customer'), legalName: 'ACME GmbH', status: 'active', externalRefs: [] };
  const wire = operation.toSystem(customer as never, {
    deal: { customer } as never,
    system: 'salesforce',
    instance: connected.client.instance,
    settings: connected.client.settings,
    parameters: {},
    lookup: () => '',
    lookupOptional: () => undefined,
    refId: () => '',
  });
  return operation.call(connected.client, wire, context);
}

const accounts = async () => (await vendor.records('Account', { Name: 'ACME GmbH' })).length;

test('a call is made there, and its HTTP calls are told here, the login among them', async () => {
  await query();
  expect(calls.map(({ method, status }) => [method, status])).toEqual([
    ['POST', 200],
    ['GET', 200],
  ]);
  expect(calls[1]).toMatchObject({ path: expect.stringMatching(/\/query$/), spanId: null });
  expect(Math.abs(Date.now() - (calls[1]?.startedAt ?? 0))).toBeLessThan(60_000);
});

test('each HTTP call of a traced step has a span of its own', async () => {
  traceparent = `00-${TRACE}-${'b'.repeat(16)}-01`;
  await query();
  expect(calls.map(({ spanId }) => spanId)).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}$/),
    expect.stringMatching(/^[0-9a-f]{16}$/),
  ]);
  expect(new Set(calls.map(({ spanId }) => spanId)).size).toBe(2);
});

test('errors are what the engine knows them by, and the calls that led to them are told', async () => {
  await vendor.fault({ kind: 'status', status: 503, match: { path: 'query' } });
  await expect(query()).rejects.toMatchObject({
    name: 'SystemError',
    kind: 'transient',
    code: 'TARGET_UNAVAILABLE',
    system: 'salesforce',
    status: 503,
  });
  expect(calls.at(-1)).toMatchObject({ status: 503 });
});

test('a configuration that is not complete is told when connecting', async () => {
  await expect(connect({}, { values: {} })).rejects.toMatchObject({ code: 'MANDATORY_FIELD_MISSING' });
});

test('the token is kept here, and the login is made there', async () => {
  const kept = memoryTokens();
  const asked: (string | null)[] = [];
  const tokens: TokenStore = {
    obtain: (key, stale, login) => {
      asked.push(stale);
      return kept.obtain(key, stale, login);
    },
  };
  const [first, second] = [await connect({ tokens }), await connect({ tokens })];
  await query(first);
  await query(second);
  await vendor.fault({ kind: 'expire-token', match: { path: 'query' } });
  await query(first);
  expect(asked).toEqual([null, null, expect.any(String)]);
  await Promise.all([first.client.close(), second.client.close()]);
});

test('a shared rate is asked for before each call', async () => {
  const rates: number[] = [];
  const shared = await connect(
    { reserveCall: async (rate) => rates.push(rate) && 0 },
    { limits: { requestsPerSecond: 50 } },
  );
  await query(shared);
  expect(rates).toEqual([50]);
  await shared.client.close();
});

test('the lines of a test are told one by one', async () => {
  const told: string[] = [];
  const checks = await connected.client.test({
    onPlan: (lines) => told.push(`plan of ${lines.length}`),
    onCheck: ({ id }) => told.push(id),
  });
  expect(told).toEqual([`plan of ${checks.length}`, ...checks.map(({ id }) => id)]);
  expect(calls.length).toBeGreaterThan(checks.length / 2);
});

test('a call that is given up is broken off there', async () => {
  const controller = new AbortController();
  const { pending } = await hangingQuery(controller.signal);
  controller.abort();
  await expect(pending).rejects.toMatchObject({ name: 'SystemError' });
  expect(await connected.client.health()).toMatchObject({ inFlight: 0 });
});

describe('when the thread ends', () => {
  test('a read under way may be repeated, and is made in a new thread', async () => {
    const { pending } = await hangingQuery();
    await endThread(pending);
    await expect(pending).rejects.toMatchObject({ kind: 'transient', code: 'TARGET_UNAVAILABLE' });
    await query();
    expect(calls.at(-1)).toMatchObject({ status: 200 });
  });

  test('what became of a write under way is unknown', async () => {
    await vendor.fault({ kind: 'commit-then-timeout', match: { path: 'Account' } });
    const pending = upsert();
    pending.catch(() => 'looked at later');
    await until('the vendor has written', async () => (await accounts()) === 1);
    await endThread(pending);
    await expect(pending).rejects.toMatchObject({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
  });

  test('no login of the next one answers for it', async () => {
    const obtained: Promise<unknown>[] = [];
    let ended = () => {};
    const gone = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const tokens: TokenStore = {
      obtain: (_key, _stale, login) => {
        const token = gone.then(login);
        obtained.push(token);
        return token;
      },
    };
    const other = await connect({ tokens });
    const pending = query(other);
    pending.catch(() => 'looked at below');
    await until('it needs a token', async () => obtained.length === 1);
    await endThread(pending);
    // In the next thread a login of this number is under way too.
    const next = query(other);
    await until('the next one needs a token', async () => obtained.length === 2);
    ended();
    await expect(obtained[0]).rejects.toThrow('has ended');
    await next;
    await other.client.close();
  });

  test('closing a connection is no error', async () => {
    const { pending } = await hangingQuery();
    const closed = connected.client.close();
    await endThread(pending);
    await closed;
  });
});
