import { openSqliteStore } from '../lib/store';
import { fillStore } from '../test/support/full-store';

/**
 * `npm run seed -- <file> [runs] [open cases]`: fills a store, to look at pages with much in them. No host may have it
 * open. Default: 100,000 runs, 5,000 cases.
 */
async function seed(path: string, runs: number, cases: number): Promise<void> {
  const began = Date.now();
  const store = await openSqliteStore(path);
  await fillStore(store, { runs, cases });
  await store.close();
  console.log(`${runs} runs and ${cases} open cases in ${((Date.now() - began) / 1000).toFixed(1)} s.`);
}

const [path, runs = '100000', cases = '5000'] = process.argv.slice(2);
if (path === undefined) {
  console.error('Name the file of the store: npm run seed -- <userDir>/quote-to-cash/q2c.db');
  process.exitCode = 1;
} else void seed(path, Number(runs), Number(cases));
