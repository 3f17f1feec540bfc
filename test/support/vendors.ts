import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunningSimulator } from '../../simulator/kit/host';
import type { LoggedRequest } from '../../simulator/kit/request-log';
import type { Fault, SimRecord } from '../../simulator/kit/types';
import { endWithUs } from './children';
import { until } from './until';

const root = join(__dirname, '../..');

export const SYSTEMS = ['salesforce', 'netsuite', 'kantata'] as const;
export type SystemName = (typeof SYSTEMS)[number];

export interface ClosedDeal {
  key: string;
  opportunityId: string;
  name: string;
}

export type SimulatedSystems = RunningSimulator['systems'];

/** The control API of simulated vendors: the person at their screens, and whoever breaks the network on purpose. */
export class VendorControl {
  /** @param url of the simulator; of several with commas between them, as `Q2C_SIMULATOR_URL` takes them */
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

export const startVendors = (vendors: 'beside' | 'apart'): Promise<VendorControl> =>
  vendors === 'beside' ? Simulator.start() : SimulatorPerVendor.start();
