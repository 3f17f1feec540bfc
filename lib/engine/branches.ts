import type { NodeInfo } from './types';

/** A message that has come to where branches of its run come together. */
export interface Arrival {
  node: NodeInfo;
  /** Which of the flow's messages it stems from: all branches of one message have the same. */
  of: string;
  /** The branch that it came by. */
  branch: string;
  /** The branches that are to come; where only their number is known, as many without a name. */
  expected: readonly ExpectedBranch[];
  message: object;
  /** It has parted from the others before this passage, so that they cannot be put together here. */
  isOfEarlierFork: boolean;
}

/** A branch by the node that it ends with. */
export interface ExpectedBranch {
  id: string;
  name: string;
}

/** A place where branches of a message come together. */
interface Meeting {
  node: NodeInfo;
  expected: readonly ExpectedBranch[];
  messages: Map<string, object>;
  isThrough: boolean;
}

/** Where a message has parted. */
interface Fork {
  number: number;
  /** What the message was. */
  state: unknown;
  /** Nobody else has that state, so that nobody can change it. */
  isKept: boolean;
}

/** A meeting that some branches have not come to. */
export interface UnfinishedMeeting {
  node: NodeInfo;
  /** Names of the nodes that have sent nothing, as far as they are known. */
  missing: string[];
}

/**
 * Where a passage of a run has parted into branches, and what waits where they come together. It is kept in memory only,
 * for as long as the passage lasts: a run that begins anew sends all of its branches again, and what they have done
 * answers from the journal (docs/decisions/0025).
 */
export class Branches {
  private readonly forks = new Map<string, Fork>();
  private readonly meetings = new Map<string, Meeting>();

  /**
   * Notes what a message is when it parts.
   * @param name of the fork and the message
   * @returns the fork's number, for messages to carry
   */
  parted(name: string, state: unknown): number {
    const known = this.forks.get(name);
    if (known !== undefined) return known.number;
    const number = this.forks.size;
    this.forks.set(name, { number, state, isKept: false });
    return number;
  }

  /** To be told before anybody may change, in place, what messages were when they parted. */
  keepStates(copy: (state: unknown) => unknown): void {
    for (const fork of this.forks.values()) {
      if (!fork.isKept) fork.state = copy(fork.state);
      fork.isKept = true;
    }
  }

  /**
   * What messages were where they parted last.
   * @param paths the forks that each has gone through, the first one first
   * @returns undefined when they have none in common
   */
  stateAtFork(paths: readonly (readonly number[])[]): unknown {
    const [first = [], ...others] = paths;
    let last: number | undefined;
    for (const [depth, number] of first.entries()) {
      if (others.some((path) => path[depth] !== number)) break;
      last = number;
    }
    for (const fork of this.forks.values()) if (fork.number === last) return fork.state;
    return undefined;
  }

  /**
   * Keeps a message until all branches have come.
   * @returns their messages by branch, once, when this one is the last; `repeated` when its branch has come before
   */
  arrive({
    node,
    of,
    branch,
    expected,
    message,
    isOfEarlierFork,
  }: Arrival): ReadonlyMap<string, object> | 'repeated' | null {
    const place = `${node.id}|${of}`;
    let meeting = this.meetings.get(place);
    if (meeting === undefined) {
      meeting = { node, expected, messages: new Map(), isThrough: false };
      this.meetings.set(place, meeting);
    }
    const { messages } = meeting;
    if (meeting.isThrough || messages.has(branch)) return 'repeated';
    messages.set(branch, message);
    if (messages.size < expected.length || isOfEarlierFork) return null;
    meeting.isThrough = true;
    meeting.messages = new Map();
    return messages;
  }

  get unfinished(): UnfinishedMeeting[] {
    return [...this.meetings.values()]
      .filter(({ isThrough }) => !isThrough)
      .map(({ node, expected, messages }) => ({
        node,
        missing: expected.flatMap(({ id, name }) => (name === '' || messages.has(id) ? [] : [name])),
      }));
  }
}
