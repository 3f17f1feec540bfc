/** As much of node-red-node-test-helper, which has no types of its own, as the tests of nodes use. */
declare module 'node-red-node-test-helper' {
  import type { Node, NodeInitializer } from 'node-red';

  interface TestHelper {
    settings(settings: Record<string, unknown>): void;
    load(sets: NodeInitializer[], flow: object[], credentials: object): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): Node | null;
    /** Spy on everything that is logged. */
    log(): { args: [{ level: number; msg: unknown }][] };
    startServer(): Promise<void>;
    stopServer(): Promise<void>;
  }
  const helper: TestHelper;
  export default helper;
}
