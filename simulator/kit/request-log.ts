import type { FaultKind } from './types';

/** One request to a simulated vendor. Headers and bodies are never kept: they hold tokens and personal data. */
export interface LoggedRequest {
  /** 1, 2, 3 … since the simulator started or the log was cleared by a reset. */
  seq: number;
  /** ISO instant of arrival. */
  time: string;
  method: string;
  /** Below the system, without query. */
  path: string;
  /** Query string as sent, values of secret parameters masked; '' when there is none. */
  query: string;
  /** Status sent, null when the connection was cut instead. */
  status: number | null;
  /** From arrival to the end of the answer. */
  ms: number;
  faults: { id: string; kind: FaultKind }[];
}

const SECRET_PARAMETER = /([?&][^=&]*(?:token|secret|password|assertion|signature)[^=&]*=)[^&]*/gi;

/** The last requests of one system, and how many there were. */
export class RequestLog {
  readonly #capacity: number;
  readonly #ring: LoggedRequest[] = [];
  #total = 0;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get total(): number {
    return this.#total;
  }

  add(request: Omit<LoggedRequest, 'seq'>): void {
    this.#total++;
    this.#ring[(this.#total - 1) % this.#capacity] = { seq: this.#total, ...request };
  }

  /** Kept requests with a `seq` above `since`, oldest first. */
  after(since: number): LoggedRequest[] {
    const oldest = Math.max(0, this.#total - this.#capacity);
    const found: LoggedRequest[] = [];
    for (let index = Math.max(oldest, since); index < this.#total; index++) {
      const request = this.#ring[index % this.#capacity];
      if (request) found.push(request);
    }
    return found;
  }

  clear(): void {
    this.#ring.length = 0;
    this.#total = 0;
  }
}

export function maskQuery(search: string): string {
  return search === '' ? '' : search.replace(SECRET_PARAMETER, '$1***');
}
