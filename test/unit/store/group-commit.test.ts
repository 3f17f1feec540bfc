import { setImmediate } from 'node:timers/promises';
import { GroupCommitter } from '../../../lib/store/group-commit';
import type { Tx } from '../../../lib/store/store';

interface Flush {
  end(): void;
  fail(error: Error): void;
}

/** Writes to a log that is flushed in two ways at once, each until the test ends it. */
class Writes {
  /** In the order in which they began. */
  readonly flushes: Flush[] = [];
  /** What has become of the writes that are through. */
  readonly told: string[] = [];
  readonly committer: GroupCommitter;

  constructor() {
    const flush = () =>
      new Promise<void>((end, fail) => {
        this.flushes.push({ end, fail });
      });
    this.committer = new GroupCommitter({
      transact: (work) => work({} as Tx),
      isFailure: () => false,
      flushes: [() => flush(), () => flush()],
    });
  }

  /** Resolves when the write is committed, and what follows that has begun. */
  async commit(name: string): Promise<void> {
    const committed = new Promise<void>((resolve) => {
      this.committer
        .write(async () => resolve(), 'flushed')
        .then(
          () => this.told.push(`${name} is on the disk`),
          (error: { code: string }) => this.told.push(`${name}: ${error.code}`),
        );
    });
    await committed;
    await setImmediate();
  }

  async end(index: number, how: (flush: Flush) => void): Promise<void> {
    const flush = this.flushes[index];
    if (flush === undefined) throw new Error(`There is no flush ${index}`);
    how(flush);
    await setImmediate();
  }
}

test('a commit does not wait for the flush before it, and the later one may end first', async () => {
  const writes = new Writes();
  await writes.commit('first');
  await writes.commit('second');
  expect(writes.flushes).toHaveLength(2);
  expect(writes.told).toEqual([]);
  await writes.end(1, (flush) => flush.end());
  expect(writes.told).toEqual(['second is on the disk']);
  await writes.end(0, (flush) => flush.end());
  expect(writes.told).toEqual(['second is on the disk', 'first is on the disk']);
});

test('with no way free, commits wait together for the next flush, which begins after all of them', async () => {
  const writes = new Writes();
  for (const name of ['first', 'second', 'third', 'fourth']) await writes.commit(name);
  expect(writes.flushes).toHaveLength(2);
  await writes.end(0, (flush) => flush.end());
  expect(writes.flushes).toHaveLength(3);
  await writes.end(1, (flush) => flush.end());
  expect(writes.told).toEqual(['first is on the disk', 'second is on the disk']);
  await writes.end(2, (flush) => flush.end());
  expect(writes.told.slice(2)).toEqual(['third is on the disk', 'fourth is on the disk']);
  // Nothing is left to be flushed.
  expect(writes.flushes).toHaveLength(3);
});

test('a flush that fails fails what waited for it, and nothing else; the next commit is flushed again', async () => {
  const writes = new Writes();
  await writes.commit('first');
  await writes.commit('second');
  await writes.end(0, (flush) => flush.fail(new Error('EIO')));
  expect(writes.told).toEqual(['first: STORE_WRITE_FAILED']);
  await writes.commit('third');
  expect(writes.flushes).toHaveLength(3);
  for (const index of [1, 2]) await writes.end(index, (flush) => flush.end());
  expect(writes.told.slice(1)).toEqual(['second is on the disk', 'third is on the disk']);
});

test('a drain waits for every flush', async () => {
  const writes = new Writes();
  await writes.commit('first');
  await writes.commit('second');
  let isDrained = false;
  const drained = writes.committer.drain().then(() => {
    isDrained = true;
  });
  await writes.end(1, (flush) => flush.end());
  expect(isDrained).toBe(false);
  await writes.end(0, (flush) => flush.end());
  await drained;
});
