import { setTimeout as sleep } from 'node:timers/promises';
import { armFaults } from '../support/faults';
import type { Host } from '../support/host';
import { judge, type Records, readRecords } from '../support/judge';
import { changedDocuments } from '../support/judge-signed';
import { complaintsAtAnyMoment, storeComplaints, unjournaledWrites } from '../support/store-judge';
import { until } from '../support/until';
import { type ClosedDeal, SYSTEMS, type VendorControl } from '../support/vendors';
import { type Crash, inWords, type Plan } from './plan';
import { recordFlushes } from './power-cut';
import { isRunning, type Site } from './site';

/** What a seed came to. */
export interface Outcome {
  /** What is missing, doubled or lost, in plain words; empty when all is as it must be. */
  complaints: string[];
  runs: number;
  /** Crashes that struck as planned: a failpoint may not be reached before all is quiet. */
  hits: Crash[];
  /** Cases that were opened on the way. */
  cases: number;
  faults: number;
  /** Bytes of the store's log that power cuts have taken. */
  lostBytes: number;
}

/**
 * Longest time until nothing moves any more, retries and their delays included: a source whose polls have failed time
 * and again waits for up to five minutes.
 */
const PATIENCE_MS = 420_000;

/** How often a person tries again what has failed, once the vendors are well. */
const REPAIRS = 3;

/**
 * Plays one seed: deals are closed, hosts crash and start again while vendors misbehave; then the vendors recover,
 * a person repeats what has failed, and vendors and store are judged.
 */
export class Story {
  private readonly deals: ClosedDeal[] = [];
  private readonly touched: ClosedDeal[] = [];
  /** The vendors' records when the latest deals were closed. */
  private signed: Records = {};
  readonly outcome: Outcome = { complaints: [], runs: 0, hits: [], cases: 0, faults: 0, lostBytes: 0 };

  constructor(
    private readonly plan: Plan,
    private readonly simulator: VendorControl,
    private readonly site: Site,
  ) {}

  /** Fills `outcome`. @throws when something does not come to an end */
  async play(): Promise<void> {
    const { plan, simulator, site, outcome } = this;
    await simulator.control('POST', 'reset', { seed: plan.seed });
    await armFaults(simulator, plan.seed, plan.faults);
    for (const [index, crash] of plan.crashes.entries()) {
      // Each crash finds work: the deals that are left are shared out among those that are left.
      await this.live(crash, Math.ceil((plan.deals - this.deals.length) / (plan.crashes.length - index)));
      await this.touch();
    }
    await site.startAll();
    await this.quiet();
    this.complain('with the faults still there', await complaintsAtAnyMoment(site.store.reader));

    outcome.faults = sum(Object.values(await simulator.faultsFired()));
    await simulator.removeFaults();
    await this.repair();
    await this.judgeEnd();
  }

  private async closeDeals(count: number): Promise<void> {
    if (count === 0) return;
    this.deals.push(...(await this.simulator.closeDeals(count)));
    this.signed = await readRecords(this.simulator);
  }

  /** A person changes deals whose runs are there: each becomes a second run of its record, after the first. */
  private async touch(): Promise<void> {
    const { site, simulator, plan, touched } = this;
    if (touched.length === plan.touched || !(await site.store.reader.isReady())) return;
    const rows = await site.store.reader.rows(`
      select external_id from xref join run on run.correlation_id = xref.canonical_id where system = 'salesforce'`);
    const accepted = new Set(rows.map(({ external_id }) => external_id));
    for (const deal of this.deals) {
      if (touched.length === plan.touched || !accepted.has(deal.opportunityId) || touched.includes(deal))
        continue;
      await simulator.patch('salesforce', 'Opportunity', deal.opportunityId, { CloseDate: '2026-12-24' });
      touched.push(deal);
    }
  }

  // ---------------------------------------------------------------- crashes

  /** Lets the hosts work until the crash is due, and looks at what it leaves. */
  private async live(crash: Crash, deals: number): Promise<void> {
    const { site, outcome } = this;
    // A host that comes back finds that the others have done its work: it gets new work with them.
    const isShared = site.hosts.length > 1 && crash.kind !== 'kill-while-starting';
    if (!isShared) await this.closeDeals(deals);
    const host = site.hosts[crash.host];
    if (host === undefined) throw new Error(`There is no host ${crash.host}`);
    // What arms it is in the environment of a process.
    await host.stop();
    const from = await this.calls();
    let failure: unknown = null;
    const others = site.hosts.filter((other) => other !== host && !isRunning(other));
    const started = Promise.all([
      site.start(host, environmentOf(crash)),
      ...others.map((other) => site.start(other)),
    ]).catch((error: unknown) => {
      failure = error;
    });
    if (isShared) {
      await started;
      await this.closeDeals(deals);
    }
    const due = await this.due(crash, host, from, () => failure !== null);
    if (due) outcome.hits.push(crash);
    if (crash.kind === 'stop') {
      await started;
      await host.stop();
    } else {
      await host.kill();
      await started;
    }
    if (failure !== null) throw failure;
    if (crash.kind === 'power-cut') outcome.lostBytes += site.store.cutPower();
    if (await site.store.reader.isReady()) await this.look(crash);
  }

  /** @returns false when all was quiet before the moment came, or the host did not start */
  private async due(crash: Crash, host: Host, from: number, hasFailed: () => boolean): Promise<boolean> {
    if (crash.kind === 'kill-while-starting') {
      await sleep(crash.afterMs);
      return true;
    }
    let due = false;
    await until(
      `the crash ${inWords(crash)}`,
      async () => {
        due =
          crash.kind === 'failpoint'
            ? host.ending === 'SIGKILL'
            : (await this.calls()) >= from + crash.afterCalls;
        return due || hasFailed() || (await this.isQuiet());
      },
      PATIENCE_MS,
      20,
    );
    if (crash.kind !== 'failpoint') await sleep(crash.thenMs);
    return due;
  }

  /** Calls the vendors have answered, or begun to. */
  private async calls(): Promise<number> {
    return sum(await Promise.all(SYSTEMS.map((system) => this.simulator.requestCount(system))));
  }

  private async look(crash: Crash): Promise<void> {
    const store = this.site.store.reader;
    const records = await readRecords(this.simulator);
    const when = `after ${inWords(crash)}`;
    this.complain(when, await unjournaledWrites(records, store));
    this.complain(when, await complaintsAtAnyMoment(store));
  }

  // ---------------------------------------------------------------- the end

  /** All deals have been accepted, and no run is on its way. */
  private async isQuiet(): Promise<boolean> {
    if (!(await this.site.store.reader.isReady())) return false;
    const [row] = await this.site.store.reader.rows(`
      select count(*) as total, count(case when state in ('queued', 'running') then 1 end) as busy from run`);
    return Number(row?.total) >= this.deals.length + this.touched.length && Number(row?.busy) === 0;
  }

  private async quiet(): Promise<void> {
    await until(
      'all runs to end',
      async () => {
        this.site.expectRunning();
        return this.isQuiet();
      },
      PATIENCE_MS,
      100,
    );
  }

  /** The vendors are well again: what has failed is repeated, and has to come through. */
  private async repair(): Promise<void> {
    for (let round = 0; round < REPAIRS; round++) {
      const failed = await this.site.store.reader.rows("select id from run where state = 'failed'");
      if (failed.length === 0) return;
      await Promise.all(failed.map(({ id }) => this.site.retry(String(id))));
      await this.quiet();
    }
  }

  private async judgeEnd(): Promise<void> {
    const { site, outcome, simulator, deals } = this;
    const runs = await site.store.reader.rows('select id, title, state from run');
    outcome.runs = runs.length;
    const expected = deals.length + this.touched.length;
    if (runs.length !== expected) this.complain('in the end', [`${runs.length} runs, not ${expected}`]);
    const open = runs.filter(({ state }) => state !== 'completed' && state !== 'superseded');
    this.complain(
      'not through',
      open.map((run) => JSON.stringify(run)),
    );
    const records = await readRecords(simulator);
    this.complain('vendors', changedDocuments(this.signed, records));
    this.complain(
      'vendors',
      judge(
        records,
        deals.map(({ opportunityId }) => opportunityId),
      ),
    );
    await site.stop();
    this.complain('store', await storeComplaints(site.store.reader));
    const announced = await site.store.reader.rows(
      "select distinct subject from outbox where type = 'q2c.project.provisioned.v1'",
    );
    if (announced.length !== deals.length) {
      this.complain('store', [`${announced.length} projects were announced, not ${deals.length}`]);
    }
    const [cases] = await site.store.reader.rows('select count(*) as count from exception_case');
    outcome.cases = Number(cases?.count);
  }

  private complain(when: string, found: readonly string[]): void {
    this.outcome.complaints.push(...found.map((complaint) => `${when}: ${complaint}`));
  }
}

function environmentOf(crash: Crash): Record<string, string> {
  if (crash.kind === 'failpoint') return { Q2C_FAILPOINT: `${crash.point}:${crash.arrival}` };
  return crash.kind === 'power-cut' ? recordFlushes : {};
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
