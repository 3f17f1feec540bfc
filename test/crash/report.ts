import type { Options } from './options';
import { type Crash, inWords } from './plan';
import type { Played } from './runner';

/** What the harness prints. */

/** One line per seed; a crash in brackets did not strike because all was quiet before. */
export function progress({ plan, outcome, ms }: Played): string {
  const crashes = plan.crashes.map((crash) =>
    outcome.hits.includes(crash) ? inWords(crash) : `(${inWords(crash)})`,
  );
  return [
    `seed ${String(plan.seed).padEnd(5)}`,
    outcome.complaints.length === 0 ? 'ok    ' : 'FAILED',
    `${(ms / 1_000).toFixed(1).padStart(5)} s`,
    `${plan.deals} deals, ${outcome.runs} runs, ${outcome.faults} faults, ${outcome.cases} cases;`,
    crashes.join(', '),
  ].join('  ');
}

/** One deal that is not through gives dozens; the first ones say why. */
const MOST_COMPLAINTS = 10;

export function failure({ plan, outcome, folder }: Played, { store, hosts, deals }: Options): string {
  const again = [
    `--seeds 1 --first-seed ${plan.seed}`,
    ...(store === 'sqlite' ? [] : [`--store ${store}`]),
    ...(hosts > 1 ? [`--hosts ${hosts}`] : []),
    ...(deals === undefined ? [] : [`--deals ${deals}`]),
  ];
  const shown = outcome.complaints.slice(0, MOST_COMPLAINTS);
  const more = outcome.complaints.length - shown.length;
  return [
    ...shown.map((complaint) => `  - ${complaint}`),
    ...(more > 0 ? [`  - and ${more} more, see plan.json`] : []),
    `  again: npm run test:crash -- ${again.join(' ')}`,
    `  hosts, stores, logs and vendors: ${folder}`,
  ].join('\n');
}

export function summary(played: readonly Played[], ms: number): string {
  const failed = played.filter(({ outcome }) => outcome.complaints.length > 0);
  const total = (of: (one: Played) => number) => played.reduce((sum, one) => sum + of(one), 0);
  const kinds = new Map<string, number>();
  for (const crash of played.flatMap(({ outcome }) => outcome.hits)) {
    kinds.set(kindOf(crash), (kinds.get(kindOf(crash)) ?? 0) + 1);
  }
  const struck = [...kinds].sort().map(([kind, count]) => `${kind} ${count}`);
  return [
    '',
    `${played.length} seeds in ${(ms / 60_000).toFixed(1)} min (${Math.round((played.length * 60_000) / ms)} per minute): ` +
      `${played.length - failed.length} passed, ${failed.length} failed`,
    `${total(({ plan }) => plan.deals)} deals, ${total(({ outcome }) => outcome.runs)} runs, ` +
      `${total(({ outcome }) => outcome.faults)} faults, ${total(({ outcome }) => outcome.cases)} cases, ` +
      `${total(({ outcome }) => outcome.lostBytes)} bytes of log lost in power cuts`,
    `crashes that struck: ${struck.join(', ')}`,
    ...(failed.length === 0 ? [] : [`failed: ${failed.map(({ plan }) => plan.seed).join(', ')}`]),
  ].join('\n');
}

const kindOf = (crash: Crash): string => (crash.kind === 'failpoint' ? crash.point : crash.kind);
