import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleFlow } from './examples';
import { type FlowNode, Host } from './host';
import { until } from './until';
import { Simulator } from './vendors';
import { World } from './world';

export interface ExampleOptions {
  /** What a user sets before deploying. */
  change?: (node: FlowNode) => void;
  env?: Record<string, string>;
}

/** A template flow as somebody imports it, in a real Node-RED against simulated vendors. */
export class ExampleWorld extends World {
  /** Deploys the flow and waits until each of its sources has looked for news. */
  static async play(name: string, { change = () => undefined, env = {} }: ExampleOptions = {}) {
    const simulator = await Simulator.start();
    const host = await Host.start({ env: { Q2C_SIMULATOR_URL: simulator.url, ...env } });
    const world = new ExampleWorld(simulator, host);
    try {
      await world.deployExample(name, change);
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  async deployExample(name: string, change: (node: FlowNode) => void = () => undefined): Promise<void> {
    const flow = addressedTo(this.host.url, exampleFlow(name));
    for (const node of flow) {
      if (node.type.endsWith('-events') && 'interval' in node) node.interval = '0.2';
      change(node);
    }
    await this.deploy(recorded(flow));
    for (const { type, event } of flow) {
      const look = LOOKS[`${type} ${event}`];
      if (look !== undefined) await this.simulator.looked(...look);
    }
  }

  /** What the debug node of this name has shown so far. */
  async shown(name: string): Promise<unknown[]> {
    const text = await readFile(join(this.host.userDir, fileOf(name)), 'utf8').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return '';
      },
    );
    // The last line may be in the middle of being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** Waits until the debug node has shown so much, and gives it. */
  async shows(name: string, count: number): Promise<unknown[]> {
    await until(`${count} × "${name}"`, async () => (await this.shown(name)).length >= count, 30_000, 50);
    return this.shown(name);
  }
}

/** Sets a variable of the tab. */
export const withVariable =
  (name: string, value: string) =>
  (node: FlowNode): void => {
    if (node.type === 'tab') node.env = [{ name, value, type: 'str' }];
  };

/** How the vendors see that a source looks for news. */
const LOOKS: Record<string, Parameters<Simulator['looked']>> = {
  'q2c-salesforce-events opportunity-won': ['salesforce', 'IsWon = true'],
  'q2c-salesforce-events contract-activated': ['salesforce', "Status = 'Activated'"],
  'q2c-netsuite-events invoice-status-changed': ['netsuite', '/suiteql'],
};

/** Addresses of Node-RED itself, which examples have as it is after an installation. */
function addressedTo(url: string, flow: FlowNode[]): FlowNode[] {
  return JSON.parse(JSON.stringify(flow).replaceAll('http://localhost:1880', url));
}

/** Puts a node that writes to a file in the place of each debug node. */
function recorded(flow: FlowNode[]): FlowNode[] {
  const recorders = flow
    .filter(({ type }) => type === 'debug')
    .map(({ id, z, name, complete }) => {
      const value = complete === 'true' ? 'msg' : `RED.util.getMessageProperty(msg, '${complete}')`;
      return {
        ...{ id, z, type: 'function', name, x: 0, y: 0, outputs: 1, libs: [], wires: [[`${id}-file`]] },
        func: `return { filename: '${fileOf(String(name))}', payload: JSON.stringify(${value}) };`,
      };
    });
  const files = recorders.map(({ id, z }) => ({
    ...{ id: `${id}-file`, z, type: 'file', name: '', x: 0, y: 0, filename: 'filename', filenameType: 'msg' },
    ...{ appendNewline: true, overwriteFile: 'false', createDir: false, encoding: 'none', wires: [[]] },
  }));
  return [...flow.filter(({ type }) => type !== 'debug'), ...recorders, ...files];
}

const fileOf = (name: string): string => `shown ${name}.jsonl`;
