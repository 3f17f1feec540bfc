import { getEventListeners } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Q2cError } from '../../../lib/model';
import { errorClasses } from '../../../lib/remote/errors';
import { MappingError, SystemError } from '../../../lib/systems/kit';
import { Channel, type Listener } from '../../../lib/thread';

let ports: { host: MessagePort; thread: MessagePort };
let sent: number;

beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  ports = { host: port1, thread: port2 };
  sent = 0;
  const post = port1.postMessage.bind(port1);
  port1.postMessage = (message: unknown) => {
    post(message);
    sent++;
  };
});
afterEach(() => ports.host.close());

/** A host that asks, and a thread that answers. */
function between(thread: Listener, host: Listener = {}) {
  return { host: new Channel(ports.host, host), thread: new Channel(ports.thread, thread) };
}

const doubled: Listener = { onQuestion: async (question: number) => question * 2 };

test('questions of one turn go in one message, and each gets its own answer', async () => {
  const { host } = between(doubled);
  expect(await Promise.all([1, 2, 3].map((question) => host.ask(question)))).toEqual([2, 4, 6]);
  expect(sent).toBe(1);
});

test('both sides may ask, also while they answer', async () => {
  const channels = between(
    { onQuestion: async (name: string) => `${name}: ${await channels.thread.ask(name)}` },
    { onQuestion: async (name: string) => name.length },
  );
  expect(await channels.host.ask('token')).toBe('token: 5');
});

test('notes arrive before the answer that follows them', async () => {
  const heard: unknown[] = [];
  const channels = between(
    {
      onQuestion: async () => {
        channels.thread.note({ line: 1 });
        return 'done';
      },
    },
    { onNote: (note) => heard.push(note) },
  );
  heard.push(await channels.host.ask('test'));
  expect(heard).toEqual([{ line: 1 }, 'done']);
});

test.each<Error>([
  new SystemError({
    system: 'crm',
    kind: 'rate_limited',
    reason: 'slow down',
    status: 429,
    vendorCode: 'LIMIT',
    retryAfterMs: 1500,
    params: { field: 'Name' },
    cause: new Error('kept where it was made'),
  }),
  new MappingError('MANDATORY_FIELD_MISSING', 'No name.', { field: 'name' }),
  new Q2cError('STORE_CONNECTION_LOST', 'Gone.'),
  new Error('plain'),
])('$name is thrown again by the asker', async (error) => {
  const { host } = between({ onQuestion: () => Promise.reject(error) }, { errors: errorClasses });
  const caught = await host.ask('anything').catch((reason: unknown) => reason);
  expect(caught).toBeInstanceOf(error.constructor);
  const { cause: _, ...fields } = error;
  expect({ ...(caught as Error), message: (caught as Error).message }).toEqual({
    ...fields,
    message: error.message,
  });
});

test('what cannot be copied fails alone', async () => {
  const { host } = between({
    onQuestion: async (question: unknown) => (question === 'odd' ? () => 'no data' : question),
  });
  const answers = await Promise.allSettled([
    host.ask(1),
    host.ask(() => 'no data'),
    host.ask('odd'),
    host.ask(2),
  ]);
  expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : 'failed'))).toEqual([
    1,
    'failed',
    'failed',
    2,
  ]);
});

test('a question that nobody waits for any longer is broken off', async () => {
  const { host } = between({
    onQuestion: (_: never, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) resolve('never begun');
        signal?.addEventListener('abort', () => resolve('broken off'));
      }),
  });
  const late = new AbortController();
  const answer = host.ask('late', late.signal);
  await new Promise((resolve) => setImmediate(resolve));
  late.abort();
  expect(await answer).toBe('broken off');
  expect(await host.ask('early', AbortSignal.abort())).toBe('never begun');
});

test('a signal that many share is listened to once, for as long as one of them is open', async () => {
  const { host } = between({
    onQuestion: (question: string, signal) =>
      question === 'quick'
        ? Promise.resolve('answered')
        : new Promise((resolve) => signal?.addEventListener('abort', () => resolve('broken off'))),
  });
  const shared = new AbortController();
  const listeners = () => getEventListeners(shared.signal, 'abort').length;
  const [quick, slow, slower] = ['quick', 'slow', 'slow'].map((question) =>
    host.ask(question, shared.signal),
  );
  expect(await quick).toBe('answered');
  expect(listeners()).toBe(1);
  shared.abort();
  expect(await Promise.all([slow, slower])).toEqual(['broken off', 'broken off']);

  const later = new AbortController();
  expect(await host.ask('quick', later.signal)).toBe('answered');
  expect(getEventListeners(later.signal, 'abort')).toHaveLength(0);
});

test('when the other side is gone, those who wait and those who come get the reason', async () => {
  const { host } = between({ onQuestion: () => new Promise(() => undefined) });
  const waiting = host.ask('anything');
  host.fail(new Error('ended'));
  await expect(waiting).rejects.toThrow('ended');
  await expect(host.ask('more')).rejects.toThrow('ended');
});
