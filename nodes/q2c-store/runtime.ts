import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Engine, type Log } from '../../lib/engine';
import { Governance } from '../../lib/governance';
import { Q2cError } from '../../lib/model';
import { keepKpis, observability } from '../../lib/observe';
import {
  describePostgres,
  keyringFromEnv,
  openPostgresStore,
  openSqliteStore,
  type Store,
  sweepDaily,
} from '../../lib/store';
import { casePolicies } from '../_shared/case-policies';
import type { PlainCheck } from '../_shared/connection-test';
import { firmZones } from '../_shared/firm-zones';
import { flowGraph } from '../_shared/flow-graph';
import { host } from '../_shared/host';
import type { StoreNode } from '../_shared/input';
import { isOn } from '../_shared/is-on';
import type { NodeTypes } from '../_shared/node-types';
import { closeLookups, openLookups } from '../_shared/open-lookups';
import type { SurveyedStore } from '../_shared/setup-facts';
import { isInSubflow } from '../_shared/stable-id';
import { endServices } from '../_shared/web';
import { gapAfterMs, leaseMs, postgresSettings, requireKind, retention, storePath } from './settings';
import { defaults, type StoreCredentials, type StoreProperties } from './types';

/** How often to try a server that is not there when Node-RED starts. */
const TRY_AGAIN_MS = 5_000;

type StoreConfigNode = StoreNode & SurveyedStore & Node<StoreCredentials>;
type Saved = NodeDef & Partial<StoreProperties>;

interface Opened {
  engine: Engine;
  governance: Governance;
  store: Store;
  /** What is done every now and then beside the runs. */
  tasks: ReturnType<typeof sweepDaily>[];
}

/** Where runs, steps, cross-references and cases are kept; owns the engine that works on them. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function StoreConfig(this: StoreConfigNode, saved: Saved) {
    RED.nodes.createNode(this, saved);
    // Stores that were saved before a property existed have its default.
    const config: StoreProperties = { ...defaults, ...saved };
    this.tenant = config.tenant.trim() || defaults.tenant;
    const closing = new AbortController();
    const opened = open(this, config, closing.signal);
    let isOpen = false;
    opened.then(
      () => {
        isOpen = true;
      },
      () => undefined,
    );
    // Nodes that need the engine report the reason themselves; here it is reported once for the store.
    opened.catch((error: Error) => {
      if (!closing.signal.aborted) this.error(error.message);
    });
    this.engine = () => opened.then(({ engine }) => engine);
    this.governance = () => opened.then(({ governance }) => governance);
    this.facts = async () => {
      // While the store is not open, and when it never opens, its settings say enough.
      const engine = isOpen ? await this.engine() : null;
      const { storeFacts } = await import('./facts');
      return storeFacts(config.kind === 'sqlite' ? pathOf(config) : null, isOn(config.lookups), engine);
    };
    this.test = async () => [await checked('store', 'Store', () => describe(this, config))];

    this.on('close', (done: () => void) => {
      closing.abort();
      opened
        .then(
          async ({ engine, governance, store, tasks }) => {
            host.detach(RED, this.id, engine);
            closeLookups(this.id, engine);
            endServices(engine);
            await Promise.all(tasks.map((task) => task.stop()));
            await engine.stop();
            await governance.stop();
            await store.close();
            await observability.flush();
          },
          // Why it never opened has been said.
          () => undefined,
        )
        .catch((error: Error) => this.error(error.message))
        .finally(done);
    });
  }

  async function open(node: StoreConfigNode, config: StoreProperties, closing: AbortSignal): Promise<Opened> {
    // The turn in which a deploy makes its nodes is long enough.
    await nextTurn();
    const policy = retention(config);
    const times = { leaseMs: leaseMs(config), gapAfterMs: gapAfterMs(config) };
    const store = await openStore(node, config, closing);
    const log: Log = (level, message) => {
      if (level === 'error') node.error(message);
      else if (level === 'warn') node.warn(message);
      else node.log(message);
    };
    const engine = new Engine({
      store,
      tenant: node.tenant,
      ...times,
      nodeExists: (id) => isInSubflow(id) || RED.nodes.getNode(id) !== null,
      observer: await observability.observe(store, node.tenant, process.env, log),
      log,
    });
    const governance = new Governance({
      engine,
      tenant: node.tenant,
      policies: casePolicies,
      flows: flowGraph(RED),
      onFailure: (error) => node.error(`Cases could not be watched: ${messageOf(error)}`),
    });
    await governance.start();
    host.attach(RED, node.id, engine);
    if (isOn(config.lookups)) openLookups(node.id, engine);
    await engine.start();
    const failed = (what: string) => (error: unknown) => node.error(`${what}: ${messageOf(error)}`);
    const tasks = [
      sweepDaily(store, policy, failed('Old runs could not be removed')),
      keepKpis(store, () => firmZones(RED), failed('The key figures could not be brought up to date')),
    ];
    return { engine, governance, store, tasks };
  }

  async function openStore(
    node: StoreConfigNode,
    config: StoreProperties,
    closing: AbortSignal,
  ): Promise<Store> {
    const keys = keyringFromEnv(process.env);
    requireKind(config);
    if (config.kind === 'sqlite') return openSqliteStore(pathOf(config), keys);
    const settings = postgresSettings(config, node.credentials ?? {});
    for (let isTold = false; ; isTold = true) {
      try {
        return await openPostgresStore(settings, { keys });
      } catch (error) {
        // A server that starts later than Node-RED, as after a power cut, needs nobody's help.
        if (!(error instanceof Q2cError) || error.code !== 'STORE_UNREACHABLE') throw error;
        if (!isTold) node.error(`${error.message} It is tried again until it answers.`);
        await sleep(TRY_AGAIN_MS, undefined, { signal: closing });
      }
    }
  }

  /** What and where the store is. @throws Q2cError with the reason why it cannot be used. */
  async function describe(node: StoreConfigNode, config: StoreProperties): Promise<string> {
    if (config.kind === 'sqlite') {
      await node.engine();
      return pathOf(config);
    }
    const server = await describePostgres(postgresSettings(config, node.credentials ?? {}));
    // The server answers, so what there is to wait for is short.
    const { store } = await node.engine();
    await store.write(async () => undefined);
    return server;
  }

  function pathOf({ path }: StoreProperties): string {
    return storePath(RED.settings.userDir ?? process.cwd(), path);
  }

  return { 'q2c-store': StoreConfig };
}

async function checked(id: string, label: string, check: () => Promise<string>): Promise<PlainCheck> {
  try {
    return { id, label, ok: true, message: await check() };
  } catch (error) {
    return { id, label, ok: false, message: messageOf(error) };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
