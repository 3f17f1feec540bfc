import type { Rule, Source } from '../../../../lib/mapping/schema';
import { byId, fillSelect, fillSuggestions, type Option } from './dom';
import type { MappingState } from './state';

/** The form of the chosen rule. */

interface RuleEvents {
  /** Shows the table of rules anew. */
  redraw(): void;
  /** Name of the layer that has the rule. */
  layerOf(): string | undefined;
}

const kinds = ['path', 'constant', 'jsonata', 'lookup'] as const;

export function showRule(state: MappingState, rule: Rule | null, events: RuleEvents): void {
  byId('q2c-rule').hidden = rule === null;
  byId('q2c-rule-none').hidden = rule !== null;
  if (rule === null) return;
  const { catalogue, text } = state;
  const entity = byId<HTMLSelectElement>('q2c-rule-entity');
  const layer = byId<HTMLSelectElement>('q2c-rule-layer');
  const kind = byId<HTMLSelectElement>('q2c-rule-kind');
  const target = byId<HTMLInputElement>('q2c-rule-target');
  const stage = `${rule.system}.${rule.direction}`;

  fillSelect(entity, Object.keys(catalogue.fields).map(asOption), rule.entity);
  fillSelect(layer, state.layerChoices(), events.layerOf());
  fillSelect(
    kind,
    kinds.map((value) => ({ value, label: text(`kind.${value}`) })),
    rule.source.kind,
  );
  target.value = rule.target;
  input('when').value = rule.when ?? '';
  input('note').value = rule.note ?? '';
  input('default').value = rule.default === undefined ? '' : shownValue(rule.default);
  byId<HTMLInputElement>('q2c-rule-required').checked = rule.required ?? false;
  showSource(rule.source);
  suggest();

  function suggest(): void {
    if (rule === null) return;
    const fields = catalogue.fields[rule.entity] ?? [];
    const ofVendor =
      rule.direction === 'write' ? Object.entries(catalogue.filled[stage]?.[rule.entity] ?? {}) : [];
    fillSuggestions('q2c-rule-targets', [
      ...fields.map(({ path, type, required }) => ({
        value: path,
        label: required ? text('requiredField', { type }) : type,
      })),
      ...ofVendor.map(([value, from]) => ({ value, label: text('vendorField', { from }) })),
    ]);
    const ofDeal = Object.entries(catalogue.fields)
      .filter(([name]) => ['opportunity', 'customer', 'quote', 'contract', 'project'].includes(name))
      .flatMap(([name, paths]) => paths.map(({ path }) => asOption(`deal.${name}.${path}`)));
    fillSuggestions('q2c-rule-paths', [
      ...fields.map(({ path, type }) => ({ value: path, label: type })),
      ...ofDeal,
    ]);
    const own = state.set.layers.flatMap(({ tables }) => Object.keys(tables[rule.system] ?? {}));
    const known = Object.entries(catalogue.tables[rule.system] ?? {}).map(([value, label]) => ({
      value,
      label,
    }));
    const added = own.filter((name) => !known.some(({ value }) => value === name)).map(asOption);
    fillSuggestions('q2c-rule-tables', [...known, ...added]);
    byId('q2c-rule-help').textContent = describe(rule);
  }

  function describe({ entity: name, target: path }: Rule): string {
    const field = catalogue.fields[name]?.find((each) => each.path === path);
    const from = catalogue.filled[stage]?.[name]?.[path];
    const filled = from === undefined ? '' : text('connectorFills', { from });
    if (field !== undefined) {
      const values = field.values === undefined ? '' : `: ${field.values.join(', ')}`;
      const words = field.required ? text('requiredField', { type: field.type }) : field.type;
      return `${words}${values}. ${filled}`;
    }
    const system = /^extensions\.([^.]+)\./.exec(path)?.[1];
    if (system !== undefined) return `${text('ownField', { system })} ${filled}`;
    return text('unknownField', { entity: name, system: stage.split('.')[0] ?? '' });
  }

  function update(): void {
    if (rule === null) return;
    rule.entity = entity.value as Rule['entity'];
    rule.target = target.value.trim();
    rule.source = readSource(kind.value as Source['kind']);
    assign(rule, 'when', input('when').value.trim() || undefined);
    assign(rule, 'note', input('note').value.trim() || undefined);
    const preset = input('default').value;
    assign(rule, 'default', preset === '' ? undefined : readValue(preset));
    assign(rule, 'required', byId<HTMLInputElement>('q2c-rule-required').checked || undefined);
    state.changed(false);
    suggest();
    events.redraw();
  }

  kind.onchange = () => {
    rule.source = emptySource(kind.value as Source['kind'], rule.source);
    showSource(rule.source);
    update();
  };
  layer.onchange = () => {
    for (const each of state.set.layers) each.rules = each.rules.filter((other) => other !== rule);
    state.layer(layer.value).rules.push(rule);
    state.changed();
  };
  entity.onchange = update;
  for (const field of byId('q2c-rule').querySelectorAll<HTMLInputElement>('input, textarea'))
    field.oninput = update;
}

const asOption = (value: string): Option => ({ value, label: value });

const input = (name: string) => byId<HTMLInputElement>(`q2c-rule-${name}`);

function assign<K extends keyof Rule>(rule: Rule, key: K, value: Rule[K] | undefined): void {
  if (value === undefined) delete rule[key];
  else rule[key] = value;
}

/** Shows the inputs of the kind of source and fills them. */
function showSource(source: Source): void {
  for (const part of byId('q2c-rule').querySelectorAll<HTMLElement>('[data-kinds]'))
    part.hidden = !part.dataset.kinds?.split(' ').includes(source.kind);
  input('path').value = 'path' in source ? source.path : '';
  input('table').value = source.kind === 'lookup' ? source.table : '';
  input('constant').value = source.kind === 'constant' ? shownValue(source.value) : '';
  input('expression').value = source.kind === 'jsonata' ? source.expression : '';
}

function readSource(kind: Source['kind']): Source {
  switch (kind) {
    case 'path':
      return { kind, path: input('path').value.trim() };
    case 'constant':
      return { kind, value: readValue(input('constant').value) };
    case 'jsonata':
      return { kind, expression: input('expression').value };
    case 'lookup':
      return { kind, table: input('table').value.trim(), path: input('path').value.trim() };
  }
}

/** The source of another kind, with the path of the one before where both have one. */
function emptySource(kind: Source['kind'], before: Source): Source {
  const path = 'path' in before ? before.path : '';
  switch (kind) {
    case 'path':
      return { kind, path };
    case 'constant':
      return { kind, value: '' };
    case 'jsonata':
      return { kind, expression: path };
    case 'lookup':
      return { kind, table: '', path };
  }
}

/**
 * Text is text, numbers too: that is how the model writes amounts. `true`, `false`, `null` and what begins with a
 * bracket is JSON; a whole number or anything else as JSON follows `json:`.
 */
function readValue(text: string): Rule['default'] & {} {
  const json = /^(?:true|false|[[{].*)$/s.test(text) ? text : /^json:(.*)$/s.exec(text)?.[1];
  if (json === undefined) return text;
  try {
    return JSON.parse(json);
  } catch {
    return text;
  }
}

function shownValue(value: Rule['default']): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || value === null ? `json:${value}` : JSON.stringify(value);
}
