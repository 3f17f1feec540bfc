/**
 * Counts kept in memory while nobody looks: an addition each. A scrape turns them into Prometheus' metrics
 * (`prometheus.ts`).
 */

/** Label sets per metric. What comes after is counted under `other`, so that no mistake can fill the memory. */
const MAX_LABEL_SETS = 1000;
const OTHER = 'other';
const SEPARATOR = '\u001f';

export interface Description {
  name: string;
  help: string;
  labels: readonly string[];
}

export interface Sample {
  /** In the order of the metric's labels. */
  labels: readonly string[];
  value: number;
}

export interface HistogramSample {
  labels: readonly string[];
  /** Observations up to each bound but above the one before; the last holds those above all bounds. */
  buckets: readonly number[];
  sum: number;
}

/** What a metric says at the moment. */
export type Family =
  | (Description & { kind: 'counter' | 'gauge'; samples: Sample[] })
  | (Description & { kind: 'histogram'; bounds: readonly number[]; samples: HistogramSample[] });

/** One value for each set of labels. */
class Labelled<V> {
  private readonly values = new Map<string, V>();

  constructor(
    private readonly width: number,
    private readonly make: () => V,
  ) {}

  at(labels: readonly string[]): V {
    const key = labels.join(SEPARATOR);
    return this.values.get(key) ?? this.add(key);
  }

  private add(key: string): V {
    const isFull = this.values.size >= MAX_LABEL_SETS;
    const place = isFull ? new Array(this.width).fill(OTHER).join(SEPARATOR) : key;
    const value = this.values.get(place) ?? this.make();
    this.values.set(place, value);
    return value;
  }

  all(): { labels: string[]; value: V }[] {
    return [...this.values].map(([key, value]) => ({ labels: key.split(SEPARATOR), value }));
  }
}

export class Counter {
  private readonly counts: Labelled<{ value: number }>;

  constructor(private readonly description: Description) {
    this.counts = new Labelled(description.labels.length, () => ({ value: 0 }));
  }

  add(labels: readonly string[], count = 1): void {
    if (count > 0) this.counts.at(labels).value += count;
  }

  family(): Family {
    const samples = this.counts.all().map(({ labels, value }) => ({ labels, value: value.value }));
    return { ...this.description, kind: 'counter', samples };
  }
}

/** Upper bounds in seconds: from a local decision to a call that was retried for minutes. */
export const DURATIONS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Upper bounds in seconds: propagation targets are a minute, five minutes and a day (guides §13). */
export const LAGS = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

export class Histogram {
  private readonly observations: Labelled<{ buckets: number[]; sum: number }>;

  constructor(
    private readonly description: Description,
    private readonly bounds: readonly number[],
  ) {
    this.observations = new Labelled(description.labels.length, () => ({
      buckets: new Array<number>(bounds.length + 1).fill(0),
      sum: 0,
    }));
  }

  observe(labels: readonly string[], seconds: number): void {
    const { bounds } = this;
    const place = this.observations.at(labels);
    let index = 0;
    while (index < bounds.length && seconds > (bounds[index] ?? 0)) index++;
    place.buckets[index] = (place.buckets[index] ?? 0) + 1;
    place.sum += seconds;
  }

  family(): Family {
    const samples = this.observations.all().map(({ labels, value }) => ({ labels, ...value }));
    return { ...this.description, kind: 'histogram', bounds: this.bounds, samples };
  }
}
