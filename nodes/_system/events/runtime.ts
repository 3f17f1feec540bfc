import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Engine } from '../../../lib/engine';
import { codeInWords, type Instant, type JsonValue, Q2cError } from '../../../lib/model';
import type { SystemId } from '../../../lib/systems';
import type { EventSource, SystemClient, SystemManifest } from '../../../lib/systems/kit/types';
import { onceFlowsStarted } from '../../_shared/flows-started';
import { requireConfig, type StoreNode } from '../../_shared/input';
import type { NodeConstructor } from '../../_shared/node-types';
import { stableId } from '../../_shared/stable-id';
import { StatusLine } from '../../_shared/status';
import type { ConnectionNode } from '../connection/runtime';
import { intakeEvents, messageOf } from './message';
import { Overlap } from './overlap';
import { defaults, type EventsProperties } from './types';

const PAGE_SIZE = 200;
/** Failed polls wait longer and longer, up to this. */
const MAX_BACKOFF_MS = 5 * 60_000;
/** A host that stands by looks at least this often whether the one that polls is gone. */
const STANDBY_MS = 5_000;

/** Node `q2c-<system>-events`: polls the system and starts one durable run per event. */
export function eventsNode(RED: NodeAPI, id: SystemId, manifest: SystemManifest): NodeConstructor {
  function EventsNode(this: Node, config: NodeDef & EventsProperties) {
    RED.nodes.createNode(this, config);
    const stopping = new AbortController();
    const status = new StatusLine(this);
    const poller = new Poller(RED, this, config, manifest, status, stopping.signal);

    const begin = () => {
      poller.run(id).catch((error: Error) => {
        if (stopping.signal.aborted) return;
        status.set({
          fill: 'red',
          shape: 'ring',
          text: error instanceof Q2cError ? codeInWords(error.code) : 'stopped',
        });
        this.error(error, {});
      });
    };
    // Runs may be dispatched at once: every node they can reach must exist.
    const forget = onceFlowsStarted(RED, begin);

    this.on('close', (done: () => void) => {
      forget();
      stopping.abort();
      status.clear();
      poller.stopped.then(done, done);
    });
  }

  return EventsNode;
}

/** The cursor of a source as it is stored. */
type SavedPosition = {
  /** Where the source began when it was first started. */
  startAt: Instant;
  /** The connector's own cursor. */
  position: JsonValue;
};

class Poller {
  /** Resolves when the loop has ended and the node is no dispatcher any more. */
  stopped: Promise<void> = Promise.resolve();
  private accepted = 0;
  private readonly created = performance.now();
  /** What this host may be the one to poll for. */
  private source: string | null = null;
  private readonly overlap = new Overlap();

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly config: EventsProperties,
    private readonly manifest: SystemManifest,
    private readonly status: StatusLine,
    private readonly signal: AbortSignal,
  ) {}

  /** Dispatches runs and polls until the signal fires. Rejects when the node is not configured. */
  run(system: SystemId): Promise<void> {
    const loop = this.loop(system);
    this.stopped = loop.catch(() => undefined);
    return loop;
  }

  private async loop(system: SystemId): Promise<void> {
    const { RED, config, node } = this;
    const store = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
    const connection = requireConfig<ConnectionNode>(
      RED,
      config.connection,
      'connection',
      `q2c-${system}-connection`,
    );
    const engine = await store.engine();
    if (this.signal.aborted) return;
    const release = engine.registerSource(
      stableId(node),
      positive(config.concurrency, defaults.concurrency),
      (run) => node.send(messageOf(run)),
    );
    try {
      await this.poll(engine, store.tenant, connection);
    } finally {
      release();
    }
  }

  private async poll(engine: Engine, tenant: string, connection: ConnectionNode): Promise<void> {
    const intervalMs = positive(this.config.interval, defaults.interval) * 1000;
    const begin = this.config.startAt.trim() || this.startedAt(engine.store.now());
    let failures = 0;
    while (!this.signal.aborted) {
      let waitMs = intervalMs;
      try {
        const { client, module } = await connection.connect();
        const source = module.events.find(({ id }) => id === this.config.event);
        if (source === undefined) {
          throw new Q2cError(
            'CONFIG_MISSING',
            `${this.manifest.label} has no event "${this.config.event}". Choose one in the form.`,
          );
        }
        const isLeader = await this.pollOnce(engine, tenant, client, source, begin);
        if (!isLeader) waitMs = Math.min(intervalMs, STANDBY_MS);
        failures = 0;
      } catch (error) {
        if (this.signal.aborted) break;
        failures++;
        waitMs = Math.min(MAX_BACKOFF_MS, intervalMs * 2 ** Math.min(failures, 6));
        this.report(error as Error, failures);
      }
      await sleep(waitMs, undefined, { signal: this.signal }).catch(() => undefined);
    }
    if (this.source !== null) await engine.stopLeading(this.source);
  }

  /** When the flow started, in the store's time: what happened while the store was being opened belongs to it. */
  private startedAt(now: Instant): Instant {
    return new Date(Date.parse(now) - (performance.now() - this.created)).toISOString();
  }

  /** @returns false while another host on the same store polls for this node */
  private async pollOnce(
    engine: Engine,
    tenant: string,
    client: SystemClient,
    source: EventSource,
    begin: string,
  ): Promise<boolean> {
    const name = `/q2c/${tenant}/${client.system}/${client.instance}/${source.id}/${stableId(this.node)}`;
    this.source = name;
    if (!(await engine.lead(name))) {
      this.status.set({ fill: 'grey', shape: 'ring', text: 'standing by' });
      return false;
    }
    const stored = (await engine.cursor(name)) as SavedPosition | null;
    // The first start counts for ever: a later "now" would skip what happened while the host was down.
    const startAt = stored?.startAt ?? begin;
    let position = stored?.position ?? null;
    for (let more = true; more && !this.signal.aborted; ) {
      const page = await source.poll(client, position, {
        settings: client.settings,
        pageSize: PAGE_SIZE,
        startAt,
        signal: this.signal,
      });
      position = page.cursor;
      const { accepted } = await engine.accept({
        sourceNode: stableId(this.node),
        system: client.system,
        instance: client.instance,
        source: name,
        events: await intakeEvents(engine, client, source, this.overlap.news(page.events)),
        cursor: { startAt, position },
      });
      this.accepted += accepted;
      this.overlap.took(page.events);
      more = page.more;
    }
    if (!this.signal.aborted) this.overlap.ended();
    this.status.set({ fill: 'green', shape: 'dot', text: `${this.accepted} accepted` });
    return true;
  }

  /** The first failure is told to Catch nodes, the following ones only shown: an outage is one message, not hundreds. */
  private report(error: Error, failures: number): void {
    const code = error instanceof Q2cError ? error.code : 'NODE_FAILED';
    this.status.set({ fill: 'red', shape: 'ring', text: codeInWords(code) });
    if (failures === 1) this.node.error(error, {});
    else this.node.debug(`Poll failed ${failures} times: ${error.message}`);
  }
}

function positive(text: string, preset: string): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : Number(preset);
}
