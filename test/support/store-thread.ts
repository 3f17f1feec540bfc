import { isMainThread } from 'node:worker_threads';
import { procedure, seal } from '../../lib/store';
import { serve } from '../../lib/store/thread-program';

/** A program for the store's thread, with procedures that tests can tell something by. */

export const whereAmI = procedure('test.where', async () => (isMainThread ? 'host' : 'thread'));

/** Keeps a note; one of the same name is refused by the database. @returns how many there are */
export const addNote = procedure('test.add', async (tx, name: string): Promise<number> => {
  const at = '2026-01-02T10:00:00.000Z';
  await tx
    .insertInto('rejected_event')
    .values({
      digest: name,
      node_id: 'n1',
      topic: 't',
      event_source: null,
      event_id: null,
      event_type: null,
      reason: isMainThread ? 'host' : 'thread',
      payload: seal(tx, 'rejected_event', 'payload', { digest: name }, `payload of ${name}`),
      arrivals: 1,
      first_at: at,
      last_at: at,
    })
    .execute();
  const { count } = await tx
    .selectFrom('rejected_event')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
});

export const endThread = procedure('test.end', async (): Promise<string> => {
  if (isMainThread) return 'host';
  return process.exit(1);
});

if (!isMainThread) void serve();
