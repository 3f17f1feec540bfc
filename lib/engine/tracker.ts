import type { NodeInfo, Run } from './types';

/** An error of a node in the flow that no Catch node has taken yet. */
export interface FlowError {
  node: NodeInfo;
  message: string;
  /** Code of the error, when it has one of ours; its case is open already. */
  code: string | null;
}

interface ActiveRun {
  run: Run;
  /** Messages of the run on their way between or inside nodes. */
  inFlight: number;
  errors: FlowError[];
  lastProgressAt: number;
  grace: NodeJS.Timeout | null;
}

/**
 * Knows the runs that are under way in this host, and notices their end: a run ends when none of its messages
 * is in flight for a short grace. No "end" node is needed in a flow.
 */
export class RunTracker {
  private readonly active = new Map<string, ActiveRun>();

  /**
   * @param graceMs covers nodes that call `done` just before they send
   * @param onEnd called once per run when its last message has left
   */
  constructor(
    private readonly graceMs: number,
    private readonly onEnd: (run: Run, errors: FlowError[]) => void,
  ) {}

  get size(): number {
    return this.active.size;
  }

  get(runId: string): Run | undefined {
    return this.active.get(runId)?.run;
  }

  runIds(): string[] {
    return [...this.active.keys()];
  }

  begin(run: Run): void {
    this.active.set(run.id, { run, inFlight: 0, errors: [], lastProgressAt: Date.now(), grace: null });
  }

  /** A message of the run has set out. */
  enter(runId: string): void {
    const active = this.active.get(runId);
    if (active === undefined) return;
    active.inFlight++;
    active.lastProgressAt = Date.now();
    if (active.grace !== null) {
      clearTimeout(active.grace);
      active.grace = null;
    }
  }

  /** A node has finished with a message of the run. */
  leave(runId: string): void {
    const active = this.active.get(runId);
    if (active === undefined) return;
    active.inFlight--;
    active.lastProgressAt = Date.now();
    if (active.inFlight > 0 || active.grace !== null) return;
    active.grace = setTimeout(() => {
      this.active.delete(runId);
      this.onEnd(active.run, active.errors);
    }, this.graceMs);
  }

  noteError(runId: string, error: FlowError): void {
    this.active.get(runId)?.errors.push(error);
  }

  /** A Catch node has taken the errors of this node. */
  errorCaught(runId: string, nodeId: string): void {
    const active = this.active.get(runId);
    if (active !== undefined) active.errors = active.errors.filter((error) => error.node.id !== nodeId);
  }

  progress(runId: string): void {
    const active = this.active.get(runId);
    if (active !== undefined) active.lastProgressAt = Date.now();
  }

  /** Takes out runs whose messages have not moved since `before` (epoch ms): a node never called `done`. */
  takeStalled(before: number): Run[] {
    const stalled = [...this.active.values()].filter(({ lastProgressAt }) => lastProgressAt < before);
    for (const { run, grace } of stalled) {
      if (grace !== null) clearTimeout(grace);
      this.active.delete(run.id);
    }
    return stalled.map(({ run }) => run);
  }

  /** Forgets all runs without ending them: the host stops, the next start takes them up. */
  clear(): void {
    for (const { grace } of this.active.values()) if (grace !== null) clearTimeout(grace);
    this.active.clear();
  }
}
