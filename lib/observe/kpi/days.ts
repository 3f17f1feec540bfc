import type { KpiDayTable, Tx } from '../../store';
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
      const row = await matching(
        tx.selectFrom('kpi_day').select(['count', 'samples']),
        key,
      ).executeTakeFirst();
      if (row !== undefined) addSamples(samples, JSON.parse(row.samples) as Samples);
      const values = { count: count + (row?.count ?? 0), samples: JSON.stringify(samples) };
      if (values.count === 0) await matching(tx.deleteFrom('kpi_day'), key).execute();
      else if (row === undefined)
        await tx
          .insertInto('kpi_day')
          .values({ ...key, ...values })
          .execute();
      else await matching(tx.updateTable('kpi_day').set(values), key).execute();
    }
  }
}

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

/** Counts a source in the place of what was counted of it before. */
export async function count(tx: Tx, days: DayChanges, { facts, ...source }: Source): Promise<void> {
  const known = await tx
    .selectFrom('kpi_source')
    .select('facts')
    .where('id', '=', source.id)
    .executeTakeFirst();
  days.replace(known === undefined ? [] : (JSON.parse(known.facts) as Fact[]), facts);
  const { id, ...values } = { ...source, facts: JSON.stringify(facts) };
  if (known === undefined)
    await tx
      .insertInto('kpi_source')
      .values({ id, ...values })
      .execute();
  else await tx.updateTable('kpi_source').set(values).where('id', '=', id).execute();
}
