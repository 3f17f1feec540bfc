import {
  CaseOpened,
  type DispatchedRun,
  DryRunBlocked,
  type Engine,
  type Failure,
  type Step,
  type StepReply,
  type Target,
  type UndoEffect,
} from '../../../lib/engine';
import { type CanonicalId, type JsonValue, newId } from '../../../lib/model';
import type { Store } from '../../../lib/store';
import { FakeError, fail, until } from '../../support/engine';

/** A vendor that keeps what it is sent under our key, and flows that write to it. */

export interface VendorRecord {
  id: string;
  key: CanonicalId | null;
  content: JsonValue;
}

/** What happens instead of a plain success, once. */
export type Twist = (proceed: () => void) => void | Promise<void>;

export class Vendor {
  readonly records: VendorRecord[] = [];
  /** Calls that were made: `create project`, `undo project`. */
  readonly log: string[] = [];
  /** By `create project` or `undo project`; taken one per call. */
  readonly twists = new Map<string, Twist[]>();
  private lastId = 4700;

  constructor(readonly system = 'erp') {}

  twist(call: string, ...twists: Twist[]): void {
    this.twists.set(call, twists);
  }

  /** A person makes a record at the vendor's screen. */
  byHand(content: JsonValue = { name: 'by hand' }): string {
    const id = String(++this.lastId);
    this.records.push({ id, key: null, content });
    return id;
  }

  remove(id: string): void {
    const index = this.records.findIndex((record) => record.id === id);
    if (index >= 0) this.records.splice(index, 1);
  }

  step(entity: string, canonicalId: CanonicalId, overrides: Partial<Step> = {}): Step {
    const operation = overrides.operation ?? `${entity}.create`;
    return {
      node: { id: `n-${entity}`, name: `Make the ${entity}` },
      system: this.system,
      instance: 'main',
      operation,
      updates: false,
      readOnly: false,
      probeFirst: false,
      canonicalId,
      recordType: entity,
      businessVersion: '1',
      wire: { name: 'ACME' },
      visibleAfterMs: 0,
      undo: 'call',
      call: async (wire) => {
        await this.perform(`create ${entity}`, () => {
          const known = this.find(canonicalId);
          if (known === undefined)
            this.records.push({ id: String(++this.lastId), key: canonicalId, content: wire });
          else known.content = wire;
        });
        return this.reply(entity, canonicalId, this.find(canonicalId)?.id ?? '');
      },
      probe: async () => {
        const found = this.find(canonicalId);
        return found === undefined ? null : this.reply(entity, canonicalId, found.id);
      },
      adopt: async (id, _wire, { lookOnly }) => {
        const found = this.records.find((record) => record.id === id);
        if (found === undefined) return null;
        if (!lookOnly) found.key = canonicalId;
        return this.reply(entity, canonicalId, id);
      },
      classify,
      about: { params: { system: 'ERP', document: `${entity} ACME` }, ownerRole: 'finance_ops' },
      ...overrides,
    };
  }

  /** What the nodes of a flow hand to the engine. */
  target(effect: (entity: string) => UndoEffect = () => 'removed'): Target {
    return {
      system: this.system,
      connect: async () => ({
        instance: 'main',
        operation: (name) => {
          const entity = name.split('.')[0] ?? '';
          return {
            recordType: entity,
            visibleAfterMs: 0,
            probe: async (wire) => {
              const found = this.records.find(
                ({ key, content }) => key !== null && JSON.stringify(content) === JSON.stringify(wire),
              );
              return found === undefined ? null : { id: found.id };
            },
            look: async (id) => this.records.some((record) => record.id === id),
            undo: async (_wire, reply) => {
              const { id } = reply as { id: string };
              await this.perform(`undo ${entity}`, () => {
                if (effect(entity) === 'removed') this.remove(id);
              });
              return effect(entity);
            },
            classify,
          };
        },
      }),
    };
  }

  private find(key: CanonicalId): VendorRecord | undefined {
    return this.records.find((record) => record.key === key);
  }

  private async perform(call: string, proceed: () => void): Promise<void> {
    this.log.push(call);
    const twist = this.twists.get(call)?.shift();
    if (twist === undefined) proceed();
    else await twist(proceed);
  }

  private reply(entity: string, id: CanonicalId, externalId: string): StepReply {
    const ref = {
      system: this.system,
      instance: 'main',
      type: entity,
      id: externalId,
      role: 'copy' as const,
    };
    return {
      reply: { id: externalId },
      result: { refs: [{ id, entity: 'project', ref }], evidence: { id: externalId } },
    };
  }
}

const classify = (error: unknown): Failure =>
  error instanceof FakeError
    ? error.failure
    : {
        kind: 'rejected',
        code: 'NODE_FAILED',
        reason: error instanceof Error ? error.message : String(error),
      };

export const refuse: Twist = () => {
  throw fail('rejected', 'TARGET_REJECTED');
};
/** Processed, but nobody hears of it. */
export const loseReply: Twist = (proceed) => {
  proceed();
  throw fail('unknown', 'OUTCOME_UNKNOWN');
};
export const unreachable: Twist = () => {
  throw fail('transient', 'TARGET_UNAVAILABLE');
};

/** A flow of one node per step; each run goes through all of them until one fails. */
export function flow(engine: Engine, stepsOf: (run: DispatchedRun) => Step[], source = 'source'): () => void {
  const pass = async (run: DispatchedRun) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error(`run ${run.id} is not under way`);
    engine.messageEntered(active);
    try {
      for (const step of stepsOf(run)) await engine.step(run.id, step);
    } catch (error) {
      const isKnown = error instanceof CaseOpened || error instanceof DryRunBlocked;
      if (!isKnown && (error as { code?: string }).code !== 'ENGINE_STOPPING') throw error;
    } finally {
      engine.messageLeft(active);
    }
  };
  return engine.registerSource(source, 8, (run) => void pass(run));
}

let events = 0;

/** Accepts an event about a record of the CRM. @returns id of its run */
export async function win(engine: Engine, record = `opp-${events + 1}`, source = 'source'): Promise<string> {
  events++;
  await engine.accept({
    sourceNode: source,
    system: 'crm',
    instance: 'org',
    source: '/q2c/test/crm',
    cursor: events,
    events: [
      {
        id: `e${events}`,
        type: 'q2c.opportunity.won.v1',
        time: '2026-01-05T10:00:00.000Z',
        subject: { entity: 'opportunity', type: 'Opportunity', id: record },
        title: `Deal ${record}`,
        data: { name: `Deal ${record}` },
      },
    ],
  });
  const run = await engine.store.db
    .selectFrom('run')
    .select('id')
    .orderBy('seq', 'desc')
    .executeTakeFirstOrThrow();
  return run.id;
}

export const runRow = (store: Store, id: string) =>
  store.db.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

export const inState = (store: Store, id: string, state: string) =>
  until(`run to be ${state}`, async () => (await runRow(store, id)).state === state);

export const stepRows = (store: Store) => store.db.selectFrom('step').selectAll().orderBy('seq').execute();

export const openCases = (store: Store) =>
  store.db
    .selectFrom('exception_case')
    .selectAll()
    .where('state', 'not in', ['resolved', 'waived'])
    .execute();

export async function failedStep(store: Store): Promise<string> {
  const rows = await stepRows(store);
  const failed = rows.find(({ state }) => ['rejected', 'failed', 'unknown'].includes(state));
  if (failed === undefined) throw new Error('no step has failed');
  return failed.key;
}

export const ids = () => ({
  customer: newId('customer'),
  project: newId('project'),
  order: newId('contract'),
});

export const AUTHOR = { actor: 'kim', reason: 'agreed with finance' };
