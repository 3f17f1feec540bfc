import type { Node } from 'node-red';

/** Writes an outage to the log once per reason, not once per attempt, and its end. */
export class ConnectionLog {
  private problem: string | null = null;

  constructor(private readonly node: Node) {}

  up(): void {
    if (this.problem !== null) this.node.log('Connected to the broker again.');
    this.problem = null;
  }

  down({ message }: Error): void {
    if (message === this.problem) return;
    this.problem = message;
    this.node.warn(message);
  }
}
