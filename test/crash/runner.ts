import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords } from '../support/judge';
import { Simulator } from '../support/vendors';
import type { Options } from './options';
import { type Plan, planOf } from './plan';
import { Site } from './site';
import type { Stores } from './stores';
import { type Outcome, Story } from './story';

/** One seed that was played to its end. */
export interface Played {
  plan: Plan;
  outcome: Outcome;
  ms: number;
  /** Left behind when the seed failed. */
  folder: string;
}

/** Plays seeds one after another in each of several slots; a slot has simulated vendors of its own. */
export class Runner {
  readonly played: Played[] = [];
  private readonly began = Date.now();
  private next: number;

  /**
   * @param folder for the folders of the seeds
   * @param template user directory of every host
   */
  constructor(
    private readonly options: Options,
    private readonly folder: string,
    private readonly template: string,
    private readonly stores: Stores,
    private readonly onPlayed: (played: Played) => void,
  ) {
    this.next = options.firstSeed;
  }

  get failed(): Played[] {
    return this.played.filter(({ outcome }) => outcome.complaints.length > 0);
  }

  async run(): Promise<void> {
    const { parallel, seeds } = this.options;
    await Promise.all(Array.from({ length: Math.min(parallel, seeds) }, () => this.slot()));
  }

  private async slot(): Promise<void> {
    const simulator = await Simulator.start();
    try {
      for (let seed = this.takeSeed(); seed !== null; seed = this.takeSeed()) {
        const played = await this.play(seed, simulator);
        this.played.push(played);
        this.onPlayed(played);
      }
    } finally {
      await simulator.stop();
    }
  }

  private takeSeed(): number | null {
    const { firstSeed, seeds, seconds, untilFailure } = this.options;
    const isLate = Date.now() - this.began > seconds * 1_000;
    const isEnough = untilFailure && this.failed.length > 0;
    return isLate || isEnough || this.next >= firstSeed + seeds ? null : this.next++;
  }

  private async play(seed: number, simulator: Simulator): Promise<Played> {
    const began = Date.now();
    const { hosts, deals } = this.options;
    const plan = planOf(seed, { hosts, deals, powerCuts: this.stores.powerCuts });
    const folder = join(this.folder, `seed-${seed}`);
    await mkdir(folder, { recursive: true });
    const { template } = this;
    const store = await this.stores.open(folder);
    const site = await Site.prepare(folder, {
      hosts,
      template,
      simulatorUrl: simulator.url,
      store,
      projects: plan.projects,
    });
    const story = new Story(plan, simulator, site);
    const { outcome } = story;
    try {
      await story.play();
    } catch (error) {
      outcome.complaints.push(error instanceof Error ? error.message : String(error));
    } finally {
      await site.kill();
    }
    const played = { plan, outcome, ms: Date.now() - began, folder };
    if (outcome.complaints.length === 0) await rm(folder, { recursive: true });
    else await keep(played, simulator);
    await store.dispose();
    return played;
  }
}

/** What whoever looks for the cause needs beside the hosts' folders: the plan, the complaints, the vendors. */
async function keep({ plan, outcome, folder }: Played, simulator: Simulator): Promise<void> {
  const records = await readRecords(simulator);
  await writeFile(join(folder, 'plan.json'), JSON.stringify({ plan, outcome }, null, 2));
  await writeFile(join(folder, 'vendors.json'), JSON.stringify(records, null, 2));
}
