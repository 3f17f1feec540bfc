import type { CanonicalId, Instant, JsonValue } from '../model';
import { procedure, type Store, type Tx } from '../store';
import { reach } from './failpoints';
import { identify } from './identity';
import { type Leases, requireRole } from './leases';
import type { EngineObserver } from './observer';
import { type Admitted, admit } from './order';
import type { Intake, IntakeBatch, IntakeEvent } from './types';
import { fireAccepted, type Waits } from './waiting';

export interface IntakesOptions {
  store: Store;
  leases: Leases;
  waits: Waits;
  now(): Instant;
  observer?: EngineObserver;
}

/** Takes in events of sources. */
export class Intakes {
  constructor(private readonly options: IntakesOptions) {}

  /** Accepts events of a source and moves its cursor, all in one transaction; known events are only counted. */
  async accept(batch: IntakeBatch): Promise<Intake & { resumed: number }> {
    const { store, leases, waits, observer } = this.options;
    const at = this.options.now();
    const delivery = { batch, owner: leases.owner, nodes: waits.nodeIds, at };
    // A change that is missing, or has come, opens or closes a case: who is told of cases is known only in the host.
    const isCounted = batch.events.some(({ version }) => version !== undefined);
    const { count, admitted } = isCounted
      ? await store.write((tx) => takeUp.perform(tx, delivery))
      : await store.perform(takeUp, delivery);
    observer?.accepted?.(batch, { at, admitted, duplicates: count.duplicates });
    if (count.accepted > 0) reach('event-accepted');
    return count;
  }

  /** How far a source has been read; null before its first batch. */
  async cursor(source: string): Promise<JsonValue | null> {
    const row = await this.options.store.db
      .selectFrom('cursor')
      .select('value')
      .where('source', '=', source)
      .executeTakeFirst();
    return row === undefined ? null : (JSON.parse(row.value) as JsonValue);
  }
}

/** Events on their way into the store. */
interface Delivery {
  batch: IntakeBatch;
  /** The host that has the source. */
  owner: string;
  /** Nodes that messages can go on from. */
  nodes: string[];
  at: Instant;
}

/** @returns what became of the events, and those that were not known */
const takeUp = procedure('events.take-up', async (tx, { batch, owner, nodes, at }: Delivery) => {
  await requireRole(tx, batch.source, owner);
  const admitted: Admitted[] = [];
  const count = { accepted: 0, duplicates: 0, stale: 0, parked: 0, resumed: 0 };
  for (const event of batch.events) {
    const subject = await canonicalSubject(tx, batch, event.subject, at);
    const taken = await admit(tx, batch, event, subject, at);
    if (taken === null) {
      count.duplicates++;
      continue;
    }
    admitted.push(taken);
    count[taken.admission]++;
    if (taken.admission !== 'stale') {
      count.resumed += await fireAccepted(tx, batch.source, taken.arrival, nodes, at);
    }
  }
  if (batch.cursor !== undefined) await saveCursor(tx, batch.source, batch.cursor, at);
  return { count, admitted };
});

/** @returns the canonical id of an event's record, made if the record is seen for the first time */
async function canonicalSubject(
  tx: Tx,
  { system, instance }: IntakeBatch,
  subject: IntakeEvent['subject'],
  at: Instant,
): Promise<CanonicalId> {
  if (typeof subject === 'string') return subject;
  const [id] = await identify(tx, system, instance, [subject], at);
  if (id === undefined) throw new Error('One reference gives one id.');
  return id;
}

async function saveCursor(tx: Tx, source: string, cursor: JsonValue, at: Instant): Promise<void> {
  const value = JSON.stringify(cursor);
  await tx
    .insertInto('cursor')
    .values({ source, value, updated_at: at })
    .onConflict((conflict) => conflict.column('source').doUpdateSet({ value, updated_at: at }))
    .execute();
}
