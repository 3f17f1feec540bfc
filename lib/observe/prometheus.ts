import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Description, Family, HistogramSample } from './accumulators';

/** Writes metrics in Prometheus' text format. A part of its own, loaded when somebody looks for the first time. */
export async function exposition(
  families: readonly Family[],
): Promise<{ contentType: string; text: string }> {
  const registry = new Registry();
  for (const family of families) register(registry, family);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function register(registry: Registry, family: Family): void {
  const { name, help } = family;
  if (family.kind === 'histogram') {
    new CountedHistogram(family, registry);
    return;
  }
  const common = { name, help, labelNames: [...family.labels], registers: [registry] };
  const metric = family.kind === 'counter' ? new Counter(common) : new Gauge(common);
  for (const { labels, value } of family.samples) metric.inc(labelled(family, labels), value);
}

/**
 * A histogram whose observations were counted elsewhere. Not a `Histogram` of the library: that writes only what was
 * observed one by one.
 */
class CountedHistogram extends Gauge {
  /** How the library describes one. */
  private readonly frame: Histogram;

  constructor(
    private readonly family: Extract<Family, { kind: 'histogram' }>,
    registry: Registry,
  ) {
    const { name, help } = family;
    super({ name, help, registers: [registry] });
    this.frame = new Histogram({ name, help, registers: [] });
  }

  override async get(): ReturnType<Gauge['get']> {
    const values = this.family.samples.flatMap((sample) => this.valuesOf(sample));
    return { ...(await this.frame.get()), values };
  }

  private valuesOf({ labels, buckets, sum }: HistogramSample) {
    const { name, bounds } = this.family;
    const own = labelled(this.family, labels);
    let count = 0;
    const values = buckets.map((observed, index) => {
      count += observed;
      return { metricName: `${name}_bucket`, labels: { le: bounds[index] ?? '+Inf', ...own }, value: count };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, labels: own, value: sum },
      { metricName: `${name}_count`, labels: own, value: count },
    ];
  }
}

function labelled({ labels: names }: Description, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((label, index) => [label, labels[index] ?? '']));
}
