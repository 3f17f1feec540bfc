import { Follower } from '../../../nodes/q2c-sidebar/follower';

/** The sidebar follows the host by events, asks now and then without them, and rests while nobody looks. */

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A host whose streams the test writes; a stream that is refused is null. */
function host(...streams: (TransformStream<Uint8Array, Uint8Array> | null)[]) {
  const asked = { looks: 0, streams: 0 };
  const signals: AbortSignal[] = [];
  const follower = new Follower(
    async () => {
      asked.looks++;
      return true;
    },
    async (signal) => {
      asked.streams++;
      signals.push(signal);
      const stream = streams.shift() ?? null;
      if (stream === null) return new Response(null, { status: 502 });
      // As of a request that is given up.
      signal.addEventListener(
        'abort',
        () => void stream.writable.abort(signal.reason).catch(() => undefined),
      );
      return new Response(stream.readable);
    },
  );
  return { follower, asked, signals };
}

const stream = () => new TransformStream<Uint8Array, Uint8Array>();
/** Until everything that is under way waits for a timer again. */
const settled = () => jest.advanceTimersByTimeAsync(1);

test('a crowd of changes is one look; heartbeats are none', async () => {
  const live = stream();
  const { follower, asked } = host(live);
  follower.setWatched(true);
  await settled();
  const before = asked.looks;
  const writer = live.writable.getWriter();
  const send = (text: string) => writer.write(new TextEncoder().encode(text));
  await send(': heartbeat\n\n');
  await jest.advanceTimersByTimeAsync(2_000);
  expect(asked.looks).toBe(before);
  // In pieces, as networks deliver them.
  await send('id: 1\nevent: change\nda');
  await send('ta: {}\n\nevent: change\ndata: {}\n\n');
  await jest.advanceTimersByTimeAsync(2_000);
  expect(asked).toEqual({ looks: before + 1, streams: 1 });
  follower.setWatched(false);
});

test('without a stream it asks every three seconds, until there is one', async () => {
  const { follower, asked } = host(null, null, stream());
  follower.setWatched(true);
  await settled();
  expect(asked).toEqual({ looks: 1, streams: 1 });
  await jest.advanceTimersByTimeAsync(3_000);
  expect(asked).toEqual({ looks: 2, streams: 2 });
  await jest.advanceTimersByTimeAsync(3_000);
  expect(asked).toEqual({ looks: 4, streams: 3 });
  await jest.advanceTimersByTimeAsync(9_000);
  expect(asked).toEqual({ looks: 4, streams: 3 });
  follower.setWatched(false);
});

test('a stream that ends, or is kept back on its way, is asked for again', async () => {
  const ended = stream();
  const { follower, asked } = host(ended, stream(), stream());
  follower.setWatched(true);
  await settled();
  await ended.writable.close();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(asked.streams).toBe(2);
  await jest.advanceTimersByTimeAsync(50_000);
  expect(asked.streams).toBe(3);
  follower.setWatched(false);
});

test('nobody is asked while nobody looks, and the stream is let go', async () => {
  const live = stream();
  const { follower, asked, signals } = host(live);
  follower.setWatched(true);
  await settled();
  follower.setWatched(false);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const before = { ...asked };
  await jest.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual(before);
});
