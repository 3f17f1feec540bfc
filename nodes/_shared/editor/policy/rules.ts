import type { CaseRule } from '../../../../lib/rules/case-policy';
import { byId, element } from '../mapping/dom';
import { amounts, button, choice, labelled, numberField, tags } from './fields';
import type { PolicyState } from './state';
import {
  amountTexts,
  asOptions,
  CONDITIONS,
  type Condition,
  calendarOptions,
  conditionsOf,
  orNothing,
  outcomesOf,
  roleOptions,
  severityOptions,
  tagTexts,
} from './words';

/**
 * The rules in their order, and the fields of the chosen one below. Rows are moved by dragging, with their buttons, or
 * with Alt and the arrow keys.
 */
export function prepareRules(state: PolicyState): void {
  const body = byId('q2c-policy-rules');
  const form = byId('q2c-policy-rule');
  const { text } = state;
  let chosen: CaseRule | null = null;
  let dragged: number | null = null;

  const rules = () => state.policy.rules;

  const draw = (focus?: number) => {
    if (chosen !== null && !rules().includes(chosen)) chosen = null;
    body.replaceChildren(...rules().map(rowOf));
    drawForm();
    if (focus !== undefined) body.querySelectorAll('tr')[focus]?.focus();
  };

  const move = (from: number, to: number) => {
    const rule = rules()[from];
    if (rule === undefined || to < 0 || to >= rules().length || from === to) return;
    rules().splice(from, 1);
    rules().splice(to, 0, rule);
    state.changed(false);
    draw(to);
  };

  const remove = (at: number) => {
    rules().splice(at, 1);
    state.changed(false);
    draw(Math.min(at, rules().length - 1));
  };

  const choose = (rule: CaseRule | null) => {
    chosen = rule;
    for (const [at, row] of body.querySelectorAll('tr').entries())
      row.setAttribute('aria-selected', String(rules()[at] === rule));
    drawForm();
  };

  const rowOf = (rule: CaseRule, at: number): HTMLElement => {
    const row = element(
      'tr',
      {
        tabindex: '0',
        draggable: state.isOwn ? 'true' : undefined,
        'aria-selected': String(rule === chosen),
        'data-q2c-problems': `rules.${at}.`,
      },
      element('td', {}, state.isOwn ? '⠿ ' : '', String(at + 1)),
      element('td', {}, conditionsOf(state, rule)),
      element('td', {}, outcomesOf(state, rule)),
      element('td', {}, ...(state.isOwn ? buttonsOf(at) : [])),
    );
    row.onclick = (event) => {
      if ((event.target as HTMLElement).closest('button') === null) choose(rule);
    };
    row.onkeydown = (event) => byKey(event, row, at);
    row.ondragstart = (event) => {
      dragged = at;
      event.dataTransfer?.setData('text/plain', String(at));
    };
    row.ondragover = (event) => {
      if (dragged === null) return;
      event.preventDefault();
      row.classList.toggle('q2c-drop', dragged !== at);
    };
    row.ondragleave = () => row.classList.remove('q2c-drop');
    row.ondragend = () => {
      dragged = null;
    };
    row.ondrop = (event) => {
      event.preventDefault();
      if (dragged !== null) move(dragged, at);
      dragged = null;
    };
    return row;
  };

  const buttonsOf = (at: number): HTMLElement[] => {
    const up = button('fa-arrow-up', text('earlier'), () => move(at, at - 1));
    const down = button('fa-arrow-down', text('later'), () => move(at, at + 1));
    up.disabled = at === 0;
    down.disabled = at === rules().length - 1;
    return [up, down, button('fa-times', text('remove'), () => remove(at))];
  };

  const byKey = (event: KeyboardEvent, row: HTMLElement, at: number) => {
    if (event.target !== row) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && event.altKey && state.isOwn) move(at, at + step);
    else if (step !== 0) body.querySelectorAll('tr')[at + step]?.focus();
    else if (event.key === 'Enter') {
      choose(rules()[at] ?? null);
      form.querySelector<HTMLElement>('input, select')?.focus();
    } else if (event.key === 'Delete' && state.isOwn) remove(at);
    else return;
    event.preventDefault();
    // The editor's own shortcuts look at the rows around the target, which may be gone by then.
    event.stopPropagation();
  };

  const drawForm = () => {
    byId('q2c-policy-rule-none').hidden = chosen !== null || rules().length === 0;
    form.hidden = chosen === null;
    if (chosen !== null) form.replaceChildren(...fieldsOf(chosen, `rules.${rules().indexOf(chosen)}`));
  };

  /** A change of the chosen rule: its row says it, and its fields keep the keyboard. */
  const changed = () => {
    const at = chosen === null ? -1 : rules().indexOf(chosen);
    const row = body.querySelectorAll('tr')[at];
    if (chosen !== null && row !== undefined) row.replaceWith(rowOf(chosen, at));
    state.changed(false);
  };

  const suggested: Record<Condition, () => readonly string[]> = {
    codes: () => state.catalogue.codes,
    systems: () => state.catalogue.systems,
    entities: () => state.catalogue.entities,
    legalEntities: () => state.legalEntities,
    regions: () => [],
    severities: () => state.catalogue.severities,
  };

  const fieldsOf = (rule: CaseRule, path: string): HTMLElement[] => {
    const set = <K extends keyof CaseRule>(key: K, value: CaseRule[K] | undefined) => {
      if (value === undefined) delete rule[key];
      else rule[key] = value;
      changed();
    };
    const onBreach = (key: 'severity' | 'escalateTo', value: string) => {
      const { [key]: _, ...others } = rule.onBreach ?? {};
      const next = value === '' ? others : { ...others, [key]: value };
      set('onBreach', Object.keys(next).length === 0 ? undefined : (next as CaseRule['onBreach']));
    };
    const open = text('leftOpen');
    return [
      element('h4', { class: 'q2c-wide-row q2c-title' }, text('whenTitle')),
      ...CONDITIONS.map((name) =>
        labelled(
          text(`when.${name}`),
          `${path}.when.${name}`,
          tags(rule.when[name] ?? [], asOptions(suggested[name]()), tagTexts(state), (values) => {
            const { [name]: _, ...others } = rule.when;
            rule.when = (values.length === 0 ? others : { ...others, [name]: values }) as CaseRule['when'];
            changed();
          }),
        ),
      ),
      labelled(
        text('when.amountAtLeast'),
        `${path}.when.amountAtLeast`,
        amounts(rule.when.amountAtLeast ?? {}, amountTexts(state), (values) => {
          const { amountAtLeast: _, ...others } = rule.when;
          rule.when = Object.keys(values).length === 0 ? others : { ...others, amountAtLeast: values };
          changed();
        }),
      ),
      element('h4', { class: 'q2c-wide-row q2c-title' }, text('thenTitle')),
      labelled(
        text('then.ownerRole'),
        `${path}.ownerRole`,
        choice(orNothing(roleOptions(state), open), rule.ownerRole ?? '', (value) =>
          set('ownerRole', (value || undefined) as CaseRule['ownerRole']),
        ),
      ),
      labelled(
        text('then.severity'),
        `${path}.severity`,
        choice(orNothing(severityOptions(state), open), rule.severity ?? '', (value) =>
          set('severity', (value || undefined) as CaseRule['severity']),
        ),
      ),
      labelled(
        text('then.slaHours'),
        `${path}.slaHours`,
        numberField(rule.slaHours, (value) => set('slaHours', value), { placeholder: open }),
      ),
      labelled(
        text('then.calendar'),
        `${path}.calendar`,
        choice(orNothing(calendarOptions(state), open), rule.calendar ?? '', (value) =>
          set('calendar', value || undefined),
        ),
      ),
      labelled(
        text('then.breachSeverity'),
        `${path}.onBreach.severity`,
        choice(orNothing(severityOptions(state), open), rule.onBreach?.severity ?? '', (value) =>
          onBreach('severity', value),
        ),
      ),
      labelled(
        text('then.breachRole'),
        `${path}.onBreach.escalateTo`,
        choice(orNothing(roleOptions(state), open), rule.onBreach?.escalateTo ?? '', (value) =>
          onBreach('escalateTo', value),
        ),
      ),
    ];
  };

  byId('q2c-policy-rule-add').onclick = () => {
    const rule: CaseRule = { when: {} };
    rules().push(rule);
    chosen = rule;
    state.changed(false);
    draw();
    form.querySelector<HTMLElement>('input')?.focus();
  };
  state.onChange(() => draw());
}
