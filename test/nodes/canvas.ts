import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import util from '@node-red/util';
import type { Node, NodeInitializer } from 'node-red';
import helper from 'node-red-node-test-helper';
import { type CaseSummary, listCases, listRuns, type RunSummary } from '../../lib/api/reports';
import type { Engine } from '../../lib/engine';
import type { DealDocument } from '../../lib/model';
import type { StoreNode } from '../../nodes/_shared/input';
import type { Q2cMessage } from '../../nodes/_shared/message';
import { defaults as firmDefaults } from '../../nodes/q2c-firm/types';
import { defaults as storeDefaults } from '../../nodes/q2c-store/types';

/**
 * A canvas of the test helper with nodes of ours on it, as they are shipped: built, each set a file of its own on
 * what they share. The runtime that passes messages between them is Node-RED's own, in this process.
 */

export type FlowNode = { id: string; type: string } & Record<string, unknown>;

export const store: FlowNode = { id: 'store', type: 'q2c-store', ...storeDefaults, path: ':memory:' };
export const firm: FlowNode = { id: 'firm', type: 'q2c-firm', ...firmDefaults };

/** What a Catch node is told. */
export interface CaughtMessage extends Q2cMessage {
  error: { message: string; code?: string; source: { id: string } };
}

/** A message came out of the last node, or a node's error reached the Catch node. */
export type Outcome = { sent: Q2cMessage; caught?: never } | { sent?: never; caught: CaughtMessage };

const TAB: FlowNode = { id: 'tab', type: 'tab' };
/** What has no place on a tab counts as a configuration node. */
const PLACE = { z: TAB.id, x: 0, y: 0 };
const LISTENERS: FlowNode[] = [
  { id: 'end', type: 'helper', ...PLACE },
  { id: 'catches', type: 'catch', ...PLACE, wires: [['caught']] },
  { id: 'caught', type: 'helper', ...PLACE },
];

export class Canvas {
  /** What nodes show last, by node. */
  readonly statuses = new Map<string, string | undefined>();
  private stopListening = (): void => undefined;
  private arrived: (outcome: Outcome) => void = () => undefined;

  private constructor(
    readonly userDir: string,
    private readonly first: string,
  ) {}

  /**
   * @param nodes on the tab, in the order in which they are wired unless they say; a Catch node is wired beside them
   * @param configs configuration nodes; default a store in memory and the shipped firm
   * @param credentials of nodes, by their id
   */
  static async load(
    nodes: FlowNode[],
    configs: FlowNode[] = [store, firm],
    credentials: Record<string, Record<string, string>> = {},
  ): Promise<Canvas> {
    const userDir = mkdtempSync(join(tmpdir(), 'q2c-canvas-'));
    const wired = nodes.map((node, index) => ({
      ...node,
      ...PLACE,
      wires: node.wires ?? [[nodes[index + 1]?.id ?? 'end']],
    }));
    const flow = [TAB, ...configs, ...wired, ...LISTENERS];
    const sets = new Set([...configs, ...nodes].map(({ type }) => setOf(type)));
    helper.settings({ userDir });
    const canvas = new Canvas(userDir, nodes[0]?.id ?? '');
    // The test helper leaves the hooks out.
    const prepare: NodeInitializer = (RED) => {
      Object.assign(RED, { hooks: util.hooks });
      const onStatus = ({ id, status }: { id: string; status: { text?: string } }) =>
        canvas.statuses.set(id, status.text);
      RED.events.on('node-status', onStatus);
      canvas.stopListening = () => RED.events.off('node-status', onStatus);
    };
    await helper.load([prepare, ...[...sets].map(loadSet)], flow, credentials);
    canvas.node('end').on('input', (msg, _send, done) => {
      canvas.arrived({ sent: msg });
      done();
    });
    canvas.node('caught').on('input', (msg, _send, done) => {
      canvas.arrived({ caught: msg as CaughtMessage });
      done();
    });
    return canvas;
  }

  /** Closes all nodes, as a deploy does. */
  async close(): Promise<void> {
    this.stopListening();
    await helper.unload();
  }

  /** What nodes have logged as errors because no Catch node could take it. */
  get logged(): string[] {
    return helper
      .log()
      .args.filter(([{ level }]) => level === util.log.ERROR)
      .map(([{ msg }]) => String(msg));
  }

  node<T extends Node = Node>(id: string): T {
    const found = helper.getNode(id);
    if (found === null) throw new Error(`there is no node ${id}`);
    return found as T;
  }

  /** Gives a message to a node, the first one by default, and waits for what becomes of it. */
  pass(msg: Q2cMessage, into = this.first): Promise<Outcome> {
    return new Promise((resolve) => {
      this.arrived = resolve;
      this.node(into).receive(msg);
    });
  }

  /** As `pass`, for a deal that must come through. */
  async through(deal: DealDocument): Promise<DealDocument> {
    const { sent, caught } = await this.pass({ payload: deal });
    if (sent === undefined) throw new Error(`stopped by ${caught.error.source.id}: ${caught.error.message}`);
    return sent.payload as DealDocument;
  }

  /** As `pass`, for a deal that must not come through: what the Catch node is told. */
  async stopped(msg: Q2cMessage): Promise<CaughtMessage> {
    const { caught } = await this.pass(msg);
    if (caught === undefined) throw new Error('the message came through');
    return caught;
  }

  engine(): Promise<Engine> {
    return this.node<StoreNode>('store').engine();
  }

  /** Open cases, oldest first. */
  async cases(): Promise<CaseSummary[]> {
    return listCases((await this.engine()).store, { limit: 100, open: true });
  }

  async runs(): Promise<RunSummary[]> {
    return (await listRuns((await this.engine()).store, {}, { limit: 100, order: 'oldest' })).items;
  }
}

/** Sets of Node-RED itself, by the nodes that tests use. */
const CORE: Record<string, string> = {
  function: 'function/10-function',
  split: 'sequence/17-split',
  junction: 'common/05-junction',
  'link in': 'common/60-link',
  'link out': 'common/60-link',
};

/** The three nodes of a system share a set; other nodes have one of their own. */
function setOf(type: string): string {
  const core = CORE[type];
  if (core !== undefined) return `@node-red/nodes/core/${core}`;
  return existsSync(fileOf(type)) ? type : type.replace(/-(connection|events)$/, '');
}

const fileOf = (set: string): string => join(String(process.env.Q2C_NODES), `${set}.js`);

function loadSet(set: string): NodeInitializer {
  if (set.startsWith('@')) return require(set);
  return require(fileOf(set)).default;
}
