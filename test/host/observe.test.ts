import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EvidencePack, KpiFigures, OpenExceptions, WorkItem } from '../../lib/observe';
import { verifyEvidence } from '../../lib/observe';
import { startCollector } from '../support/collector';
import { until } from '../support/engine';
import { type FlowNode, Host } from '../support/host';
import { World } from '../support/world';
import { enterDeal, runOf } from './deals';

/** What a real host tells of its work: metrics, traces, key figures, evidence. */

jest.setTimeout(120_000);

const API = '/q2c/api/v1';
const COMMAND = join(__dirname, '../../dist/bin/q2c-store.js');
const LEGAL_ENTITY = /^len_/;

describe('with a collector', () => {
  let world: World;
  let collector: Awaited<ReturnType<typeof startCollector>>;

  beforeAll(async () => {
    collector = await startCollector();
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
    process.env.OTEL_BSP_SCHEDULE_DELAY = '200';
    world = await World.start();
  });
  afterAll(async () => {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    delete process.env.OTEL_BSP_SCHEDULE_DELAY;
    await world.stop();
    await collector.close();
  });

  const get = <T>(path: string) => world.host.request('GET', `${API}/${path}`) as Promise<T>;

  test('a deal that came through and one that stopped: metrics, traces, key figures and evidence agree', async () => {
    const { simulator } = world;
    const through = await runOf(world, await enterDeal(simulator, 1));
    expect(through.state).toBe('completed');
    await simulator.fault('netsuite', {
      kind: 'status',
      status: 400,
      match: { method: 'PUT', path: '/record/v1/job' },
      times: 1,
    });
    const stopped = await runOf(world, await enterDeal(simulator, 2));
    expect(stopped.state).toBe('failed');
    const refused = stopped.steps.filter(({ state }) => state === 'rejected');
    expect(refused).toHaveLength(1);
    const steps = [...through.steps, ...stopped.steps];

    const metrics = await get<string>('metrics');
    const value = (name: string) => {
      const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
    };
    expect(value('q2c_events_total{system="salesforce",result="accepted"}')).toBe(2);
    expect(value('q2c_runs_ended_total{state="completed"}')).toBe(1);
    expect(value('q2c_runs{state="failed"}')).toBe(1);
    const step = 'system="netsuite",operation="project.upsert"';
    expect(value(`q2c_steps_total{${step},outcome="call"}`)).toBe(1);
    expect(value(`q2c_step_calls_total{${step},result="rejected"}`)).toBe(1);
    expect(metrics).toMatch(/q2c_http_requests_total\{system="kantata",method="POST",status="20\d"\} [1-9]/);
    expect(metrics).toMatch(/q2c_breaker_state\{system="netsuite",connection="[^"]+"\} 0/);
    for (const { title } of [through, stopped]) expect(metrics).not.toContain(title);

    await until('the traces', () => {
      const ended = collector.spans.filter(({ attributes }) => attributes['q2c.run.state'] !== undefined);
      return ended.length === 2;
    });
    const runSpan = (id: string) => collector.spans.find(({ attributes }) => attributes['q2c.run.id'] === id);
    expect(runSpan(through.id)?.attributes['q2c.run.state']).toBe('completed');
    expect(runSpan(stopped.id)?.attributes['q2c.run.state']).toBe('failed');
    const stepSpans = collector.spans.filter(({ attributes }) => attributes['q2c.step'] !== undefined);
    expect(stepSpans).toHaveLength(steps.length);
    expect(new Set(stepSpans.map(({ traceId }) => traceId))).toEqual(
      new Set([runSpan(through.id)?.traceId, runSpan(stopped.id)?.traceId]),
    );
    const failedSpan = stepSpans.find(({ status }) => status.code === 2);
    expect(failedSpan?.attributes['q2c.exception.code']).toBe(refused[0]?.error?.code);
    const systems = collector.spans
      .filter(({ attributes }) => attributes['http.response.status_code'] !== undefined)
      .map(({ attributes }) => attributes['q2c.target_system']);
    expect(new Set(systems)).toEqual(new Set(['salesforce', 'netsuite', 'kantata']));

    const writes = steps.filter(
      ({ operation, state }) => !/\.(read|find|query)/.test(operation) && state !== 'intent',
    );
    let figures: KpiFigures[] = [];
    await until(
      'the key figures',
      async () => {
        ({ figures } = await get<{ figures: KpiFigures[] }>('kpis'));
        return figures[0]?.writes.attempted === writes.length && figures[0].projectSetup.count === 1;
      },
      60_000,
      200,
    );
    expect(figures[0]).toMatchObject({
      writes: { attempted: writes.length, confirmed: writes.length - 1 },
      // Its polls have read the deal again and again, and our own update of it: nothing was done twice for that.
      duplicatesPrevented: { events: 0, lostReplies: 0, earlierRuns: 0, naturalKeys: 0 },
      exceptions: { opened: 1, resolved: 0 },
    });
    const entities = await get<{ figures: KpiFigures[] }>('kpis?by=legalEntity');
    expect(entities.figures.map(({ group }) => group)).toEqual(
      entities.figures.map(() => expect.stringMatching(LEGAL_ENTITY)),
    );
    expect(await get<OpenExceptions[]>('kpis/open-exceptions')).toEqual([
      expect.objectContaining({ code: refused[0]?.error?.code, system: 'netsuite', count: 1 }),
    ]);
    expect(await get<{ items: WorkItem[] }>('kpis/work-lists/awaiting_project')).toMatchObject({
      total: 1,
      items: [{ correlationId: stopped.correlationId, state: 'failed' }],
    });

    const pack = await get<EvidencePack>(`deals/${stopped.correlationId}/evidence`);
    expect(pack.runs.map(({ id }) => id)).toEqual([stopped.id]);
    expect(await verifyEvidence(pack)).toEqual({ intact: true, problems: [] });
    const page = await get<string>(`deals/${stopped.correlationId}/evidence?format=html`);
    expect(page).toContain(`Run ${stopped.id}: failed`);
    const file = join(world.host.userDir, 'evidence.json');
    const verify = async (content: EvidencePack) => {
      await writeFile(file, JSON.stringify(content));
      const store = join(world.host.userDir, 'quote-to-cash/q2c.db');
      const args = [COMMAND, 'verify-evidence', '--from', file, '--store', store, '--json'];
      const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      return { status, ...(JSON.parse(stdout) as { problems: string[] }) };
    };
    expect(await verify(pack)).toMatchObject({ status: 0, problems: [] });
    expect(await verify({ ...pack, generatedBy: 'somebody else' })).toMatchObject({
      status: 1,
      problems: ['the pack was changed after it was made'],
    });
    await expect(get('kpis?by=customer')).rejects.toThrow(/400.*VALUE_INVALID/);
    await expect(get('deals/opp_01JGZC0000000000000000000A/evidence')).rejects.toThrow(/404/);
  });
});

/** Tells over HTTP which files of the pack the host has loaded. */
const LOADED: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Loaded' },
  { id: 'store', type: 'q2c-store', name: 'Store' },
  { id: 'in', type: 'http in', z: 'tab', url: '/loaded', method: 'get', wires: [['list']] },
  {
    id: 'list',
    type: 'function',
    z: 'tab',
    func: 'msg.payload = Object.keys(nodeModule._cache); return msg;',
    libs: [{ var: 'nodeModule', module: 'module' }],
    outputs: 1,
    wires: [['out']],
  },
  { id: 'out', type: 'http response', z: 'tab', wires: [] },
];

/** Names of files of the pack that hold what only some hosts need. */
const LATE =
  /^(salesforce|netsuite|kantata|simulator|routes|lookup-routes|console|otel|prometheus|mqtt-client|pg-client)\b/;

test('where nobody asks for it, no connector, no page, no interface and no exporter is loaded; metrics need a login', async () => {
  const host = await Host.prepare({
    flow: LOADED,
    settings: { adminAuth: { type: 'credentials', users: [] } },
  });
  try {
    await host.start();
    const loaded = async () => {
      const files = (await host.request('GET', '/loaded')) as string[];
      return files.filter((file) => file.includes('quote-to-cash')).map((file) => basename(file));
    };
    const late = async () =>
      (await loaded()).filter((file) => LATE.test(file)).map((file) => LATE.exec(file)?.[0]);
    const before = await loaded();
    // The flow has a node of one set; of the others only the types are known.
    expect(before).toEqual(expect.arrayContaining(['q2c-store.js', 'q2c-store.nodes.js', 'q2c-plan.js']));
    expect(before).not.toContain('q2c-plan.nodes.js');
    expect(await late()).toEqual([]);
    for (const path of ['metrics', 'kpis', 'kpis/open-exceptions', 'deals/x/evidence']) {
      expect((await fetch(`${host.url}${API}/${path}`)).status).toBe(401);
    }
    expect(await late()).toEqual(['routes']);
    // Somebody looks at the host: what may be deployed next is there too, although no flow has such a node.
    expect(await loaded()).toContain('q2c-plan.nodes.js');
  } finally {
    await host.dispose();
  }
});
