/** One HTTP call to a vendor as metrics and traces see it. Never holds query strings or bodies. */
export interface HttpCall {
  method: string;
  /** Without query string. */
  path: string;
  /** Null = no complete answer. */
  status: number | null;
  /** When it left: milliseconds since 1970. */
  startedAt: number;
  ms: number;
  /** The span that it named in its `traceparent`; null where nothing is traced. */
  spanId: string | null;
}

/** Told of the HTTP calls that are made for one task. */
export interface TaskObserver {
  /** The span that they hang on; null where nothing is traced. */
  traceparent: string | null;
  /** @param calls once they are over */
  report(calls: readonly HttpCall[]): void;
}
