import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import type { DispatchedRun, Engine, Step } from '../../lib/engine';
import { type CanonicalId, newId } from '../../lib/model';
import { openSqliteStore, type Store, verifyAudit } from '../../lib/store';
import { FakeVendor, startEngine, until } from '../support/engine';

/** A place for a store that can be filled to the brim, and emptied again. */
interface Disk {
  folder: string;
  fill(store: Store): Promise<void>;
  /** @param store null when it is closed */
  makeRoom(store: Store | null): Promise<void>;
  remove(): void;
}

/** A file system of 8 MB in memory. Only root may mount one. */
function smallDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'q2c-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    async fill() {
      const file = openSync(ballast, 'w');
      const piece = Buffer.alloc(4096);
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      } finally {
        closeSync(file);
      }
    },
    makeRoom: async () => rmSync(ballast),
    remove() {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** SQLite's own limit of pages, which gives the same error: for everybody who may not mount. */
function limitedFile(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'q2c-disk-'));
  return {
    folder,
    async fill({ db }) {
      // SQLite raises a limit below the present size to that size; free pages would still be used.
      await sql`pragma max_page_count = 1`.execute(db);
    },
    async makeRoom(store) {
      // The limit is the connection's, and ends with it.
      if (store !== null) await sql`pragma max_page_count = 1000000`.execute(store.db);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function mayMount(): boolean {
  try {
    smallDisk().remove();
    return true;
  } catch {
    return false;
  }
}

const disks: [string, () => Disk][] = [['a file that may not grow', limitedFile]];
if (mayMount()) disks.push(['a full disk', smallDisk]);

const PAYLOAD = 'x'.repeat(20_000);
const at = '2026-01-05T10:00:00.000Z';
const full = { code: 'STORE_WRITE_FAILED', message: expect.stringContaining('The disk is full: make room.') };

describe.each(disks)('%s', (_, make) => {
  let disk: Disk;
  let path: string;

  beforeEach(() => {
    disk = make();
    path = join(disk.folder, 'q2c.db');
  });
  afterEach(() => disk.remove());

  const write = (store: Store, source: string) =>
    store.write((tx) => tx.insertInto('cursor').values({ source, value: PAYLOAD, updated_at: at }).execute());
  const sources = async (store: Store) =>
    (await store.db.selectFrom('cursor').select('source').orderBy('source').execute()).map(
      ({ source }) => source,
    );

  test('a write says so, takes nothing back that was acknowledged, and works again with room', async () => {
    let store = await openSqliteStore(path);
    await write(store, 'a');
    await disk.fill(store);
    const outcomes = await Promise.allSettled(['b', 'c'].map((source) => write(store, source)));
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: full },
      { status: 'rejected', reason: full },
    ]);
    expect(await sources(store)).toEqual(['a']);
    await disk.makeRoom(store);
    await write(store, 'd');
    await store.close();

    store = await openSqliteStore(path);
    expect(await sources(store)).toEqual(['a', 'd']);
    await store.close();
    const database = new DatabaseSync(path);
    expect(database.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });

  describe('with runs under way', () => {
    let engine: Engine;
    let store: Store;
    let stop: () => Promise<void>;
    let vendor: FakeVendor;
    let logged: string[];

    beforeEach(async () => {
      logged = [];
      vendor = new FakeVendor();
      ({ engine, store, stop } = await startEngine({ path, log: (_, message) => logged.push(message) }));
    });
    afterEach(() => stop());

    const accept = (...deals: string[]) =>
      engine.accept({
        sourceNode: 'source',
        system: 'crm',
        instance: 'org',
        source: '/q2c/test/crm',
        cursor: deals,
        events: deals.map((deal) => ({
          id: deal,
          type: 'q2c.opportunity.won.v1',
          time: at,
          subject: { entity: 'opportunity', type: 'Opportunity', id: deal },
          title: deal,
          data: { deal, PAYLOAD },
        })),
      });
    const runs = () => store.db.selectFrom('run').select(['state', 'attempt']).orderBy('seq').execute();
    const completed = async () => {
      const all = await runs();
      return all.length > 0 && all.every(({ state }) => state === 'completed');
    };

    /** A flow of one node that makes the customer of each deal. Counts the passages that broke off. */
    function play(step: Partial<Step>): { broken: number } {
      const customers = new Map<string, CanonicalId>();
      const flow = { broken: 0 };
      const send = async (run: DispatchedRun) => {
        const active = engine.activeRun(run.id);
        if (active === undefined) throw new Error(`${run.id} is not under way`);
        engine.messageEntered(active);
        const canonicalId = customers.get(run.event.id) ?? newId('customer');
        customers.set(run.event.id, canonicalId);
        try {
          await engine.step(run.id, vendor.step({ canonicalId, wire: { PAYLOAD }, ...step }));
        } catch (error) {
          if (!(error instanceof Error && 'code' in error)) throw error;
          flow.broken++;
          const node = { id: 'n1', name: 'Customer' };
          engine.errorRaised(active, { node, message: error.message, code: String(error.code) });
        }
        engine.messageLeft(active);
      };
      engine.registerSource('source', 4, (run) => void send(run));
      return flow;
    }

    const verdict = async () => {
      expect(await store.db.selectFrom('exception_case').select('code').execute()).toEqual([]);
      expect(await verifyAudit(store)).toBeNull();
      return { records: vendor.records.size, runs: await runs() };
    };

    test('an event is not accepted half, and accepted when its source tells it again', async () => {
      const flow = play({});
      await disk.fill(store);
      await expect(accept('a')).rejects.toMatchObject(full);
      expect(await engine.cursor('/q2c/test/crm')).toBeNull();
      await disk.makeRoom(store);
      expect(await accept('a')).toMatchObject({ accepted: 1, duplicates: 0 });
      await until('the run is through', completed);
      expect(await verdict()).toEqual({ records: 1, runs: [{ state: 'completed', attempt: 1 }] });
      expect(flow.broken).toBe(0);
    });

    test('no call is made whose intent could not be journaled; the run goes on by itself with room', async () => {
      await accept('a', 'b');
      await disk.fill(store);
      const flow = play({});
      // A disk without a single free page refuses the claim, and the log says so; else the intent is refused.
      const isTold = () => logged.some((line) => line.includes('The disk is full'));
      await until('the store refuses', () => isTold() || flow.broken > 0);
      expect(vendor.calls).toBe(0);
      await disk.makeRoom(store);
      await until('the runs are through', completed, 10_000);
      expect(await verdict()).toMatchObject({ records: 2 });
      expect(vendor.calls).toBe(2);
    });

    test('a call whose outcome could not be journaled is found by a probe, not repeated', async () => {
      const flow = play({
        updates: false,
        call: async () => {
          vendor.calls++;
          if (vendor.calls === 1) await disk.fill(store);
          vendor.records.set('the', 'v1');
          return { reply: { PAYLOAD }, result: { refs: [], evidence: { id: 'v1' } } };
        },
        probe: async () => {
          vendor.probes++;
          return vendor.records.has('the') ? vendor.reply('v1') : null;
        },
      });
      await accept('a');
      await until('the outcome could not be journaled', () => flow.broken > 0);
      await disk.makeRoom(store);
      await until('the run is through', completed, 10_000);
      expect(await verdict()).toEqual({ records: 1, runs: [{ state: 'completed', attempt: 1 }] });
      expect([vendor.calls, vendor.probes]).toEqual([1, 1]);
    });

    test('a host that ends while the disk is full goes on at its next start', async () => {
      const flow = play({
        updates: false,
        call: async () => {
          vendor.calls++;
          await disk.fill(store);
          return { reply: { PAYLOAD }, result: { refs: [], evidence: { id: 'v1' } } };
        },
        probe: async () => vendor.reply('v1'),
      });
      await accept('a');
      await until('the outcome could not be journaled', () => flow.broken > 0);
      await stop();
      await disk.makeRoom(null);
      ({ engine, store, stop } = await startEngine({ path }));
      play({ updates: false, canonicalId: await firstCustomer(), probe: async () => vendor.reply('v1') });
      await until('the run is through', completed, 10_000);
      expect(vendor.calls).toBe(1);
    });

    const firstCustomer = async () =>
      (await store.db.selectFrom('step').select('canonical_id').executeTakeFirstOrThrow()).canonical_id;
  });
});

describe('rights', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'q2c-rights-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Root may write everywhere, so the work is done as `nobody`. */
  async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
    if (process.geteuid?.() !== 0) return work();
    process.seteuid?.('nobody');
    try {
      await work();
    } finally {
      process.seteuid?.(0);
    }
  }

  const refused = {
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/may write to it|is writable|right to write/),
  };

  test('a folder that may only be read is refused with what to do', async () => {
    chmodSync(folder, 0o555);
    await asOrdinaryUser(async () => {
      await expect(openSqliteStore(join(folder, 'q2c.db'))).rejects.toMatchObject(refused);
      await expect(openSqliteStore(join(folder, 'deep', 'q2c.db'))).rejects.toMatchObject(refused);
    });
  });

  test('a store that may only be read is refused at the start, and loses nothing', async () => {
    const path = join(folder, 'q2c.db');
    const store = await openSqliteStore(path);
    await store.write((tx) =>
      tx.insertInto('cursor').values({ source: 'a', value: '1', updated_at: at }).execute(),
    );
    await store.close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    await asOrdinaryUser(() => expect(openSqliteStore(path)).rejects.toMatchObject(refused));
    chmodSync(folder, 0o755);
    chmodSync(path, 0o644);
    const again = await openSqliteStore(path);
    expect(await again.db.selectFrom('cursor').selectAll().execute()).toHaveLength(1);
    await again.close();
  });
});
