import type { CanonicalId } from '../model';
import { Branches } from './branches';
import type { DryPassage } from './dry-run';
import { UpdateOrder } from './step-keys';
import type { NodeInfo, Run } from './types';

/** An error of a node in the flow that no Catch node has taken yet. */
export interface FlowError {
  node: NodeInfo;
  message: string;
  /** `STORE_WRITE_FAILED`, or the code of an error whose case is open already. */
  code: string | null;
}

/** What is special about a dispatch. */
export interface Passage {
  /** It goes on with messages that were kept, not with its event. */
  isResumption?: boolean;
  /** It is only a look at what the run would write. */
  dry?: DryPassage | null;
  /** False when the deal is known to have no corrections. */
  mayBeCorrected?: boolean;
  /** A message has come later than the end of the last passage, and goes on with that. */
  isReopened?: boolean;
}

/** One dispatch of a run, from its first message to its last, and what happened on the way. */
export class ActiveRun {
  private static dispatches = 0;
  /** Tells this dispatch from others of the same run, for as long as the process lives. */
  readonly dispatch = ++ActiveRun.dispatches;
  readonly isResumption: boolean;
  readonly dry: DryPassage | null;
  /** People may have corrected records of the deal. */
  readonly mayBeCorrected: boolean;
  /** Messages on their way between or inside nodes. */
  inFlight = 0;
  errors: FlowError[] = [];
  /** Cases that were opened or seen again. */
  readonly cases = new Set<CanonicalId>();
  /** Nodes that messages are on their way to, or are in, and how many in each. */
  private readonly visits = new Map<string, { node: NodeInfo; count: number }>();
  /** Ids of nodes that finished a message without error. */
  readonly passed = new Set<string>();
  readonly updates = new UpdateOrder();
  /** Messages that came to wait, by what they wait for: tells those apart that wait for the same. */
  readonly arrivals = new Map<string, number>();
  /** Suspensions whose messages go on in this passage. */
  readonly resumed: number[] = [];
  /** Roles that messages of this passage wait for, in words. */
  readonly waitsFor = new Set<string>();
  /** What passes again unless this passage comes through (`OnceRequest`). */
  readonly openPassages = new Set<string>();
  /** The store could not be written on the way: the passage is not to be judged, but to begin anew. */
  isBroken = false;
  /** Id of the legal entity that sells the deal, once the flow knows it. */
  legalEntity: string | null = null;
  /** Of the passage's span (W3C Trace Context), where somebody traces. */
  traceparent: string | undefined;
  /** Moment of the monotonic clock: a correction of the wall clock must not make a run look stalled. */
  lastProgressAt = performance.now();
  grace: NodeJS.Timeout | null = null;

  /**
   * @param repeatable its event can be dispatched again when messages get lost
   */
  constructor(
    readonly run: Run,
    readonly repeatable: boolean,
    { isResumption = false, dry = null, mayBeCorrected = true }: Passage = {},
    readonly branches = new Branches(),
  ) {
    this.isResumption = isResumption;
    this.dry = dry;
    this.mayBeCorrected = mayBeCorrected;
  }

  /** Nodes that messages are on their way to, or are in. */
  get at(): NodeInfo[] {
    return [...this.visits.values()].map(({ node }) => node);
  }

  setOutFor(node: NodeInfo): void {
    const visit = this.visits.get(node.id);
    if (visit === undefined) this.visits.set(node.id, { node, count: 1 });
    else visit.count++;
  }

  left(nodeId: string): void {
    const visit = this.visits.get(nodeId);
    if (visit !== undefined && --visit.count === 0) this.visits.delete(nodeId);
  }
}

/**
 * Dispatches that were broken off because the flow they ran in was stopped. Their messages may still move, in this
 * engine or in the one after it, while the run is under way anew: they must not count, and must not go on.
 */
const interrupted = new Set<number>();

export const isInterrupted = (dispatch: number | undefined): boolean =>
  dispatch !== undefined && interrupted.has(dispatch);

/** Passages whose branches are remembered after their end, in case a message comes late. */
const MAX_LEFT_OVER = 100;

/**
 * Knows the runs that are under way in this host, and notices their end: a run ends when none of its messages
 * is in flight for a short grace. No "end" node is needed in a flow.
 */
export class RunTracker {
  private readonly active = new Map<string, ActiveRun>();
  /** Branches of ended passages that have not all come together, by run. */
  private readonly leftOver = new Map<string, Branches>();

  /**
   * @param graceMs covers nodes that call `done` just before they send
   * @param on `quiet` when no message is in flight, `moving` when one sets out again within the grace, `ended` once
   *   per dispatch when the grace has passed
   */
  constructor(
    private readonly graceMs: number,
    private readonly on: Record<'quiet' | 'moving' | 'ended', (active: ActiveRun) => void>,
  ) {}

  get(runId: string): ActiveRun | undefined {
    return this.active.get(runId);
  }

  all(): ActiveRun[] {
    return [...this.active.values()];
  }

  begin(run: Run, repeatable: boolean, how: Passage = {}): ActiveRun {
    const branches = how.isReopened ? this.leftOver.get(run.id) : undefined;
    this.leftOver.delete(run.id);
    const active = new ActiveRun(run, repeatable, how, branches);
    this.active.set(run.id, active);
    return active;
  }

  /** A message of the run has set out. */
  enter(active: ActiveRun): void {
    active.inFlight++;
    active.lastProgressAt = performance.now();
    if (active.grace !== null) {
      clearTimeout(active.grace);
      active.grace = null;
      this.on.moving(active);
    }
  }

  /** A node has finished with a message of the run. */
  leave(active: ActiveRun): void {
    active.inFlight--;
    active.lastProgressAt = performance.now();
    if (active.inFlight > 0 || active.grace !== null || this.active.get(active.run.id) !== active) return;
    active.grace = setTimeout(() => {
      this.active.delete(active.run.id);
      this.remember(active);
      this.on.ended(active);
    }, this.graceMs);
    this.on.quiet(active);
  }

  private remember({ run, branches }: ActiveRun): void {
    if (branches.unfinished.length === 0) return;
    this.leftOver.set(run.id, branches);
    const [oldest] = this.leftOver.keys();
    if (this.leftOver.size > MAX_LEFT_OVER && oldest !== undefined) this.leftOver.delete(oldest);
  }

  /** Takes out runs whose messages have not moved since `before` (a moment of the monotonic clock): a node never called `done`. */
  takeStalled(before: number): ActiveRun[] {
    return this.take(({ lastProgressAt }) => lastProgressAt < before);
  }

  /** Takes out runs without ending them; their messages no longer count. */
  interrupt(which: (active: ActiveRun) => boolean = () => true): ActiveRun[] {
    const taken = this.take(which);
    for (const { dispatch } of taken) interrupted.add(dispatch);
    return taken;
  }

  private take(which: (active: ActiveRun) => boolean): ActiveRun[] {
    const taken = [...this.active.values()].filter(which);
    for (const { run, grace } of taken) {
      if (grace !== null) clearTimeout(grace);
      this.active.delete(run.id);
    }
    return taken;
  }
}
