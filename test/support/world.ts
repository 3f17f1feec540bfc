import { join } from 'node:path';
import type { Page } from '../../lib/api/paging';
import type { RunReport, RunSummary } from '../../lib/api/reports';
import type { CaseLine } from '../../lib/governance';
import { exampleFlow } from './examples';
import { type FlowNode, Host } from './host';
import { type StoreReader, sqliteReader } from './store-reader';
import { until } from './until';
import { startVendors, VendorControl } from './vendors';

/** The template flow; its source node polls fast enough for tests. */
export function templateFlow(change: (node: FlowNode) => void = () => undefined): FlowNode[] {
  const flow = exampleFlow('Closed won to project');
  for (const node of flow) {
    if (node.type === 'q2c-salesforce-events') node.interval = '0.2';
    change(node);
  }
  return flow;
}

export interface WorldOptions {
  flow?: FlowNode[];
  /**
   * Where the vendors run: in a process of their own (default), each in one, or inside Node-RED as for a user without
   * accounts.
   */
  vendors?: 'beside' | 'apart' | 'inside';
}

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
