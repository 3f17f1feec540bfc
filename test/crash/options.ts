import { parseArgs } from 'node:util';
import { type Breakage, breakages } from './breakages';

export interface Options {
  /** How many seeds; without bound when `seconds` is given alone. */
  seeds: number;
  firstSeed: number;
  hosts: number;
  store: 'sqlite' | 'postgres';
  parallel: number;
  /** Deals of every seed; without it each seed has its own number. */
  deals: number | undefined;
  /** No further seed is begun after so many seconds. */
  seconds: number;
  /** Begin no further seed once one has failed. */
  untilFailure?: boolean;
  /** What is broken on purpose: the run is good when the harness notices. */
  breakages: readonly Breakage[];
}

export const USAGE = `Usage: npm run test:crash -- [options]
  --seeds N         how many seeds (default 20, with --break 200; with --seconds as many as there is time for)
  --first-seed N    the first of them (default 1)
  --seconds N       begin no further seed after so many seconds
  --parallel N      seeds at a time (default 6)
  --deals N         deals of every seed (default 2 to 8, by seed; twice as many with several hosts)
  --store NAME      sqlite (default) or postgres
  --hosts N         hosts of every seed (default 1; several need postgres)
  --break NAME      break the product on purpose, and see that it is noticed: ${breakages.map(({ name }) => name).join(', ')}, all
  --help            this text`;

/** @returns null when help is asked for. @throws Error naming the argument that is wrong */
export function readOptions(args: string[]): Options | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      seeds: text,
      'first-seed': { ...text, default: '1' },
      seconds: text,
      parallel: { ...text, default: '6' },
      deals: text,
      hosts: { ...text, default: '1' },
      store: { ...text, default: 'sqlite' },
      break: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return null;
  const { store } = values;
  if (store !== 'sqlite' && store !== 'postgres') throw new Error(`There is no --store ${store}.`);
  const hosts = wholeNumber(values.hosts, '--hosts');
  if (hosts > 1 && store === 'sqlite') throw new Error('Several hosts need --store postgres.');
  const seconds = values.seconds === undefined ? null : wholeNumber(values.seconds, '--seconds');
  return {
    seeds: values.seeds === undefined ? usualSeeds(values) : wholeNumber(values.seeds, '--seeds'),
    firstSeed: wholeNumber(values['first-seed'], '--first-seed'),
    seconds: seconds ?? Infinity,
    parallel: wholeNumber(values.parallel, '--parallel'),
    deals: values.deals === undefined ? undefined : wholeNumber(values.deals, '--deals'),
    hosts,
    store,
    breakages: values.break === undefined ? [] : chosenBreakages(values.break, store),
  };
}

/** What is broken is played until it is noticed, and how soon that is depends on the moments that crashes strike. */
function usualSeeds(given: { seconds?: string; break?: string }): number {
  if (given.seconds !== undefined) return Infinity;
  return given.break === undefined ? 20 : 200;
}

function chosenBreakages(name: string, store: Options['store']): readonly Breakage[] {
  const possible = breakages.filter((known) => known.store === undefined || known.store === store);
  const chosen = possible.filter((known) => name === 'all' || known.name === name);
  if (chosen.length > 0) return chosen;
  const names = possible.map((known) => known.name).join(', ');
  throw new Error(`There is no --break ${name} with --store ${store}; there are ${names} and all.`);
}

function wholeNumber(value: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new Error(`${name} must be a whole number of at least 1, not "${value}".`);
}
