import type { Node, NodeStatus } from 'node-red';
import { codeInWords, type ErrorCode } from '../../lib/model';

const MIN_INTERVAL_MS = 500;

/**
 * Sets a node's status at most twice a second: each call goes to every open editor. The last one always gets
 * through.
 */
export class StatusLine {
  private pending: NodeStatus | (() => NodeStatus) | null = null;
  private timer: NodeJS.Timeout | null = null;
  private lastAt = 0;

  constructor(private readonly node: Node) {}

  /** @param status or what makes it once it is shown: of those that follow each other fast, most never are */
  set(status: NodeStatus | (() => NodeStatus)): void {
    this.pending = status;
    if (this.timer !== null) return;
    const wait = Math.max(0, this.lastAt + MIN_INTERVAL_MS - Date.now());
    if (wait === 0) {
      this.flush();
      return;
    }
    this.timer = setTimeout(() => this.flush(), wait);
    this.timer.unref();
  }

  /** Forgets what is pending, for a node that closes. */
  clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.pending = null;
  }

  private flush(): void {
    this.timer = null;
    this.lastAt = Date.now();
    const { pending } = this;
    this.pending = null;
    if (pending !== null) this.node.status(typeof pending === 'function' ? pending() : pending);
  }
}

/** Counters behind a working node's status: how many are under way, went through, are stuck. */
export class Progress {
  private active = 0;
  private done = 0;
  private stuck = 0;
  private lastProblem = '';

  constructor(private readonly line: StatusLine) {}

  started(): void {
    this.active++;
    this.show();
  }

  finished(): void {
    this.active--;
    this.done++;
    this.show();
  }

  /** A message that is not this node's any more. */
  dropped(): void {
    this.active--;
    this.show();
  }

  failed(code: ErrorCode): void {
    this.active--;
    this.stuck++;
    this.lastProblem = codeInWords(code);
    this.show();
  }

  private show(): void {
    this.line.set(() => this.status);
  }

  private get status(): NodeStatus {
    const text = [
      this.active > 0 ? `${this.active} under way` : '',
      `${this.done} done`,
      this.stuck > 0 ? `${this.stuck} waiting: ${this.lastProblem}` : '',
    ];
    return {
      fill: this.stuck > 0 ? 'yellow' : this.active > 0 ? 'blue' : 'green',
      shape: this.active > 0 ? 'ring' : 'dot',
      text: text.filter((part) => part !== '').join(', '),
    };
  }
}
