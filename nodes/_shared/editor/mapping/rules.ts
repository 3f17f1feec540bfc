import type { Rule } from '../../../../lib/mapping/schema';
import { byId, element, fillSelect, moveWithKeys } from './dom';
import { showRule } from './rule-form';
import { layerLabel, type MappingState, sourceText } from './state';

/** A line of the table: a rule of a layer, or what the connector does where no rule stands in its place. */
type Line =
  | { rule: Rule; layer: string; label: string; counts: boolean }
  | { rule: null; entity: string; target: string; from: string };

/** Lines that are drawn at once; further ones when the user scrolls to the end. */
const PAGE = 200;

/** The table of rules with its filters, and the form of the chosen one below. */
export function prepareRules(state: MappingState): void {
  const stage = byId<HTMLSelectElement>('q2c-mapping-stage');
  const filter = byId<HTMLInputElement>('q2c-mapping-filter');
  const connector = byId<HTMLInputElement>('q2c-mapping-connector');
  const layer = byId<HTMLSelectElement>('q2c-mapping-layer');
  const body = byId('q2c-mapping-rules');
  const box = byId('q2c-mapping-rules-box');
  let lines: Line[] = [];
  let drawn = 0;
  let chosen: Rule | null = null;

  fillSelect(
    stage,
    state.catalogue.stages.map(({ stage: value, label, direction }) => ({
      value,
      label: state.text(`stage.${direction}`, { system: label }),
    })),
  );

  const drawMore = () => {
    const next = lines.slice(drawn, drawn + PAGE);
    body.append(...next.map((line, at) => rowOf(line, drawn + at)));
    drawn += next.length;
  };

  const rowOf = (line: Line, at: number): HTMLElement => {
    const [entity, target] = line.rule ? [line.rule.entity, line.rule.target] : [line.entity, line.target];
    const row = element(
      'tr',
      {
        tabindex: at === 0 || line.rule === chosen ? '0' : '-1',
        'data-line': String(at),
        'aria-selected': String(line.rule !== null && line.rule === chosen),
        class: line.rule === null ? 'q2c-by-connector' : line.counts ? undefined : 'q2c-overruled',
      },
      element('td', {}, `${entity}.${shortTarget(target)}`),
      element('td', {}, line.rule ? sourceText(line.rule) : line.from),
      element('td', {}, line.rule ? marksOf(line.rule) : ''),
      element('td', {}, line.rule ? line.label : state.text('connectorOrigin')),
    );
    return row;
  };

  const marksOf = ({ when, required, default: preset, note }: Rule): string =>
    [
      when && state.text('mark.when'),
      required && state.text('mark.required'),
      preset !== undefined && state.text('mark.default'),
      note && '✎',
    ]
      .filter(Boolean)
      .join(' ');

  /** The row of the rule whose form is open, wherever the filter has put it. */
  const showChosen = () => {
    const at = lines.findIndex(({ rule }) => rule !== null && rule === chosen);
    while (at >= drawn && drawn < lines.length) drawMore();
    body.querySelector(`[data-line="${at}"]`)?.scrollIntoView({ block: 'nearest' });
  };

  const draw = () => {
    const top = box.scrollTop;
    lines = linesOf(state, stage.value, connector.checked).filter((line) => matches(line, filter.value));
    body.replaceChildren();
    drawn = 0;
    drawMore();
    box.scrollTop = top;
    showChosen();
    byId('q2c-mapping-count').textContent = state.text('ruleCount', {
      count: lines.filter(({ rule }) => rule !== null).length,
    });
  };

  const choose = (rule: Rule | null) => {
    chosen = rule;
    for (const row of body.querySelectorAll('tr')) {
      const line = lines[Number(row.dataset.line)];
      const isChosen = rule !== null && line?.rule === rule;
      row.setAttribute('aria-selected', String(isChosen));
      if (isChosen) row.tabIndex = 0;
    }
    showRule(state, rule, { redraw: draw, layerOf: () => layerOfRule(state, rule) });
  };

  const add = (template: Partial<Rule>) => {
    const [system = '', direction] = stage.value.split('.');
    const rule: Rule = {
      system,
      direction: direction === 'read' ? 'read' : 'write',
      entity: 'project',
      target: 'name',
      source: { kind: 'path', path: 'name' },
      ...template,
    };
    state.layer(layer.value).rules.push(rule);
    state.changed();
    choose(rule);
    byId('q2c-rule-target').focus();
  };

  const remove = (rule: Rule) => {
    for (const each of state.set.layers) each.rules = each.rules.filter((other) => other !== rule);
    choose(null);
    state.changed();
    body.querySelector<HTMLElement>('tr')?.focus();
  };

  const open = (row: HTMLElement) => {
    const line = lines[Number(row.dataset.line)];
    if (line?.rule) choose(line.rule);
    else if (line)
      add({
        entity: line.entity as Rule['entity'],
        target: line.target,
        source: { kind: 'path', path: shortTarget(line.target) },
      });
  };

  body.onclick = ({ target }) => {
    const row = (target as HTMLElement).closest('tr');
    const line = row && lines[Number(row.dataset.line)];
    if (row && line?.rule) choose(line.rule);
    row?.focus();
  };
  body.ondblclick = ({ target }) => {
    const row = (target as HTMLElement).closest('tr');
    if (row) open(row);
  };
  moveWithKeys(body, {
    enter(row) {
      open(row);
      byId('q2c-rule-target').focus();
    },
    remove(row) {
      const line = lines[Number(row.dataset.line)];
      if (line?.rule) remove(line.rule);
    },
  });
  box.onscroll = () => {
    if (box.scrollTop + box.clientHeight > box.scrollHeight - 200) drawMore();
  };
  stage.onchange = () => {
    choose(null);
    draw();
  };
  filter.oninput = draw;
  connector.onchange = draw;
  byId('q2c-mapping-add').onclick = () => add({});
  byId('q2c-rule-remove').onclick = () => chosen && remove(chosen);
  byId('q2c-rule-earlier').onclick = () => chosen && move(state, chosen);
  state.onChange(() => {
    fillSelect(layer, state.layerChoices(), layer.value || state.set.layers.at(-1)?.name);
    if (chosen !== null && layerOfRule(state, chosen) === undefined) choose(null);
    draw();
  });
  choose(null);
}

/** One place up among the rules of its layer: of two rules for one field the first whose condition is true counts. */
function move(state: MappingState, rule: Rule): void {
  const rules = state.set.layers.find((layer) => layer.rules.includes(rule))?.rules ?? [];
  const at = rules.indexOf(rule);
  if (at < 1) return;
  rules.splice(at - 1, 2, rule, rules[at - 1] as Rule);
  state.changed();
}

const layerOfRule = (state: MappingState, rule: Rule | null): string | undefined =>
  state.set.layers.find(({ rules }) => rule !== null && rules.includes(rule))?.name;

/** Rules of a stage by field, the one that counts first; then what the connector fills and no rule does. */
function linesOf(state: MappingState, stage: string, withConnector: boolean): Line[] {
  const lines: Line[] = [];
  const settled = new Set<string>();
  for (const layer of state.set.layers.toReversed()) {
    for (const rule of layer.rules) {
      if (`${rule.system}.${rule.direction}` !== stage) continue;
      const key = `${rule.entity}.${rule.target}`;
      lines.push({ rule, layer: layer.name, label: layerLabel(layer), counts: !settled.has(key) });
      // A layer for some deals only, or a condition, leaves the others to the rules below.
      if (rule.when === undefined && layer.scope === undefined) settled.add(key);
    }
  }
  if (withConnector) {
    for (const [entity, filled] of Object.entries(state.catalogue.filled[stage] ?? {})) {
      for (const [target, from] of Object.entries(filled))
        if (!settled.has(`${entity}.${target}`)) lines.push({ rule: null, entity, target, from });
    }
  }
  const keyOf = (line: Line) =>
    line.rule ? `${line.rule.entity}.${line.rule.target}` : `${line.entity}.${line.target}`;
  const keyed = lines.map((line) => ({ line, key: keyOf(line) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ line }) => line);
}

function matches(line: Line, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const [{ entity, target }, from] = line.rule ? [line.rule, sourceText(line.rule)] : [line, line.from];
  const more = line.rule ? [line.label, line.rule.note ?? ''] : [];
  const words = [`${entity}.${shortTarget(target)}`, target, from, ...more];
  return words.join(' ').toLowerCase().includes(wanted);
}

/** `extensions.netsuite.memo` → `memo` */
const shortTarget = (target: string): string => target.replace(/^extensions\.[^.]+\./, '');
