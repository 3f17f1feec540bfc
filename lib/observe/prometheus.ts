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
  const common = { name, help, labelNames: [...family.labels], registers: [registry] };
  if (family.kind === 'histogram') {
    new Counted(family, { ...common, buckets: [...family.bounds] });
    return;
  }
  const metric = family.kind === 'counter' ? new Counter(common) : new Gauge(common);
  for (const { labels, value } of family.samples) metric.inc(labelled(family, labels), value);
}

/** A histogram whose observations were counted elsewhere. */
class Counted extends Histogram {
  constructor(
    private readonly family: Extract<Family, { kind: 'histogram' }>,
    configuration: ConstructorParameters<typeof Histogram>[0],
  ) {
    super(configuration);
  }

  override async get(): ReturnType<Histogram['get']> {
    const values = this.family.samples.flatMap((sample) => this.valuesOf(sample));
    return { ...(await super.get()), values };
  }

  private valuesOf({ labels, buckets, sum }: HistogramSample) {
    const { name, bounds } = this.family;
    const own = labelled(this.family, labels);
    let count = 0;
    const values = buckets.map((observed, index) => {
      count += observed;
      return { metricName: `${name}_bucket`, labels: { ...own, le: bounds[index] ?? '+Inf' }, value: count };
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
