import type { Layer, MappingSet, Rule } from '../../../../lib/mapping/schema';
import type { MappingCatalogue } from '../../../q2c-mapping/replies';

/** The mapping set of the open form. Parts of the form change it and are told when others have. */
export class MappingState {
  private readonly listeners: (() => void)[] = [];

  constructor(
    public set: MappingSet,
    readonly catalogue: MappingCatalogue,
    /** Text of the node set's catalogue. */
    readonly text: EditorNode['_'],
    /** Writes the set into the form's field. */
    private readonly save: (json: string) => void,
  ) {}

  /** To be called after every change. @param redraw false = whoever made it has shown it already */
  changed(redraw = true): void {
    this.save(JSON.stringify(this.set, null, 2));
    if (redraw) for (const listener of this.listeners) listener();
  }

  replace(set: MappingSet): void {
    this.set = set;
    this.changed();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
    listener();
  }

  layer(name: string): Layer {
    const found = this.set.layers.find((layer) => layer.name === name) ?? this.set.layers.at(-1);
    if (found === undefined) throw new Error('a mapping set has at least one layer');
    return found;
  }

  layerChoices() {
    return this.set.layers.map((layer) => ({ value: layer.name, label: layerLabel(layer) }));
  }
}

/** `Meridian US (meridian-us, AMER)` */
export function layerLabel({ name, scope }: Layer): string {
  const limits = [scope?.legalEntity, scope?.region].filter(Boolean).join(', ');
  return limits === '' ? name : `${name} (${limits})`;
}

/** Reads a set far enough for the form to show it; the host checks the whole of it. Null = it is none. */
export function readSet(json: string): MappingSet | null {
  try {
    const value = JSON.parse(json) as Partial<MappingSet> | null;
    const layers = value?.layers;
    const isSet =
      Array.isArray(layers) && layers.length > 0 && layers.every((layer) => typeof layer?.name === 'string');
    if (!isSet) return null;
    return {
      format: 1,
      label: String(value?.label ?? ''),
      layers: layers.map((layer) => ({ ...layer, rules: layer.rules ?? [], tables: layer.tables ?? {} })),
    };
  } catch {
    return null;
  }
}

/** What a rule takes its value from, in few words. */
export function sourceText({ source }: Pick<Rule, 'source'>): string {
  switch (source.kind) {
    case 'path':
      return source.path;
    case 'constant':
      return JSON.stringify(source.value);
    case 'jsonata':
      return `= ${source.expression}`;
    case 'lookup':
      return `${source.table} [ ${source.path} ]`;
  }
}
