import type { FaultReport } from '../../../simulator/kit/faults';
import { type RunningSimulator, startHost } from '../../../simulator/kit/host';
import type { LoggedRequest } from '../../../simulator/kit/request-log';
import { until } from '../../support/engine';
import { send } from '../support';
import { toySystem } from './toy-system';

let simulator: RunningSimulator;
let toy: string;

beforeEach(async () => {
  simulator = await startHost({ port: 0, systems: [toySystem] });
  toy = simulator.systems.toy?.url ?? '';
});
afterEach(() => simulator.close());

const auth = { authorization: 'Bearer t1' };
const read = (path = '/notes') => send(`${toy}${path}`, { headers: auth });
const write = (title: string, signal?: AbortSignal) =>
  send(`${toy}/notes`, { method: 'POST', headers: auth, body: { title }, signal });

async function control<T = unknown>(
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const reply = await send<T>(`${simulator.url}/_control/toy/${path}`, { method, body });
  return { status: reply.status, body: reply.body };
}

async function arm(fault: object): Promise<string> {
  const { status, body } = await control<FaultReport>('faults', 'POST', fault);
  expect(status).toBe(201);
  return body.id;
}

async function written(title: string): Promise<number> {
  return (await control<{ total: number }>(`records/Note?title=${title}`)).body.total;
}

async function logged(): Promise<LoggedRequest[]> {
  return (await control<{ requests: LoggedRequest[] }>('requests')).body.requests;
}

it('delays', async () => {
  await arm({ kind: 'latency', ms: 60, times: 1 });
  const start = performance.now();
  await read();
  expect(performance.now() - start).toBeGreaterThanOrEqual(59);
});

it('processes after the delay also when the caller is gone by then', async () => {
  await arm({ kind: 'latency', ms: 100, times: 1 });
  const caller = new AbortController();
  const lost = expect(write('late', caller.signal)).rejects.toThrow();
  await until('the delay', async () => {
    const { faults } = (await control<{ faults: FaultReport[] }>('faults')).body;
    return faults[0]?.fired === 1;
  });
  caller.abort();
  await lost;
  await until('the write', async () => (await written('late')) === 1);
});

it('answers the status in the vendor’s words, without processing', async () => {
  await arm({ kind: 'status', status: 503, times: 2 });
  const response = await write('refused');
  expect(response.status).toBe(503);
  expect(response.body).toEqual({ error: 'failed with 503' });
  expect((await read()).status).toBe(503);
  expect((await read()).status).toBe(200);
  expect(await written('refused')).toBe(0);
});

it('answers the vendor’s own rate limit', async () => {
  await arm({ kind: 'rate-limit', times: 1 });
  const response = await write('limited');
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await written('limited')).toBe(0);
});

it('resets the connection before processing', async () => {
  await arm({ kind: 'reset', times: 1 });
  await expect(write('reset')).rejects.toThrow();
  expect(await written('reset')).toBe(0);
  expect(await logged()).toMatchObject([{ status: null, faults: [{ kind: 'reset' }] }]);
});

it('drops the reply after the commit', async () => {
  await arm({ kind: 'commit-then-drop', times: 1 });
  await expect(write('dropped')).rejects.toThrow();
  expect(await written('dropped')).toBe(1);
});

it('keeps the connection open without a reply after the commit', async () => {
  await arm({ kind: 'commit-then-timeout', ms: 80, times: 1 });
  const start = performance.now();
  await expect(write('silent')).rejects.toThrow();
  expect(performance.now() - start).toBeGreaterThanOrEqual(79);
  expect(await written('silent')).toBe(1);
});

it('lets a client give up first', async () => {
  await arm({ kind: 'commit-then-timeout', times: 1 });
  const given = write('impatient', AbortSignal.timeout(50));
  await expect(given).rejects.toThrow();
  expect(await written('impatient')).toBe(1);
});

it('tells the vendor to give a partial page', async () => {
  await write('second');
  await arm({ kind: 'partial-page', times: 1 });
  expect((await read()).body).toHaveLength(1);
  expect((await read()).body).toHaveLength(2);
});

it('expires the tokens', async () => {
  await arm({ kind: 'expire-token', times: 1 });
  expect((await read()).status).toBe(401);
  expect((await read()).status).toBe(401);
});

it('matches by method and by path, as a piece or as an expression', async () => {
  await arm({ kind: 'status', status: 500, match: { method: 'post', path: '/notes' } });
  await arm({ kind: 'status', status: 502, match: { path: '/^\\/slow\\/n.tes$/' } });
  expect((await read()).status).toBe(200);
  expect((await write('x')).status).toBe(500);
  expect((await read('/slow/notes')).status).toBe(502);
  expect((await read('/slow/notes/1')).status).toBe(200);
});

it('applies several to one request, and counts each firing', async () => {
  const latency = await arm({ kind: 'latency', ms: 1 });
  await arm({ kind: 'status', status: 500, times: 1 });
  await arm({ kind: 'commit-then-drop', times: 1 });
  expect((await read()).status).toBe(500);
  await expect(read()).rejects.toThrow();
  expect((await read()).status).toBe(200);
  expect((await control('faults')).body).toMatchObject({
    faults: [
      { kind: 'latency', fired: 3, left: null },
      { kind: 'status', fired: 1, left: 0 },
      { kind: 'commit-then-drop', fired: 1, left: 0 },
    ],
  });
  expect((await logged())[1]?.faults.map((fault) => fault.kind)).toEqual(['latency', 'commit-then-drop']);
  expect((await control<{ faults: FaultReport[] }>(`faults/${latency}`, 'DELETE')).body.faults).toHaveLength(
    2,
  );
  expect((await control('faults', 'DELETE')).body).toEqual({ faults: [] });
});

it('draws the same sequence for the same seed', async () => {
  const sequence = async (seed: number) => {
    const id = await arm({ kind: 'status', status: 500, probability: 0.5, seed });
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push((await read()).status);
    await control(`faults/${id}`, 'DELETE');
    return statuses;
  };
  const first = await sequence(3);
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await sequence(3)).toEqual(first);
  expect(await sequence(4)).not.toEqual(first);
});

it.each([
  [{ kind: 'fire' }, 'kind'],
  [{ kind: 'latency' }, 'ms'],
  [{ kind: 'status' }, 'status'],
  [{ kind: 'status', status: 200 }, 'status'],
  [{ kind: 'reset', ms: 5 }, 'ms'],
  [{ kind: 'reset', times: 0 }, 'times'],
  [{ kind: 'reset', probability: 1.5 }, 'probability'],
  [{ kind: 'reset', seed: 1 }, 'probability'],
  [{ kind: 'reset', match: { path: '/(/' } }, 'regular expression'],
  [{ kind: 'reset', match: { url: 'x' } }, 'url'],
  [{ kind: 'reset', time: 3 }, 'time'],
])('refuses %j', async (fault, named) => {
  const { status, body } = await control<{ code: string; message: string }>('faults', 'POST', fault);
  expect(status).toBe(400);
  expect(body.code).toBe('INVALID_FAULT');
  expect(body.message).toContain(named);
});

it('says so when a fault to remove does not exist', async () => {
  expect(await control('faults/f9', 'DELETE')).toEqual({
    status: 404,
    body: { code: 'NOT_FOUND', message: 'There is no fault f9' },
  });
});

it('spoils the answer of a request that was processed', async () => {
  const header = { kind: 'garble', times: 1 };
  await arm({ ...header, mode: 'html' });
  const page = await fetch(`${toy}/notes`, { method: 'POST', headers: auth, body: '{"title":"page"}' });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<html>')]);
  await arm({ ...header, mode: 'empty' });
  expect(await write('nothing')).toMatchObject({ status: 200, body: null });
  await arm({ ...header, mode: 'no-id' });
  const { status, body } = await write('nameless');
  expect([status, Object.keys(Object(body))]).toEqual([201, expect.not.arrayContaining(['id'])]);
  for (const title of ['page', 'nothing', 'nameless']) expect(await written(title)).toBe(1);

  for (const wrong of [{ kind: 'garble' }, { kind: 'reset', mode: 'html' }, { kind: 'garble', mode: 'x' }]) {
    expect((await control('faults', 'POST', wrong)).status).toBe(400);
  }
});

it('answers for the vendor, which has seen nothing', async () => {
  await arm({ kind: 'intercept', times: 1, mode: 'html' });
  const page = await fetch(`${toy}/notes`, { method: 'POST', headers: auth, body: '{"title":"page"}' });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<html>')]);
  await arm({ kind: 'intercept', times: 1, mode: 'empty' });
  expect(await write('nothing')).toMatchObject({ status: 200, body: null });
  for (const title of ['page', 'nothing']) expect(await written(title)).toBe(0);
  expect((await control('faults', 'POST', { kind: 'intercept', mode: 'no-id' })).status).toBe(400);
});
