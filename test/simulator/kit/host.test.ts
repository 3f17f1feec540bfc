import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningSimulator, startHost } from '../../../simulator/kit/host';
import type { LoggedRequest } from '../../../simulator/kit/request-log';
import type { SimRecord } from '../../../simulator/kit/types';
import { type Reply, send } from '../support';
import { toySystem } from './toy-system';

let simulator: RunningSimulator;
let toy: string;

async function start(options: { stateDir?: string; seed?: number } = {}): Promise<void> {
  simulator = await startHost({ port: 0, systems: [toySystem], ...options });
  toy = simulator.systems.toy?.url ?? '';
}

const auth = { authorization: 'Bearer t1' };

interface Listing {
  total: number;
  records: SimRecord[];
}

async function control<T = unknown>(
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const reply = await send<T>(`${simulator.url}/_control/${path}`, { method, body });
  return { status: reply.status, body: reply.body };
}

function post<T = unknown>(path: string, body: unknown): Promise<Reply<T>> {
  return send(`${toy}${path}`, { method: 'POST', headers: auth, body });
}

async function titles(): Promise<string[]> {
  const notes = await send<{ title: string }[]>(`${toy}/notes`, { headers: auth });
  return notes.body.map((note) => note.title);
}

afterEach(() => simulator.close());

describe('a mounted system', () => {
  beforeEach(() => start());

  it('answers under its own path with its own headers', async () => {
    const response = await send(`${toy}/notes`, { headers: auth });
    expect(toy).toBe(`${simulator.url}/toy`);
    expect(response.headers.get('x-count')).toBe('1');
    expect(response.body).toEqual([{ title: 'seeded', text: 'seed 1' }]);
  });

  it('answers 404 with what there is for any other path', async () => {
    const response = await send<{ message: string }>(`${simulator.url}/elsewhere`);
    expect(response.status).toBe(404);
    expect(response.body.message).toContain('toy');
  });

  it('undoes what a request wrote before it failed', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    expect((await post('/notes?fail=1', { title: 'lost' })).status).toBe(500);
    expect((await post('/slow/notes?fail=1', { title: 'lost too' })).status).toBe(500);
    expect(logged).toHaveBeenCalledTimes(2);
    logged.mockRestore();
    expect(await titles()).toEqual(['seeded']);
    expect((await control<Listing>('toy/records/Note?title=lost')).body.total).toBe(0);
    expect((await post('/notes', { title: 'kept' })).body).toEqual({ id: 'n1' });
  });

  it('runs one asynchronous request after the other', async () => {
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((title) => post<{ id: string }>('/slow/notes', { title })),
    );
    const ids = answers.map((answer) => answer.body.id);
    expect(new Set(ids)).toEqual(new Set(['n1', 'n2', 'n3']));
  });

  it('refuses a body above the limit in the vendor’s words', async () => {
    const response = await post('/notes', 'x'.repeat(17 * 1024 * 1024));
    expect(response.status).toBe(413);
    expect(response.body).toEqual({ error: 'failed with 413' });
  });
});

describe('state', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'simulator-'));
  afterAll(() => rmSync(stateDir, { recursive: true }));

  it('outlives the host and refuses another seed', async () => {
    await start({ stateDir, seed: 7 });
    await post('/notes', { title: 'written' });
    await control('toy/records/Note/n0', 'PATCH', { title: 'changed' });
    const before = (await control('toy/records/Note')).body;
    await simulator.close();

    await expect(start({ stateDir, seed: 8 })).rejects.toThrow('seed 7');
    await start({ stateDir });
    expect((await control('toy/records/Note')).body).toEqual(before);
    expect(await titles()).toEqual(['changed', 'written']);
    expect((await post('/notes', { title: 'next' })).body).toEqual({ id: 'n2' });
  });
});

describe('starting', () => {
  it('names a port that is in use, and refuses to listen beyond loopback', async () => {
    await start();
    const port = Number(new URL(simulator.url).port);
    await expect(startHost({ port, systems: [] })).rejects.toThrow(`Port ${port} is already in use`);
    await expect(startHost({ port: 0, host: '0.0.0.0', systems: [] })).rejects.toThrow('loopback');
  });
});

describe('control API', () => {
  beforeEach(() => start());

  it('describes the systems', async () => {
    expect((await control('systems')).body).toEqual({
      systems: { toy: { url: toy, credentials: { token: { token: 't1' } }, types: ['Note'] } },
    });
  });

  it('creates, reads, filters, limits and patches records', async () => {
    expect((await control('toy/records/Note', 'POST', { title: 'a', text: 'x' })).status).toBe(201);
    await control('toy/records/Note', 'POST', { title: 'a', text: 'y' });
    expect((await control('toy/records/Note?title=a&text=y')).body).toMatchObject({
      total: 1,
      records: [{ id: 'n2', type: 'Note' }],
    });
    expect((await control('toy/records/Note?limit=1')).body).toMatchObject({
      total: 3,
      records: [{ id: 'n0' }],
    });
    const before = (await control<SimRecord>('toy/records/Note/n2')).body;
    const after = (await control<SimRecord>('toy/records/Note/n2', 'PATCH', { text: 'z' })).body;
    expect(after).toMatchObject({ id: 'n2', data: { title: 'a', text: 'z' }, created: before.created });
    expect(after.modified).toBeGreaterThan(before.modified);
    expect((await control('toy/records')).body).toEqual({ types: { Note: 3 } });
  });

  it.each([
    ['POST', 'toy/records/Note', {}, 400, 'TITLE_MISSING'],
    ['PATCH', 'toy/records/Note/none', {}, 404, 'NOT_FOUND'],
    ['GET', 'toy/records/Book', undefined, 404, 'NOT_FOUND'],
    ['GET', 'other/records', undefined, 404, 'NOT_FOUND'],
    ['GET', 'toy/nothing', undefined, 404, 'NOT_FOUND'],
    ['DELETE', 'toy/records/Note', undefined, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', 'toy/records/Note?limit=x', undefined, 400, 'INVALID_PARAMETER'],
    ['POST', 'reset', [], 400, 'INVALID_JSON'],
    ['POST', 'reset', { seed: 'x' }, 400, 'INVALID_PARAMETER'],
  ])('answers %s %s with code and message', async (method, path, body, status, code) => {
    expect(await control(path, method, body)).toEqual({
      status,
      body: { code, message: expect.any(String) },
    });
  });

  it('offers the calls a vendor adds', async () => {
    expect(await control('notes/burn', 'POST', {})).toEqual({ status: 200, body: { burnt: 1 } });
    expect((await control<Listing>('toy/records/Note')).body.total).toBe(0);
    expect((await control<Listing>('toy/records/Note?deleted=true')).body.total).toBe(1);
  });

  it('resets records, faults and log, to another seed if asked', async () => {
    await post('/notes', { title: 'x' });
    await control('toy/faults', 'POST', { kind: 'status', status: 503 });
    expect((await control('reset', 'POST')).body).toEqual({ seed: 1 });
    expect((await control('toy/requests')).body).toEqual({ total: 0, requests: [] });
    expect(await titles()).toEqual(['seeded']);
    expect((await control('reset', 'POST', { seed: 9 })).body).toEqual({ seed: 9 });
    expect((await control<SimRecord>('toy/records/Note/n0')).body.data.text).toBe('seed 9');
  });

  it('logs requests without headers, bodies and secret parameters', async () => {
    await post('/notes?access_token=hidden&page=2', { title: 'private' });
    await fetch(`${toy}/notes`);
    const { total, requests } = (await control<{ total: number; requests: LoggedRequest[] }>('toy/requests'))
      .body;
    expect(total).toBe(2);
    expect(requests[0]).toEqual({
      seq: 1,
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      method: 'POST',
      path: '/notes',
      query: '?access_token=***&page=2',
      status: 201,
      ms: expect.any(Number),
      faults: [],
    });
    expect(JSON.stringify(requests)).not.toMatch(/t1|private|hidden/);
    expect((await control('toy/requests?since=1')).body).toMatchObject({
      total: 2,
      requests: [{ seq: 2, status: 401 }],
    });
    expect((await control('toy/requests', 'DELETE')).body).toEqual({ total: 0 });
  });
});
