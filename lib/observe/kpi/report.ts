import type { Store } from '../../store';
import type { Kpi } from './facts';
import { addSamples, type Durations, durationsOf, noSamples, type Samples } from './samples';

/** By what key figures may be told apart. */
export const kpiGroups = ['day', 'legalEntity', 'tier', 'system', 'subject'] as const;
export type KpiGroup = (typeof kpiGroups)[number];

export interface KpiFilter {
  /** First and last day, in the time zones of the legal entities. */
  from: string;
  to: string;
  legalEntity?: string;
  tier?: string;
  system?: string;
}

/** Key figures of a period (guides §14). Times are in milliseconds. */
export interface KpiFigures {
  /** What the group is of; null for all together. */
  group: string | null;
  /** From the acceptance of a deal to the provisioning of its project. */
  projectSetup: Durations;
  writes: {
    attempted: number;
    confirmed: number;
    /** Confirmed by attempted, 0 to 1; null where nothing was attempted. */
    success: number | null;
    /** From the change in the source to the confirmation of the target. */
    latency: Durations;
  };
  duplicatesPrevented: {
    /** Events that were delivered again. What a poll reads again is none. */
    events: number;
    /** Writes whose reply was lost, and that a probe has found done. */
    lostReplies: number;
    /** Writes that an earlier run had done already. */
    earlierRuns: number;
    /** Records that were not made because the tax registration, name or address belongs to another one. */
    naturalKeys: number;
  };
  exceptions: { opened: number; resolved: number; timeToResolve: Durations };
}

const COLUMNS = {
  day: 'day',
  legalEntity: 'legal_entity',
  tier: 'tier',
  system: 'system',
  subject: 'subject',
} as const satisfies Record<KpiGroup, string>;

interface Total {
  count: number;
  samples: Samples;
}

/**
 * Key figures of a period as they were counted last (`updateKpis`).
 * @param by told apart by this, ordered by it; without it there is one, of all together
 */
export async function kpiReport(
  store: Pick<Store, 'db'>,
  filter: KpiFilter,
  by?: KpiGroup,
): Promise<KpiFigures[]> {
  let query = store.db
    .selectFrom('kpi_day')
    .selectAll()
    .where('day', '>=', filter.from)
    .where('day', '<=', filter.to);
  if (filter.legalEntity !== undefined) query = query.where('legal_entity', '=', filter.legalEntity);
  if (filter.tier !== undefined) query = query.where('tier', '=', filter.tier);
  if (filter.system !== undefined) query = query.where('system', '=', filter.system);

  const groups = new Map<string | null, Totals>(by === undefined ? [[null, new Totals()]] : []);
  for (const row of await query.execute()) {
    const group = by === undefined ? null : row[COLUMNS[by]];
    let totals = groups.get(group);
    if (totals === undefined) {
      totals = new Totals();
      groups.set(group, totals);
    }
    totals.add(row.kpi as Kpi, row.subject, row.count, JSON.parse(row.samples) as Samples);
  }
  return [...groups]
    .sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))
    .map(([group, totals]) => totals.figures(group));
}

class Totals {
  private readonly byKpi = new Map<string, Total>();

  add(kpi: Kpi, subject: string, count: number, samples: Samples): void {
    const name = kpi === 'duplicate_prevented' ? `${kpi}:${subject}` : kpi;
    const total = this.byKpi.get(name) ?? { count: 0, samples: noSamples() };
    total.count += count;
    addSamples(total.samples, samples);
    this.byKpi.set(name, total);
  }

  figures(group: string | null): KpiFigures {
    const count = (kpi: Kpi, subject?: 'event' | 'lost_reply' | 'earlier_run' | 'natural_key') =>
      this.byKpi.get(subject === undefined ? kpi : `${kpi}:${subject}`)?.count ?? 0;
    const durations = (kpi: Kpi) => durationsOf(this.byKpi.get(kpi)?.samples ?? noSamples());
    const attempted = count('write_attempted');
    const confirmed = count('write_confirmed');
    return {
      group,
      projectSetup: durations('project_setup'),
      writes: {
        attempted,
        confirmed,
        success: attempted === 0 ? null : confirmed / attempted,
        latency: durations('write_confirmed'),
      },
      duplicatesPrevented: {
        events: count('duplicate_prevented', 'event'),
        lostReplies: count('duplicate_prevented', 'lost_reply'),
        earlierRuns: count('duplicate_prevented', 'earlier_run'),
        naturalKeys: count('duplicate_prevented', 'natural_key'),
      },
      exceptions: {
        opened: count('case_opened'),
        resolved: count('case_resolved'),
        timeToResolve: durations('case_resolved'),
      },
    };
  }
}
