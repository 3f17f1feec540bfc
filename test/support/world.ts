import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from '../../lib/api/paging';
import type { RunReport, RunSummary } from '../../lib/api/reports';
import type { CaseLine } from '../../lib/governance';
import type { RunningSimulator } from '../../simulator/kit/host';
import type { LoggedRequest } from '../../simulator/kit/request-log';
import type { Fault, SimRecord } from '../../simulator/kit/types';
import { endWithUs } from './children';
import { exampleFlow } from './examples';
import { type FlowNode, Host } from './host';
import { type StoreReader, sqliteReader } from './store-reader';
import { until } from './until';

const root = join(__dirname, '../..');

export const SYSTEMS = ['salesforce', 'netsuite', 'kantata'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** The template flow; its source node polls fast enough for tests. */
export function templateFlow(change: (node: FlowNode) => void = () => undefined): FlowNode[] {
  const flow = exampleFlow('Closed won to project');
  for (const node of flow) {
    if (node.type === 'q2c-salesforce-events') node.interval = '0.2';
    change(node);
  }
  return flow;
}

export interface ClosedDeal {
  key: string;
  opportunityId: string;
  name: string;
}

export type SimulatedSystems = RunningSimulator['systems'];

/** The control API of simulated vendors: the person at their screens, and whoever breaks the network on purpose. */
export class VendorControl {
  constructor(readonly url: string) {}

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((error: Error) => {
      throw new Error(`${method} ${path} of the simulator: ${error.cause ?? error}`);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Ends what was started for it. Vendors inside the host end with the host. */
  async stop(): Promise<void> {}

  /** Where each system answers, and what logs in there. */
  async systems(): Promise<SimulatedSystems> {
    return (await this.control<{ systems: SimulatedSystems }>('GET', 'systems')).systems;
  }

  /** How many records a system holds, by type. */
  async recordCounts(system: SystemName): Promise<Record<string, number>> {
    return (await this.control<{ types: Record<string, number> }>('GET', `${system}/records`)).types;
  }

  async records(system: SystemName, type: string): Promise<SimRecord[]> {
    const path = `${system}/records/${type}?limit=100000`;
    return (await this.control<{ records: SimRecord[] }>('GET', path)).records;
  }

  record(system: SystemName, type: string, id: string): Promise<SimRecord> {
    return this.control('GET', `${system}/records/${type}/${id}`);
  }

  create(system: SystemName, type: string, data: Record<string, unknown>): Promise<SimRecord> {
    return this.control('POST', `${system}/records/${type}`, data);
  }

  patch(system: SystemName, type: string, id: string, data: Record<string, unknown>): Promise<SimRecord> {
    return this.control('PATCH', `${system}/records/${type}/${id}`, data);
  }

  fault(system: SystemName, fault: Omit<Fault, 'id'>): Promise<Fault> {
    return this.control('POST', `${system}/faults`, fault);
  }

  /** How often each kind of fault has struck, over all systems. */
  async faultsFired(): Promise<Record<string, number>> {
    const fired: Record<string, number> = {};
    for (const system of SYSTEMS) {
      const { faults } = await this.control<{ faults: (Fault & { fired: number })[] }>(
        'GET',
        `${system}/faults`,
      );
      for (const fault of faults) fired[fault.kind] = (fired[fault.kind] ?? 0) + fault.fired;
    }
    return fired;
  }

  async removeFaults(): Promise<void> {
    await Promise.all(SYSTEMS.map((system) => this.control('DELETE', `${system}/faults`)));
  }

  /** @param options with `newAccounts`, each deal is the first one of its customer */
  closeDeals(count: number, options: { newAccounts?: true } = {}): Promise<ClosedDeal[]> {
    return this.control('POST', 'deals/close', { count, ...options });
  }

  /** Calls a vendor has answered so far. */
  async requestCount(system: SystemName): Promise<number> {
    return (await this.control<{ total: number }>('GET', `${system}/requests?limit=0`)).total;
  }

  async requestsSince(system: SystemName, seq: number): Promise<LoggedRequest[]> {
    const path = `${system}/requests?since=${seq}`;
    return (await this.control<{ requests: LoggedRequest[] }>('GET', path)).requests;
  }

  /** Resolves when the source node has looked for won deals again. */
  polledAgain(): Promise<void> {
    return this.looked('salesforce', 'IsWon = true');
  }

  /**
   * Resolves when a source has asked a vendor twice more: the first time it may have begun before.
   * @param question is in the path or the query of each of its calls
   */
  async looked(system: SystemName, question: string): Promise<void> {
    const before = await this.requestCount(system);
    const asked = async () =>
      (await this.requestsSince(system, before)).filter(({ path, query }) =>
        `${path}?${decodeURIComponent(query)}`.includes(question),
      );
    await until(
      `two looks at ${system} for ${question}`,
      async () => (await asked()).length >= 2,
      30_000,
      20,
    );
  }
}

/** Simulated vendors in a process of their own, as `npm run simulator` starts them. */
export class Simulator extends VendorControl {
  private constructor(
    url: string,
    private readonly child: ChildProcess,
  ) {
    super(url);
  }

  static async start(args: string[] = []): Promise<Simulator> {
    const child = endWithUs(
      spawn(process.execPath, [join(root, 'dist/simulator-main.js'), '--port', '0', ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new Simulator((JSON.parse(line) as { url: string }).url, child);
  }

  override async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** Each simulated vendor in a process of its own: real ones do not wait for each other's processor either. */
export class SimulatorPerVendor extends VendorControl {
  private constructor(private readonly vendors: Readonly<Record<SystemName, Simulator>>) {
    super(
      Object.values(vendors)
        .map(({ url }) => url)
        .join(','),
    );
  }

  static async start(): Promise<SimulatorPerVendor> {
    const [salesforce, netsuite, kantata] = await Promise.all(
      SYSTEMS.map((system) => Simulator.start(['--systems', system])),
    );
    if (!salesforce || !netsuite || !kantata) throw new Error('A vendor is missing');
    return new SimulatorPerVendor({ salesforce, netsuite, kantata });
  }

  override async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [first] = path.split('/');
    const vendor = SYSTEMS.find((system) => system === first);
    // What is no record of one system is what salespeople do.
    if (vendor !== undefined || first === 'deals')
      return this.vendors[vendor ?? 'salesforce'].control(method, path, body);
    throw new Error(`${path} is asked of one simulator`);
  }

  override async systems(): Promise<SimulatedSystems> {
    const each = await Promise.all(Object.values(this.vendors).map((vendor) => vendor.systems()));
    return Object.assign({}, ...each) as SimulatedSystems;
  }

  override async stop(): Promise<void> {
    await Promise.all(Object.values(this.vendors).map((vendor) => vendor.stop()));
  }
}

export interface WorldOptions {
  flow?: FlowNode[];
  /**
   * Where the vendors run: in a process of their own (default), each in one, or inside Node-RED as for a user without
   * accounts.
   */
  vendors?: 'beside' | 'apart' | 'inside';
}

export const startVendors = (vendors: 'beside' | 'apart'): Promise<VendorControl> =>
  vendors === 'beside' ? Simulator.start() : SimulatorPerVendor.start();

/** A real Node-RED with the packed pack and the template flow, and simulated vendors. */
export class World {
  /** Of parts that exist already; `start` makes them. */
  constructor(
    readonly simulator: VendorControl,
    readonly host: Host,
  ) {}

  static async start({ flow = templateFlow(), vendors = 'beside' }: WorldOptions = {}): Promise<World> {
    const simulator = vendors === 'inside' ? null : await startVendors(vendors);
    const host = await Host.start({ env: { Q2C_SIMULATOR_URL: simulator?.url ?? '' } });
    try {
      const inside = simulator === null ? host.waitForLog(/Quote-to-cash simulator: /) : '';
      await host.deploy(flow);
      const control = simulator ?? new VendorControl(/http:\S+/.exec(await inside)?.[0] ?? '');
      await control.polledAgain();
      return new World(control, host);
    } catch (error) {
      // A process left behind would keep the test run from ending.
      await host.dispose();
      await simulator?.stop();
      throw error;
    }
  }

  /** Replaces the flow and waits until its store is open. */
  async deploy(flow: FlowNode[], type?: 'full' | 'nodes' | 'flows'): Promise<void> {
    await this.host.deploy(flow, type);
    await this.storeOpen();
  }

  /** Starts the host again, after it was stopped or killed, and waits until its store is open. */
  async startHost(): Promise<void> {
    await this.host.start();
    await this.storeOpen();
  }

  /** Flows count as started while the store still opens its file. */
  private async storeOpen(): Promise<void> {
    const path = `${this.host.url}/q2c/api/v1/runs/counts`;
    await until('the store to open', async () => (await fetch(path)).ok, 30_000, 20);
  }

  async stop(): Promise<void> {
    await this.host.dispose();
    await this.simulator.stop();
  }

  async runs(): Promise<RunSummary[]> {
    const all: RunSummary[] = [];
    for (let cursor = ''; ; ) {
      const path = `/q2c/api/v1/runs?order=oldest&limit=500${cursor && `&cursor=${cursor}`}`;
      const page = (await this.host.request('GET', path)) as Page<RunSummary>;
      all.push(...page.items);
      if (page.next === null) return all;
      cursor = page.next;
    }
  }

  private counts(): Promise<Partial<Record<RunSummary['state'], number>>> {
    return this.host.request('GET', '/q2c/api/v1/runs/counts') as ReturnType<World['counts']>;
  }

  run(id: string): Promise<RunReport> {
    return this.host.request('GET', `/q2c/api/v1/runs/${id}`) as Promise<RunReport>;
  }

  /** Cases that wait for somebody. */
  async openCases(): Promise<CaseLine[]> {
    const path = '/q2c/api/v1/cases?limit=500&sort=opened';
    return ((await this.host.request('GET', path)) as Page<CaseLine>).items;
  }

  async retry(id: string): Promise<void> {
    const done = await this.host.request('POST', `/q2c/api/v1/runs/${id}/retry`, {});
    const { status } = done as { status: string };
    if (status !== 'done') throw new Error(`The retry of ${id} is ${status}`);
  }

  /** Runs of one deal, oldest first. */
  async runsOf(deal: { name: string }): Promise<RunSummary[]> {
    return (await this.runs()).filter(({ title }) => title === deal.name);
  }

  /** Waits until this many runs are there and all have come to an end that nothing changes by itself. */
  async settled(count: number, timeoutMs = 60_000): Promise<RunSummary[]> {
    let runs: RunSummary[] = [];
    await until(
      `${count} runs to settle`,
      async () => {
        // Counting first: a list of hundreds of runs every few moments would be work of its own.
        const { queued = 0, running = 0, ...ended } = await this.counts();
        const total = Object.values(ended).reduce((sum, each) => sum + each, 0);
        if (queued + running > 0 || total < count) return false;
        runs = await this.runs();
        return runs.every(isSettled);
      },
      timeoutMs,
      100,
    ).catch((error: Error) => {
      const left = runs
        .filter((run) => !isSettled(run))
        .map(({ id, state, retryAt }) => `${id} ${state} ${retryAt}`);
      throw new Error(`${error.message}; there are ${runs.length}, unsettled: ${left.join(', ')}`);
    });
    return runs;
  }

  /** Waits until this many runs have ended at least once: through, or waiting as a case. */
  async ended(count: number, timeoutMs = 60_000): Promise<RunSummary[]> {
    let runs: RunSummary[] = [];
    await until(
      `${count} runs to end`,
      async () => {
        runs = await this.runs();
        return runs.filter(({ endedAt }) => endedAt !== null).length >= count;
      },
      timeoutMs,
      100,
    );
    return runs;
  }

  /** The host's store, to look into while it works or after it stopped. */
  get store(): StoreReader {
    return sqliteReader(join(this.host.userDir, 'quote-to-cash/q2c.db'));
  }
}

export const isSettled = ({ state, retryAt }: RunSummary): boolean =>
  state !== 'queued' && state !== 'running' && retryAt === null;
