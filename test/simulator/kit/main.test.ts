import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import type { SimRecord } from '../../../simulator/kit/types';
import { send } from '../support';

const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
const script = join(folder, 'simulator.cjs');
const running = new Set<ChildProcessWithoutNullStreams>();

beforeAll(() => {
  buildSync({
    entryPoints: [join(__dirname, '../../../simulator/main.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: script,
  });
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ready {
  ready: boolean;
  url: string;
  systems: Record<string, { url: string; credentials: Record<string, Record<string, string>> }>;
}

function launch(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [script, ...args]);
  running.add(child);
  return child;
}

async function ready(child: ChildProcessWithoutNullStreams): Promise<Ready> {
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(String(line));
}

async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | null; errors: string; output: string }> {
  let errors = '';
  let output = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, errors, output };
}

it('prints one line when it is ready and closes cleanly on SIGTERM', async () => {
  const child = launch('--port', '0', '--seed', '5');
  const end = ended(child);
  const line = await ready(child);
  expect(line).toMatchObject({
    ready: true,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    systems: {
      salesforce: {
        url: `${line.url}/salesforce`,
        credentials: { 'jwt-bearer': { host: `${line.url}/salesforce` } },
      },
    },
  });
  expect((await send(`${line.url}/_control/reset`, { method: 'POST' })).body).toEqual({ seed: 5 });
  child.kill('SIGTERM');
  const { code, output, errors } = await end;
  expect([code, output.trim().split('\n').length, errors]).toEqual([0, 1, '']);
});

it('starts the systems it is asked for', async () => {
  const { systems } = await ready(launch('--port', '0', '--systems', 'netsuite,kantata'));
  expect(Object.keys(systems)).toEqual(['netsuite', 'kantata']);
  const unknown = await ended(launch('--port', '0', '--systems', 'netsweet'));
  expect(unknown).toMatchObject({ code: 1, errors: expect.stringContaining('no simulator for "netsweet"') });
});

it('says which port is in use and which argument is wrong', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const used = await ended(launch('--port', port));
  expect(used).toEqual({ code: 1, errors: `Port ${port} is already in use\n`, output: '' });
  server.close();
  const wrong = await ended(launch('--port', 'x'));
  expect(wrong.code).toBe(2);
  expect(wrong.errors).toContain('--port must be a whole number');
  expect((await ended(launch('--prot', '1'))).code).toBe(2);
});

it('runs as a thread: with any other port when its own is in use, and what it cannot do is its error', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const startThread = (options: object) => new Worker(script, { workerData: options });

  const [error] = await once(startThread({ port }), 'error');
  expect(error).toMatchObject({ message: `Port ${port} is already in use` });
  const thread = startThread({ port, otherPort: true });
  const [{ url, systems }] = await once(thread, 'message');
  expect(new URL(url).port).not.toBe(String(port));
  expect((await send(`${url}/_control/systems`)).body).toMatchObject({ systems });
  await thread.terminate();
  server.close();
});

it('has after a kill -9 everything it answered', async () => {
  const state = join(folder, 'state');
  const first = launch('--port', '0', '--state', state);
  const { url } = await ready(first);
  const answered: string[] = [];
  let isDead = false;
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; !isDead; i++) {
      const body = { Name: `Written ${writer}-${i}`, Site: 'killed' };
      const reply = await send<SimRecord>(`${url}/_control/salesforce/records/Account`, {
        method: 'POST',
        body,
      }).catch(() => null);
      if (reply?.status === 201) answered.push(reply.body.id);
      if (answered.length === 200) first.kill('SIGKILL');
      if (!reply) isDead = true;
    }
  };
  await Promise.all([1, 2, 3, 4].map(write));
  if (first.signalCode === null) await once(first, 'close');

  const second = await ready(launch('--port', '0', '--state', state));
  const found = await send<{ records: SimRecord[] }>(
    `${second.url}/_control/salesforce/records/Account?Site=killed&limit=100000`,
  );
  const ids = new Set(found.body.records.map((record) => record.id));
  expect(answered.length).toBeGreaterThanOrEqual(200);
  expect(answered.filter((id) => !ids.has(id))).toEqual([]);
});
