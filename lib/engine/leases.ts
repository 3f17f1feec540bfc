import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Instant, Q2cError } from '../model';
import {
  isShared,
  keyShared,
  prepared,
  preparedTogether,
  type RunState,
  type Store,
  shareLocked,
  type Tx,
} from '../store';

/**
 * What this host may do alone among the hosts on one store, and for how long (DESIGN §4 Dispatch): the runs it has
 * claimed, and roles such as polling for a source node. A host that cannot renew its lease in time stops by itself
 * before the others take over. A store that no other host can work on needs none of this.
 */

export interface Lease {
  owner: string;
  until: Instant;
}

export interface LeasesOptions {
  store: Store;
  now(): Instant;
  /** How long a claim holds without being renewed, in milliseconds. */
  leaseMs: number;
  /** The lease has run out: nothing that was begun under it may go on. */
  onLost(): void;
}

/** Work stops when this part of the lease has passed: calls on their way get the rest to end before others take over. */
const SAFE_PART = 0.8;
/** Runs renewed by one statement. */
const CHUNK = 500;

export class Leases {
  readonly owner = `host_${randomUUID()}`;
  private readonly roles = new Set<string>();
  private lost = new AbortController();
  private expiry: NodeJS.Timeout | null = null;
  /** Moment of the monotonic clock at which the lease counts as lost; infinite while nothing is held. */
  private safeUntil = Number.POSITIVE_INFINITY;

  constructor(private readonly options: LeasesOptions) {}

  /** How often to renew, in milliseconds. */
  get renewEveryMs(): number {
    return this.options.leaseMs / 3;
  }

  /** Fires with a signal, and when work that is begun now must break off because the lease is lost. */
  guard(signal: AbortSignal): AbortSignal {
    return this.options.store.exclusive ? signal : AbortSignal.any([signal, this.lost.signal]);
  }

  /** A lease from now on, for rows that are about to be written. */
  grant(): Lease {
    if (this.expiry === null) this.hold();
    return { owner: this.owner, until: this.end() };
  }

  /** This host may have stood still, and its timers with it: notices that before a call leaves. */
  check(): void {
    if (performance.now() > this.safeUntil) this.lose();
  }

  /**
   * Renews the lease of roles and runs.
   * @param underWay ids of the runs at the moment it is called
   * @returns ids of those that are this host's no longer
   */
  async renew(underWay: () => string[]): Promise<string[]> {
    const { store } = this.options;
    if (store.exclusive) return [];
    let runIds: string[] = [];
    const kept = new Set<string>();
    await store.write(async (tx) => {
      this.hold();
      runIds = underWay();
      kept.clear();
      for (let from = 0; from < runIds.length; from += CHUNK) {
        const rows = await tx
          .updateTable('run')
          .set({ lease_until: this.end() })
          .where('id', 'in', runIds.slice(from, from + CHUNK))
          .where('lease_owner', '=', this.owner)
          .where('state', '=', 'running')
          .returning('id')
          .execute();
        for (const { id } of rows) kept.add(id);
      }
      await tx
        .updateTable('run')
        .set({ lease_until: this.end() })
        .where('lease_owner', '=', this.owner)
        .where('state', '=', sql.lit<RunState>('cancelling'))
        .execute();
      await this.renewRoles(tx);
    }, 'committed');
    return runIds.filter((id) => !kept.has(id));
  }

  private async renewRoles(tx: Tx): Promise<void> {
    if (this.roles.size === 0) return;
    await tx
      .updateTable('lease')
      .set({ until: this.end() })
      .where('owner', '=', this.owner)
      .where('name', 'in', [...this.roles])
      .execute();
  }

  /** Takes a role that only one host has at a time, or keeps it. @returns false while another host has it */
  async take(role: string): Promise<boolean> {
    const { store } = this.options;
    if (store.exclusive) return true;
    const isOurs = await store.write(async (tx) => {
      const { owner, until } = this.grant();
      const row = await tx
        .insertInto('lease')
        .values({ name: role, owner, until })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ owner, until })
            .where((where) =>
              where.or([where('lease.owner', '=', owner), where('lease.until', '<', this.options.now())]),
            ),
        )
        .returning('owner')
        .executeTakeFirst();
      return row !== undefined;
    }, 'committed');
    if (isOurs) this.roles.add(role);
    else this.roles.delete(role);
    return isOurs;
  }

  /** Leaves a role to the others. */
  async leave(role: string): Promise<void> {
    if (!this.roles.delete(role)) return;
    await this.options.store.write(async (tx) => {
      await tx.deleteFrom('lease').where('name', '=', role).where('owner', '=', this.owner).execute();
    }, 'committed');
  }

  /** As the function of this name, for this host. */
  requireRole(tx: Tx, role: string): Promise<void> {
    return requireRole(tx, role, this.owner);
  }

  /**
   * Within a write for a run: other hosts cannot take the run over until it is committed.
   * @throws Q2cError `RUN_TAKEN_OVER` when they have.
   */
  async requireRun(tx: Tx, runId: string): Promise<void> {
    if (!(await this.holdsRun(tx, runId))) throw takenOver();
  }

  /** As `requireRun`. @returns false when another host has taken the run over */
  holdsRun(tx: Tx, runId: string): Promise<boolean> {
    return holdsRun(tx, runId, this.owner);
  }

  /** Lets go of everything at once: the others need not wait for the end of the lease. */
  async release(tx: Tx): Promise<void> {
    const { store, now } = this.options;
    if (store.exclusive) return;
    this.rest();
    this.roles.clear();
    await tx
      .updateTable('run')
      .set({ lease_until: now() })
      .where('lease_owner', '=', this.owner)
      .where('state', 'in', ['running', 'cancelling'])
      .execute();
    await tx.deleteFrom('lease').where('owner', '=', this.owner).execute();
  }

  private end(): Instant {
    const { now, leaseMs } = this.options;
    return new Date(Date.parse(now()) + leaseMs).toISOString();
  }

  /** Rows written now hold from this moment on. */
  private hold(): void {
    if (this.options.store.exclusive) return;
    this.check();
    this.rest();
    const safeMs = this.options.leaseMs * SAFE_PART;
    this.safeUntil = performance.now() + safeMs;
    this.expiry = setTimeout(() => this.lose(), safeMs).unref();
  }

  private rest(): void {
    if (this.expiry !== null) clearTimeout(this.expiry);
    this.expiry = null;
    this.safeUntil = Number.POSITIVE_INFINITY;
  }

  private lose(): void {
    this.rest();
    this.roles.clear();
    const { lost } = this;
    this.lost = new AbortController();
    this.options.onLost();
    lost.abort(takenOver());
  }
}

/**
 * Within a write that a role of a host entitles to.
 * @throws Q2cError `LEASE_LOST` when another host has the role. A role that nobody ever took is free to all.
 */
export async function requireRole(tx: Tx, role: string, host: string): Promise<void> {
  if (!isShared(tx)) return;
  const [holder] = await selectRole(tx, { role });
  if (holder === undefined || holder.owner === host) return;
  throw new Q2cError(
    'LEASE_LOST',
    `Another host has taken over ${role}; this one stands by until that host is gone.`,
  );
}

/** As `Leases.requireRun`. @returns false when another host has taken the run over */
export async function holdsRun(tx: Tx, runId: string, owner: string): Promise<boolean> {
  return !isShared(tx) || (await selectOwnRun(tx, { runId, owner })).length > 0;
}

function takenOver(): Q2cError {
  return new Q2cError('RUN_TAKEN_OVER', 'Another host goes on with the run; this one has stopped.');
}

const selectOwnRun = preparedTogether<{ runId: string; owner: string }, { seq: number }>(
  { runId: 'text', owner: 'text' },
  (db, value) =>
    keyShared(
      db,
      db
        .selectFrom('run')
        .select('seq')
        .where('id', '=', value.runId)
        .where('lease_owner', '=', value.owner)
        .where('state', '=', sql.lit<RunState>('running')),
    ),
);

const selectRole = prepared<{ role: string }, { owner: string }>((db, value) =>
  shareLocked(db, db.selectFrom('lease').select('owner').where('name', '=', value.role)),
);
