import { isAbsolute, join } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import { Engine } from '../../lib/engine';
import {
  keyringFromEnv,
  openSqliteStore,
  type RetentionPolicy,
  retentionPolicy,
  type Store,
  sweepDaily,
} from '../../lib/store';
import { host } from '../_shared/host';
import type { StoreNode } from '../_shared/input';
import { registerRoutes } from '../_shared/routes';
import { isInSubflow } from '../_shared/stable-id';
import { defaults, type StoreProperties } from './types';

const DEFAULT_FILE = 'q2c.db';

interface Opened {
  engine: Engine;
  store: Store;
  sweeping: ReturnType<typeof sweepDaily>;
}

/** Where runs, steps, cross-references and cases are kept; owns the engine that works on them. */
export default function register(RED: NodeAPI): void {
  registerRoutes(RED);

  function StoreConfig(this: StoreNode, config: NodeDef & StoreProperties) {
    RED.nodes.createNode(this, config);
    const path = storePath(RED.settings.userDir ?? process.cwd(), config.path);
    this.tenant = config.tenant?.trim() || defaults.tenant;
    const opened = open(this, path, config);
    // Nodes that need the engine report the reason themselves; here it is reported once for the store.
    opened.catch((error: Error) => this.error(error.message));
    this.engine = () => opened.then(({ engine }) => engine);

    this.on('close', (done: () => void) => {
      opened
        .then(
          async ({ engine, store, sweeping }) => {
            host.detach(RED, this.id, engine);
            await sweeping.stop();
            await engine.stop();
            await store.close();
          },
          // Why it never opened has been said.
          () => undefined,
        )
        .catch((error: Error) => this.error(error.message))
        .finally(done);
    });
  }

  async function open(node: StoreNode, path: string, config: StoreProperties): Promise<Opened> {
    const policy = policyOf(config);
    const store = await openSqliteStore(path, keyringFromEnv(process.env));
    const engine = new Engine({
      store,
      tenant: node.tenant,
      nodeExists: (id) => isInSubflow(id) || RED.nodes.getNode(id) !== null,
      log: (level, message) => (level === 'error' ? node.error(message) : node.log(message)),
    });
    host.attach(RED, node.id, engine);
    await engine.start();
    const sweeping = sweepDaily(store, policy, (error) =>
      node.error(`Old runs could not be removed: ${error instanceof Error ? error.message : String(error)}`),
    );
    return { engine, store, sweeping };
  }

  RED.nodes.registerType('q2c-store', StoreConfig);
}

/** An empty field stands for the default, which flows from before the field have too. */
function policyOf(config: Partial<StoreProperties>): RetentionPolicy {
  const days = (text = '') => (text.trim() === '' ? undefined : Number(text));
  return retentionPolicy({
    financialDays: days(config.financialDays),
    otherDays: days(config.otherDays),
    caseDays: days(config.caseDays),
    outboxDays: days(config.outboxDays),
  });
}

/** A relative path lies below `<userDir>/quote-to-cash/`, where backups of the host find it. */
function storePath(userDir: string, path: string): string {
  const file = path.trim() === '' ? DEFAULT_FILE : path.trim();
  return file === ':memory:' || isAbsolute(file) ? file : join(userDir, 'quote-to-cash', file);
}
