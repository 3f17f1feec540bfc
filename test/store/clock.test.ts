import { randomBytes } from 'node:crypto';
import type { Store } from '../../lib/store';
import { Keyring } from '../../lib/store/keyring';
import { claimTask } from '../../lib/store/maintenance';
import { rotateKeys } from '../../lib/store/rotation';
import { askDatabase, openTestPostgres } from '../support/stores';

/** Hosts whose own clocks are wrong: the time of the database counts. */

const DAY_MS = 86_400_000;
const [first, second] = [randomBytes(32), randomBytes(32)];
let stores: Store[];

beforeEach(() => {
  stores = [];
});
afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(stores.map((store) => store.close()));
});

/** Only the wall clock is another one. */
function setClock(offsetMs: number): void {
  jest.useRealTimers();
  jest.useFakeTimers({
    now: Date.now() + offsetMs,
    doNotFake: [
      ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
      ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
}

async function open(keys: Keyring, offsetMs: number): Promise<Store> {
  setClock(offsetMs);
  const store = await openTestPostgres('clock', { keys });
  stores.push(store);
  return store;
}

test('which key came into use last, and what is due, go by the time of the database', async () => {
  const fast = await open(new Keyring(first), DAY_MS);
  const keys = new Keyring(second, [first]);
  const slow = await open(keys, -DAY_MS);
  const [answer] = await askDatabase('select now() as now');
  const now = Number(answer?.rows[0]?.now);
  for (const store of [fast, slow]) expect(Math.abs(Date.parse(store.now()) - now)).toBeLessThan(60_000);

  // By the clocks of the hosts, the first one would have come into use two days after the second.
  await expect(rotateKeys(slow, keys, { actor: 'operator', now: () => slow.now() })).resolves.toBeDefined();
  expect(await claimTask(fast, 'task', 60_000, fast.now())).toBe(true);
  expect(await claimTask(slow, 'task', 60_000, slow.now())).toBe(false);
});
