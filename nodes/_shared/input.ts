import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { CaseOpened, DryRunBlocked, type Engine, type NodeInfo } from '../../lib/engine';
import type { Governance } from '../../lib/governance';
import {
  type CanonicalId,
  type DealDocument,
  type ErrorCode,
  newId,
  Q2cError,
  roleInWords,
  whatToDo,
} from '../../lib/model';
import type { Testable } from './connection-test';
import { host } from './host';
import { type Q2cMessage, readDeal } from './message';
import { stableId } from './stable-id';
import { Progress, StatusLine } from './status';

/** A `q2c-store` node as other nodes see it. */
export interface StoreNode extends Node, Testable {
  /** Name of the firm in idempotency keys and event sources. */
  tenant: string;
  /** Resolves when the store is open; rejects with the reason when it cannot be opened. */
  engine(): Promise<Engine>;
  /** The cases of the store. Resolves and rejects as `engine`. */
  governance(): Promise<Governance>;
}

export interface InputContext {
  msg: Q2cMessage;
  deal: DealDocument;
  engine: Engine;
  runId: string;
  node: NodeInfo;
}

export interface InputOptions {
  RED: NodeAPI;
  /** Id of the `q2c-store` node. */
  store: string;
  /** What the canvas shows when the node has no name. */
  label: string;
  /** Name of the system that the node works on. */
  system?: string;
  /** Reads the deal from the message; default `msg.payload`. */
  readInput?: (msg: Q2cMessage) => Promise<unknown>;
  /** The status of the node, where counts of messages do not say enough. */
  progress?: (status: StatusLine) => Pick<Progress, 'started' | 'finished' | 'dropped' | 'failed'>;
  /** Does the work and returns what to send on: a message, one or none for each output, or nothing. */
  handle(context: InputContext): Promise<Q2cMessage | (Q2cMessage | null)[] | null>;
}

/**
 * The one place where a working node listens to messages: finds the run (or makes a one-off run), reads the
 * deal, awaits the work, sends on, and calls `done` exactly once. A rejected handler never reaches the host.
 */
export function onInput(node: Node, options: InputOptions): void {
  const status = new StatusLine(node);
  const progress = options.progress?.(status) ?? new Progress(status);

  node.on('input', (msg: Q2cMessage, send, done) => {
    if (host.isStale(msg)) {
      done();
      return;
    }
    progress.started();
    process(node, msg, options).then(
      (next) => {
        if (host.isStale(msg)) {
          progress.dropped();
        } else {
          // What sends nothing on keeps the message, or has handed it over.
          if (msg.q2c?.dryRun || next === null) progress.dropped();
          else progress.finished();
          if (next !== null) send(next as NodeMessage | NodeMessage[]);
        }
        done();
      },
      (error: unknown) => {
        // The host or the flow stops: the run stays unfinished and goes on at the next start.
        if (host.isStale(msg) || codeOf(error) === 'ENGINE_STOPPING') {
          progress.dropped();
          done();
          return;
        }
        if (msg.q2c?.dryRun) progress.dropped();
        else progress.failed(codeOf(error) ?? 'NODE_FAILED');
        if (error instanceof CaseOpened) tellCatchNodes(msg, error, options.system);
        done(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
  node.on('close', (done: () => void) => {
    status.clear();
    done();
  });
}

async function process(
  node: Node,
  msg: Q2cMessage,
  options: InputOptions,
): ReturnType<InputOptions['handle']> {
  const store = requireConfig<StoreNode>(options.RED, options.store, 'store', 'q2c-store');
  const engine = await store.engine();
  const info = { id: stableId(node), name: node.name || options.label };
  const known = await runUnderWay(engine, msg);
  try {
    const deal = readDeal(options.readInput === undefined ? msg.payload : await options.readInput(msg));
    const runId = known ?? (await ownRun(engine, node, msg, deal));
    noteLegalEntity(engine, runId, deal);
    return await options.handle({ msg, deal, engine, runId, node: info });
  } catch (error) {
    const runId = msg.q2c?.run;
    if (runId === undefined || isCaseOrInterruption(error)) throw error;
    return await failed(engine, runId, info, msg.q2c?.correlationId ?? runId, error);
  }
}

/**
 * The run of a message that has one. A run that has ended goes on: some node before this one sent the message later
 * than it said it was done.
 */
async function runUnderWay(engine: Engine, msg: Q2cMessage): Promise<string | undefined> {
  const runId = msg.q2c?.run;
  if (runId === undefined || engine.activeRun(runId) !== undefined) return runId;
  host.adopt(engine, msg, await engine.reopen(runId));
  return runId;
}

async function ownRun(engine: Engine, node: Node, msg: Q2cMessage, deal: DealDocument): Promise<string> {
  const subject = deal.opportunity?.id ?? deal.customer?.id ?? newId('opportunity');
  const title = deal.opportunity?.name ?? 'One-off message';
  const active = await engine.oneOff(stableId(node), subject, title, traceparentOf(msg));
  host.adopt(engine, msg, active);
  return active.run.id;
}

/** Whoever is told that the deal waits hears of everybody it waits for: several branches may have stopped. */
function tellCatchNodes({ q2c }: Q2cMessage, opened: CaseOpened, system: string | undefined): void {
  if (q2c === undefined) return;
  const { caseId: id, code, ownerRole } = opened;
  const roles = host.activeRun(q2c.run)?.waitsFor ?? new Set();
  roles.add(roleInWords(ownerRole));
  q2c.waitingFor = inWords.format([...roles].sort());
  q2c.case = { id, code, ...(system && { system }), whatToDo: whatToDo(code) };
}

const inWords = new Intl.ListFormat('en', { type: 'conjunction' });

/** The contract says who sells; before there is one, what was sold may. */
function noteLegalEntity(
  engine: Engine,
  runId: string,
  { contract, project, quote, opportunity }: DealDocument,
) {
  const active = engine.activeRun(runId);
  const named = [contract, project, quote, opportunity].find((part) => part?.legalEntityId !== undefined);
  if (active !== undefined && named?.legalEntityId) active.legalEntity = named.legalEntityId;
}

/** Span of whoever sent a message that comes from outside: by name, or as a call of an http-in node. */
function traceparentOf({ q2c, req }: Q2cMessage): string | undefined {
  const header = req?.headers?.traceparent;
  return q2c?.traceparent ?? (typeof header === 'string' ? header : undefined);
}

/**
 * Whatever stops a run in one of our nodes is a case, also a mistake in the set-up: a Catch node that only logs must
 * not make the deal look done.
 */
function failed(
  engine: Engine,
  runId: string,
  node: NodeInfo,
  subject: CanonicalId,
  error: unknown,
): Promise<never> {
  const reason = error instanceof Error ? error.message : String(error);
  return engine.fail(runId, [
    {
      node,
      code: 'NODE_FAILED',
      subject,
      about: { params: { node: node.name, reason }, ownerRole: 'integration_ops' },
      detail: { reason, code: codeOf(error) ?? null },
    },
  ]);
}

function isCaseOrInterruption(error: unknown): boolean {
  const code = codeOf(error);
  return (
    error instanceof CaseOpened ||
    error instanceof DryRunBlocked ||
    code === 'ENGINE_STOPPING' ||
    code === 'RUN_NOT_ACTIVE'
  );
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof Q2cError ? error.code : undefined;
}

/**
 * A configuration node by id.
 * @throws Q2cError `CONFIG_MISSING` saying which field of the form is empty or points to nothing.
 */
export function requireConfig<T extends Node>(RED: NodeAPI, id: string, field: string, type: string): T {
  const found = id === '' ? null : RED.nodes.getNode(id);
  if (found === null || found === undefined) {
    throw new Q2cError('CONFIG_MISSING', `Choose a ${field} (${type}) in the node's form and deploy.`);
  }
  return found as T;
}
