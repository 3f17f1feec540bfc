import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, Host } from '../support/host';
import { until } from '../support/until';
import { templateFlow } from '../support/world';
import type { Plan } from './plan';
import type { SeedStore } from './stores';

export interface SiteOptions {
  hosts: number;
  /** User directory with the pack that every host gets a copy of. */
  template: string;
  simulatorUrl: string;
  store: SeedStore;
  projects: Plan['projects'];
}

/** The hosts of one seed with the template flow, on one store. Their folders lie in the folder of the seed. */
export class Site {
  private constructor(
    private readonly folder: string,
    readonly hosts: readonly Host[],
    readonly store: SeedStore,
  ) {}

  /** Hosts that have not been started yet. */
  static async prepare(folder: string, options: SiteOptions): Promise<Site> {
    const hosts: Host[] = [];
    for (let number = 1; number <= options.hosts; number++) {
      const userDir = join(folder, `host-${number}`);
      await cp(options.template, userDir, { recursive: true });
      const env = { Q2C_SIMULATOR_URL: options.simulatorUrl, ...options.store.env };
      const flow = flowFor(options);
      hosts.push(await Host.prepare({ userDir, env, flow, settings: { disableEditor: true } }));
    }
    return new Site(folder, hosts, options.store);
  }

  /**
   * Starts a host.
   * @returns resolves when its flows run, or when it was killed before that
   */
  async start(host: Host, env: Record<string, string> = {}): Promise<void> {
    try {
      await host.start(env);
    } catch (error) {
      if (host.ending !== 'SIGKILL') throw error;
    }
  }

  /** Starts what does not run, and waits until all of them answer. */
  async startAll(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        if (!isRunning(host)) await host.start();
        const path = `${host.url}/q2c/api/v1/runs/counts`;
        await until('the store to open', async () => (await fetch(path)).ok, 30_000, 20);
      }),
    );
  }

  /** @throws when a host is not there although nobody has ended it */
  expectRunning(): void {
    for (const host of this.hosts) {
      if (!isRunning(host)) throw new Error(`A host has ended by itself with ${host.ending}`);
    }
  }

  /** A person repeats a failed run; fine when it has begun again by itself meanwhile. */
  async retry(runId: string): Promise<void> {
    const [host] = this.hosts;
    try {
      await host?.request('POST', `/q2c/api/v1/runs/${runId}/retry`);
    } catch (error) {
      const [row] = await this.store.reader.rows(`select state from run where id = '${runId}'`);
      if (row?.state === 'failed') throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
  }

  /** Ends what still runs, and leaves what the hosts have printed beside their folders. */
  async kill(): Promise<void> {
    for (const [index, host] of this.hosts.entries()) {
      await host.kill();
      await writeFile(join(this.folder, `host-${index + 1}.log`), host.output);
    }
  }
}

/** Deals count from the beginning of time: a host may be killed before its source has noted when it began. */
const flowFor = ({ store, hosts, projects }: SiteOptions): FlowNode[] =>
  templateFlow((node) => {
    if (node.type === 'q2c-store') Object.assign(node, store.properties);
    if (node.type === 'q2c-kantata' && node.entity === 'project') node.verb = projects;
    if (node.type !== 'q2c-salesforce-events') return;
    node.startAt = '2020-01-01T00:00:00Z';
    // Else the host that polls takes all of the few deals, and the others have nothing to die of.
    if (hosts > 1) node.concurrency = '1';
  });

export const isRunning = (host: Host): boolean => host.pid !== undefined && host.ending === null;
