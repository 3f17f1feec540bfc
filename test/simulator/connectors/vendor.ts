import type { JsonObject } from '../../../lib/model';
import { type HostOptions, type RunningSimulator, startHost } from '../../../simulator/kit/host';
import type { Fault, SimulatedSystem } from '../../../simulator/kit/types';
import { send } from '../support';

export interface VendorRecord {
  id: string;
  data: JsonObject;
}

/** A simulated vendor whose connector is under test, with its control API: the person at its screens. */
export class Vendor {
  private constructor(
    private readonly system: string,
    private readonly simulator: RunningSimulator,
  ) {}

  static async start(system: SimulatedSystem, options: Pick<HostOptions, 'clock'> = {}): Promise<Vendor> {
    return new Vendor(system.id, await startHost({ port: 0, systems: [system], ...options }));
  }

  close(): Promise<void> {
    return this.simulator.close();
  }

  reset(): Promise<unknown> {
    return this.control('reset', 'POST', {});
  }

  async control<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    const reply = await send<T>(`${this.simulator.url}/_control/${path}`, { method, body });
    if (reply.status >= 300)
      throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  /** Address and credentials of an authentication scheme; a reset may make others. */
  async account(auth: string): Promise<{ url: string; credentials: Record<string, string> }> {
    const { systems } = await this.control<Pick<RunningSimulator, 'systems'>>('systems');
    const { url, credentials = {} } = systems[this.system] ?? {};
    if (url === undefined) throw new Error(`${this.system} does not run`);
    return { url, credentials: { ...credentials[auth] } };
  }

  /** The next matching request fails, or more of them. */
  fault(settings: Omit<Fault, 'id'>): Promise<unknown> {
    return this.control(`${this.system}/faults`, 'POST', { times: 1, ...settings });
  }

  /** A fault that did not fire would make its test pass for nothing. */
  async expectFaultsFired(): Promise<void> {
    expect((await this.faultsLeft()).filter((left) => left !== 0)).toEqual([]);
  }

  async faultsFired(): Promise<boolean> {
    return (await this.faultsLeft()).every((left) => left === 0);
  }

  /** How often each fault is still to strike. */
  private async faultsLeft(): Promise<(number | null)[]> {
    const { faults } = await this.control<{ faults: { left: number | null }[] }>(`${this.system}/faults`);
    return faults.map(({ left }) => left);
  }

  /** What stands in the vendor's system, as its own screens would show it. */
  async records(type: string, filter: Record<string, string> = {}): Promise<VendorRecord[]> {
    const query = new URLSearchParams({ limit: '1000', ...filter });
    return (await this.control<{ records: VendorRecord[] }>(`${this.system}/records/${type}?${query}`))
      .records;
  }

  record(type: string, id: string): Promise<VendorRecord> {
    return this.control(`${this.system}/records/${type}/${id}`);
  }

  create(type: string, data: JsonObject): Promise<VendorRecord> {
    return this.control(`${this.system}/records/${type}`, 'POST', data);
  }

  change(type: string, id: string, data: JsonObject): Promise<VendorRecord> {
    return this.control(`${this.system}/records/${type}/${id}`, 'PATCH', data);
  }
}
