import { setTimeout as sleep } from 'node:timers/promises';
import { pg } from '../lib/store/postgres/pg-client';
import { childrenOf, keepTo, parentOf, processorMs } from './processor';

/** What a PostgreSQL server has done so far. */
export interface ServerReading {
  /** Milliseconds of processor time of all its processes; 0 for a server on another machine. */
  cpuMs: number;
  /** Bytes of its log of changes. */
  walBytes: number;
}

const SAMPLE_EVERY_MS = 20;

/** Looks at a server from outside while hosts work on it. */
export class ServerWatch {
  private constructor(
    private readonly client: pg.Client,
    /** Id of the server's first process; null for a server on another machine. */
    private readonly pid: number | null,
  ) {}

  /** @param isHere the server runs on this machine */
  static async open(url: string, isHere: boolean): Promise<ServerWatch> {
    const client = new pg.Client({ connectionString: url, application_name: 'bench' });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return new ServerWatch(client, isHere ? parentOf(rows[0]?.pid ?? 0) : null);
  }

  /** @param cores as `taskset` takes them */
  keepTo(cores: string): void {
    for (const pid of this.processes()) keepTo(cores, pid);
  }

  async read(): Promise<ServerReading> {
    const { rows } = await this.client.query<{ bytes: string }>(
      "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes",
    );
    const cpuMs = this.processes().reduce((sum, pid) => sum + processorMs(pid), 0);
    return { cpuMs, walBytes: Number(rows[0]?.bytes) };
  }

  /**
   * Asks again and again, until the signal fires, what sessions of the hosts wait for in the middle of a transaction.
   * @returns how many sessions did on average, by what: the host's next statement, locks, the disk
   */
  async waits(until: AbortSignal): Promise<{ host: number; lock: number; disk: number }> {
    const sums = { host: 0, lock: 0, disk: 0 };
    let samples = 0;
    for (; !until.aborted; samples++) {
      const { rows } = await this.client.query<{ type: string }>(`
        select wait_event_type as type from pg_stat_activity
        where application_name like 'quote-to-cash%' and state <> 'idle' and wait_event_type is not null`);
      for (const { type } of rows) {
        if (type === 'Client') sums.host++;
        if (type === 'Lock') sums.lock++;
        // Whoever waits for another one's flush waits for its lock on the log.
        if (type === 'IO' || type === 'LWLock') sums.disk++;
      }
      await sleep(SAMPLE_EVERY_MS);
    }
    return { host: sums.host / samples, lock: sums.lock / samples, disk: sums.disk / samples };
  }

  close(): Promise<void> {
    return this.client.end();
  }

  private processes(): number[] {
    return this.pid === null ? [] : [this.pid, ...childrenOf(this.pid)];
  }
}
