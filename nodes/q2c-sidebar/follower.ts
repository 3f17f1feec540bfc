/**
 * Follows the host's changes by server-sent events while somebody looks, and asks now and then where that is not
 * possible: a proxy may keep streams back, and a host that restarts ends them.
 */

/** Changes come in crowds; what is shown is brought up to date at most this often. */
const SETTLE_MS = 500;
/** Between looks without a stream. */
const POLL_MS = 3_000;
/** The host says something every 15 seconds: a stream that is silent for longer is kept back on its way. */
const SILENT_MS = 40_000;

export class Follower {
  private watching: AbortController | null = null;

  /**
   * @param look brings what is shown up to date; false = there is nothing that could change
   * @param connect asks for the stream
   */
  constructor(
    private readonly look: () => Promise<boolean>,
    private readonly connect: (signal: AbortSignal) => Promise<Response>,
  ) {}

  /** Nobody is asked anything while nobody looks. */
  setWatched(isWatched: boolean): void {
    if (isWatched === (this.watching !== null)) return;
    this.watching?.abort();
    this.watching = isWatched ? new AbortController() : null;
    if (this.watching !== null) void this.follow(this.watching.signal);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.look()) await this.listen(signal);
      if (!signal.aborted) await pause(POLL_MS, signal);
    }
  }

  /** Until the stream ends, for whatever reason. */
  private async listen(watched: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const signal = AbortSignal.any([watched, silence.signal]);
    let settling: ReturnType<typeof setTimeout> | undefined;
    let silent = setTimeout(() => silence.abort(), SILENT_MS);
    try {
      const { ok, body } = await this.connect(signal);
      if (!ok || body === null) return;
      // What happened between the look and the stream is not told by it.
      await this.look();
      for await (const isChange of blocks(body)) {
        clearTimeout(silent);
        silent = setTimeout(() => silence.abort(), SILENT_MS);
        if (!isChange) continue;
        settling ??= setTimeout(() => {
          settling = undefined;
          void this.look();
        }, SETTLE_MS);
      }
    } catch (error) {
      // No connection, or nobody looks any more: either way it is asked for again when somebody does.
      console.debug('Quote to cash, live changes:', error);
    } finally {
      clearTimeout(silent);
      clearTimeout(settling);
      silence.abort();
    }
  }
}

/** For each block of a stream of server-sent events, whether it tells of something; heartbeats do not. */
async function* blocks(body: ReadableStream<Uint8Array>): AsyncGenerator<boolean> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield /^data:/m.test(part);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
