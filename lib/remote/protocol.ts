import type { HttpCall, JsonValue } from '../model';
import type { SystemId } from '../systems';
import type { CallContext, ConnectionCheck, ConnectionConfig, PollContext } from '../systems/kit/types';
import type { WireError } from '../thread';

/** What the host and the thread of the vendors' calls say to each other. All of it is plain data. */

/** Functions of an operation that call the vendor. */
export type OperationCall = 'call' | 'probe' | 'adopt' | 'compensate';

/** Number of a connection's client; the host gives it. */
type ClientNumber = { client: number };

/** Asked by the host. */
export type Task =
  | (ClientNumber & Opening & { do: 'open' })
  | (ClientNumber & CallTask & { do: 'call' })
  | (ClientNumber & { do: 'poll'; event: string; cursor: JsonValue | null; context: PlainPollContext })
  /** `test` numbers the test, for what is noted of it. */
  | (ClientNumber & { do: 'test'; test: number })
  | (ClientNumber & { do: 'health' | 'close' })
  /** Answers an obtaining of a token: log in now. */
  | { do: 'login'; login: number };

export interface Opening {
  system: SystemId;
  config: ConnectionConfig;
  /** Other hosts may call under the same rate: it is asked for. */
  sharesRate: boolean;
}

export interface CallTask {
  /** `<entity>.<verb>` */
  operation: string;
  call: OperationCall;
  /** What stands between the client and the context. */
  args: readonly unknown[];
  context: Omit<CallContext, 'signal'>;
  traceparent: string | null;
}

export type PlainPollContext = Omit<PollContext, 'signal'>;

/** Answer to `open`. */
export interface Opened {
  instance: string;
  settings: Readonly<Record<string, string>>;
}

/** Answer to `call`, `poll` and `test`: what came of it, with the HTTP calls that were made for it. */
export type Made = { calls: HttpCall[] } & ({ value: unknown } | { error: WireError });

/** Asked by the thread. */
export type Question =
  | (ClientNumber & { ask: 'token'; key: string; stale: string | null; login: number })
  | (ClientNumber & { ask: 'rate'; requestsPerSecond: number });

/** Noted by the thread. */
export type Note =
  | (ClientNumber & { note: 'log'; level: 'debug' | 'info' | 'warn'; message: string })
  | { note: 'plan'; test: number; lines: PlannedCheck[] }
  | { note: 'check'; test: number; check: ConnectionCheck };

export type PlannedCheck = Pick<ConnectionCheck, 'id' | 'label' | 'line'>;
