import type { Node, NodeAPI } from 'node-red';
import type { StoreNode } from '../_shared/input';
import { stableId } from '../_shared/stable-id';
import type { StatusLine } from '../_shared/status';

/** Shows how many messages the node keeps. */
export class WaitingCount {
  private line: StatusLine | null = null;
  private isCounting = false;
  private again = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly store: string,
  ) {}

  on(line: StatusLine) {
    this.line = line;
    const refresh = () => this.refresh();
    return {
      started: refresh,
      finished: refresh,
      dropped: refresh,
      failed: (problem: string) => line.set({ fill: 'yellow', shape: 'dot', text: problem }),
    };
  }

  refresh(): void {
    this.again = this.isCounting;
    if (this.isCounting) return;
    this.isCounting = true;
    this.count()
      .then(
        (count) => {
          const shape = count > 0 ? 'ring' : 'dot';
          this.line?.set({ fill: count > 0 ? 'blue' : 'green', shape, text: `${count} waiting` });
        },
        (error: Error) => this.node.debug(`The waiting messages could not be counted: ${error.message}`),
      )
      .finally(() => {
        this.isCounting = false;
        if (this.again) this.refresh();
      });
  }

  private async count(): Promise<number> {
    const store = this.RED.nodes.getNode(this.store) as StoreNode | null;
    return store === null ? 0 : (await store.engine()).waits.count(stableId(this.node));
  }
}
