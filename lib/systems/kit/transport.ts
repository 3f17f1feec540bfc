import type { Dispatcher, Pool } from 'undici';

export interface RawCall {
  method: Dispatcher.HttpMethod;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body: string | null;
  /** Bound of the whole exchange: connecting, sending, headers and the last byte of the body. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface RawReply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/**
 * No complete answer arrived. `sent` is false only when not one byte of the request was written, so that the
 * vendor cannot have acted on it; everything after that is open.
 */
export class TransportFailure extends Error {
  readonly sent: boolean;
  /** The caller gave up; says nothing about the vendor. */
  readonly cancelled: boolean;

  /** HTTP itself cannot carry it, for example a line break in a pasted token: trying again is no use. */
  get malformed(): boolean {
    return codeOf(this.cause) === 'UND_ERR_INVALID_ARG';
  }

  constructor(reason: string, details: { sent: boolean; cancelled?: boolean; cause?: unknown }) {
    super(reason, { cause: details.cause });
    this.name = 'TransportFailure';
    this.sent = details.sent;
    this.cancelled = details.cancelled ?? false;
  }
}

/**
 * One request and its complete answer over the pool.
 * undici announces the start of a request right before it writes the first byte: that is what `sent` tells.
 */
export function exchange(pool: Pool, call: RawCall): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const handler = new ReplyHandler(call, resolve, reject);
    pool.dispatch({ method: call.method, path: call.path, headers: call.headers, body: call.body }, handler);
  });
}

class ReplyHandler implements Dispatcher.DispatchHandler {
  readonly #call: RawCall;
  readonly #resolve: (reply: RawReply) => void;
  readonly #reject: (failure: TransportFailure) => void;
  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #stopped: TransportFailure | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];

  constructor(
    call: RawCall,
    resolve: (reply: RawReply) => void,
    reject: (failure: TransportFailure) => void,
  ) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = setTimeout(this.#timeOut, call.timeoutMs);
    call.signal?.addEventListener('abort', this.#cancel, { once: true });
    if (call.signal?.aborted) this.#cancel();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#stopped) controller.abort(this.#stopped);
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: NodeJS.Dict<string | string[]>,
  ) {
    if (status < 200) return;
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#release();
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, text: whole.toString('utf8') });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#release();
    const sent = this.#controller !== undefined;
    this.#reject(this.#stopped ?? new TransportFailure(reasonOf(error), { sent, cause: error }));
  }

  #timeOut = (): void => this.#stop(`no complete answer within ${this.#call.timeoutMs} ms`, false);

  #cancel = (): void => this.#stop('the call was cancelled', true);

  /** Before the first byte nothing tells undici to let go: reject now, and abort when it wants to start. */
  #stop(reason: string, cancelled: boolean): void {
    if (this.#stopped) return;
    this.#stopped = new TransportFailure(reason, { sent: this.#controller !== undefined, cancelled });
    if (this.#controller) this.#controller.abort(this.#stopped);
    else {
      this.#release();
      this.#reject(this.#stopped);
    }
  }

  #release(): void {
    clearTimeout(this.#deadline);
    this.#call.signal?.removeEventListener('abort', this.#cancel);
  }
}

const REASON_OF_CODE: Record<string, string> = {
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNREFUSED: 'the host refused the connection',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_INVALID_ARG: 'a value of the request holds characters that HTTP does not allow',
  UND_ERR_DESTROYED: 'the connection was closed by us',
  UND_ERR_CLOSED: 'the connection was closed by us',
  CERT_HAS_EXPIRED: "the host's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the host's certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the host's certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the host's certificate is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "the host's certificate is for another name",
};

function reasonOf(error: Error): string {
  const code = codeOf(error);
  return REASON_OF_CODE[code] ?? `the connection failed${code ? ` (${code})` : ''}`;
}

function codeOf(error: unknown): string {
  const named = typeof error === 'object' && error !== null && 'code' in error;
  return named && typeof error.code === 'string' ? error.code : '';
}
