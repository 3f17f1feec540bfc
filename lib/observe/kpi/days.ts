import { type KpiDayTable, type KpiSourceTable, prepared, type Tx } from '../../store';
import type { Fact, Source } from './facts';
import { addSample, addSamples, noSamples, type Samples } from './samples';

type Key = Omit<KpiDayTable, 'count' | 'samples'>;

interface Change {
  key: Key;
  count: number;
  samples: Samples;
}

/** Changes of the days that one write makes, summed up so that each row is written once. */
export class DayChanges {
  private readonly changes = new Map<string, Change>();

  /** Takes out what was counted of a source, and counts what is. */
  replace(before: readonly Fact[], after: readonly Fact[]): void {
    for (const fact of before) this.count(fact, -1);
    for (const fact of after) this.count(fact, 1);
  }

  private count(fact: Fact, times: 1 | -1): void {
    const { day, kpi, legalEntity, tier, system, subject } = fact;
    const name = JSON.stringify([day, kpi, legalEntity, tier, system, subject]);
    let change = this.changes.get(name);
    if (change === undefined) {
      const key: Key = { day, kpi, legal_entity: legalEntity, tier, system, subject };
      change = { key, count: 0, samples: noSamples() };
      this.changes.set(name, change);
    }
    change.count += times * fact.count;
    if (fact.ms !== undefined) addSample(change.samples, fact.ms, times);
  }

  async write(tx: Tx): Promise<void> {
    for (const { key, count, samples } of this.changes.values()) {
      if (count === 0 && samples.sum === 0 && Object.keys(samples.values).length === 0) continue;
      const [row] = await selectDay(tx, key);
      if (row !== undefined) addSamples(samples, JSON.parse(row.samples) as Samples);
      const changed = { ...key, count: count + (row?.count ?? 0), samples: JSON.stringify(samples) };
      if (changed.count === 0) await deleteDay(tx, key);
      else if (row === undefined) await insertDay(tx, changed);
      else await updateDay(tx, changed);
    }
  }
}

// Prepared: each run is counted by a dozen statements, and building one takes many times what it takes to run it.

type DayKey = { [Column in keyof Key]: Key[Column] };
type DayRow = { [Column in keyof KpiDayTable]: KpiDayTable[Column] };
type SourceRow = { [Column in keyof KpiSourceTable]: KpiSourceTable[Column] };

const selectDay = prepared<DayKey, Pick<KpiDayTable, 'count' | 'samples'>>((db, value) =>
  matching(db.selectFrom('kpi_day').select(['count', 'samples']), value),
);

const insertDay = prepared<DayRow>((db, value) =>
  db.insertInto('kpi_day').values({
    day: value.day,
    kpi: value.kpi,
    legal_entity: value.legal_entity,
    tier: value.tier,
    system: value.system,
    subject: value.subject,
    count: value.count,
    samples: value.samples,
  }),
);

const updateDay = prepared<DayRow>((db, value) =>
  matching(db.updateTable('kpi_day').set({ count: value.count, samples: value.samples }), value),
);

const deleteDay = prepared<DayKey>((db, value) => matching(db.deleteFrom('kpi_day'), value));

interface Filtered<Q> {
  where(column: keyof Key, operator: '=', value: string): Q;
}

function matching<Q extends Filtered<Q>>(query: Q, key: Key): Q {
  let matched = query;
  for (const column of ['day', 'kpi', 'legal_entity', 'tier', 'system', 'subject'] as const) {
    matched = matched.where(column, '=', key[column]);
  }
  return matched;
}

const selectFacts = prepared<{ id: string }, Pick<KpiSourceTable, 'facts'>>((db, value) =>
  db.selectFrom('kpi_source').select('facts').where('id', '=', value.id),
);

/** What of a source changes when it is counted anew. */
const changing = (row: SourceRow) => ({
  stamp: row.stamp,
  correlation_id: row.correlation_id,
  event_seq: row.event_seq,
  is_undecided: row.is_undecided,
  has_project: row.has_project,
  has_billing: row.has_billing,
  facts: row.facts,
});

const insertSource = prepared<SourceRow>((db, value) =>
  db.insertInto('kpi_source').values({ id: value.id, ...changing(value) }),
);

const updateSource = prepared<SourceRow>((db, value) =>
  db.updateTable('kpi_source').set(changing(value)).where('id', '=', value.id),
);

/** Counts a source in the place of what was counted of it before. */
export async function count(tx: Tx, days: DayChanges, { facts, ...source }: Source): Promise<void> {
  const [known] = await selectFacts(tx, { id: source.id });
  days.replace(known === undefined ? [] : (JSON.parse(known.facts) as Fact[]), facts);
  const row = { ...source, facts: JSON.stringify(facts) };
  await (known === undefined ? insertSource(tx, row) : updateSource(tx, row));
}
