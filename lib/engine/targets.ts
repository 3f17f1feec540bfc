import { type JsonValue, Q2cError } from '../model';
import type { CallInfo, Failure } from './types';

/**
 * What undoing did. `removed`: the record is gone, or is ours no longer. `inactive`: it is still there under our key, out
 * of use. `kept`: nothing was changed, because the record is not this step's alone to take away.
 */
export type UndoEffect = 'removed' | 'inactive' | 'kept';

/** One operation of a connected system, for repairs outside of a flow. Wires and replies are those of the journal. */
export interface TargetOperation {
  /** Vendor's record type, as in cross-references. */
  recordType: string;
  visibleAfterMs: number;
  /** Null = certainly not there. */
  probe?(wire: JsonValue, info: CallInfo): Promise<JsonValue | null>;
  /** Whether the target has this record and it may become ours; changes nothing. Throws when it may not. */
  look?(externalId: string, wire: JsonValue, info: CallInfo): Promise<boolean>;
  /** Takes a call back. May be repeated. */
  undo?(wire: JsonValue, reply: JsonValue, info: CallInfo): Promise<UndoEffect>;
  classify(error: unknown): Failure;
}

export interface ConnectedTarget {
  instance: string;
  /** Undefined when the installed connector has no such operation (any more). */
  operation(name: string): TargetOperation | undefined;
}

/** A live connection, handed in by each node that writes through it. */
export interface Target {
  system: string;
  connect(): Promise<ConnectedTarget>;
}

/** The step whose target is wanted. */
interface Addressed {
  node_id: string;
  system: string;
  instance: string;
  operation: string;
}

/** The systems that the deployed flows are connected to. */
export class Targets {
  private readonly byNode = new Map<string, Target>();

  get isEmpty(): boolean {
    return this.byNode.size === 0;
  }

  /** @returns takes the target out again */
  register(nodeId: string, target: Target): () => void {
    this.byNode.set(nodeId, target);
    return () => {
      if (this.byNode.get(nodeId) === target) this.byNode.delete(nodeId);
    };
  }

  /**
   * The operation of a journaled step, through the connection of its own node, or of another node where that one is
   * gone or points elsewhere now.
   * @throws Q2cError `TARGET_NOT_CONNECTED` when no deployed node is connected to that system and instance.
   */
  async operationOf(step: Addressed): Promise<TargetOperation> {
    const { system, instance, operation } = step;
    const own = this.byNode.get(step.node_id);
    let cause: unknown;
    for (const target of new Set([...(own === undefined ? [] : [own]), ...this.byNode.values()])) {
      if (target.system !== system) continue;
      try {
        const connected = await target.connect();
        if (connected.instance !== instance) continue;
        const found = connected.operation(operation);
        if (found !== undefined) return found;
      } catch (error) {
        cause = error;
      }
    }
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    throw new Q2cError(
      'TARGET_NOT_CONNECTED',
      `No deployed node is connected to ${system} ${instance} for ${operation}${reason}. Deploy one that is, with a working connection.`,
      { cause },
    );
  }
}
