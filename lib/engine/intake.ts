import type { CanonicalId, Instant, JsonValue } from '../model';
import type { Store, Tx } from '../store';
import { reach } from './failpoints';
import { identify } from './identity';
import type { Leases } from './leases';
import type { EngineObserver } from './observer';
import { type Admitted, admit } from './order';
import type { Intake, IntakeBatch, IntakeEvent } from './types';
import type { Waits } from './waiting';

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
    const { store, leases, observer } = this.options;
    const at = this.options.now();
    let taken: Admitted[] = [];
    const intake = await store.write(async (tx) => {
      await leases.requireRole(tx, batch.source);
      taken = [];
      const count = { accepted: 0, duplicates: 0, stale: 0, parked: 0, resumed: 0 };
      for (const event of batch.events) {
        const subject = await canonicalSubject(tx, batch, event.subject, at);
        const admitted = await admit(tx, batch, event, subject, at);
        if (admitted === null) {
          count.duplicates++;
          continue;
        }
        taken.push(admitted);
        const { arrival, admission } = admitted;
        count[admission]++;
        if (admission !== 'stale') {
          count.resumed += await this.options.waits.accepted(tx, batch.source, arrival, at);
        }
      }
      if (batch.cursor !== undefined) await saveCursor(tx, batch.source, batch.cursor, at);
      return count;
    });
    observer?.accepted?.(batch, { at, admitted: taken, duplicates: intake.duplicates });
    if (intake.accepted > 0) reach('event-accepted');
    return intake;
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
