import { element, type Option } from '../mapping/dom';

/** Fields of the policy, each with a place beside it that says what is wrong. */

type Field = HTMLInputElement | HTMLSelectElement;

let ids = 0;

/** Where the problem of this place is said. */
export const problemAt = (path: string): HTMLElement =>
  element('span', { class: 'q2c-failed', 'data-q2c-problem': path, role: 'status' });

/** A field, or a group of them, with its name above and its problem below. @param path as `PolicyProblem` has it */
export function labelled(label: string, path: string, control: HTMLElement, wide = false): HTMLElement {
  const number = ++ids;
  const problem = problemAt(path);
  problem.id = `q2c-policy-problem-${number}`;
  control.setAttribute('aria-describedby', problem.id);
  const made = element('div', { class: wide ? 'q2c-wide-row' : undefined });
  if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement) {
    control.id = `q2c-policy-field-${number}`;
    made.append(element('label', { for: control.id }, label));
  } else {
    control.setAttribute('role', 'group');
    control.setAttribute('aria-label', label);
    made.append(element('span', { 'aria-hidden': 'true' }, label));
  }
  made.append(control, problem);
  return made;
}

export function textField(
  value: string,
  set: (value: string) => void,
  attributes: Record<string, string | undefined> = {},
): HTMLInputElement {
  const made = element('input', { type: 'text', spellcheck: 'false', ...attributes });
  made.value = value;
  made.oninput = () => set(made.value.trim());
  return made;
}

/** @param set NaN for what is no number, undefined for nothing */
export function numberField(
  value: number | undefined,
  set: (value: number | undefined) => void,
  attributes: Record<string, string | undefined> = {},
): HTMLInputElement {
  const shown = value === undefined || Number.isNaN(value) ? '' : String(value);
  return textField(shown, (text) => set(text === '' ? undefined : Number(text)), {
    inputmode: 'decimal',
    ...attributes,
  });
}

export function choice(
  options: readonly Option[],
  value: string,
  set: (value: string) => void,
  attributes: Record<string, string | undefined> = {},
): HTMLSelectElement {
  // A value that nobody offers any more stays to be seen.
  const known = options.some((option) => option.value === value);
  const all = known ? options : [...options, { value, label: value }];
  const made = element(
    'select',
    attributes,
    ...all.map((option) => element('option', { value: option.value }, option.label)),
  );
  made.value = value;
  made.onchange = () => set(made.value);
  return made;
}

export function button(
  icon: string,
  title: string,
  act: () => void,
  attributes: Record<string, string | undefined> = {},
): HTMLButtonElement {
  const made = element(
    'button',
    { type: 'button', class: 'red-ui-button red-ui-button-small', title, 'aria-label': title, ...attributes },
    element('i', { class: `fa ${icon}`, 'aria-hidden': 'true' }),
  );
  made.onclick = act;
  return made;
}

interface TagTexts {
  add: string;
  remove: string;
}

/** Several values: each a tag that can be taken away, and a field that adds one. */
export function tags(
  values: readonly string[],
  suggestions: readonly Option[],
  texts: TagTexts,
  set: (values: string[]) => void,
  type: 'text' | 'date' = 'text',
): HTMLElement {
  const box = element('div', { class: 'q2c-tag-box' });
  const listId = `q2c-tags-${++ids}`;
  const names = new Map(suggestions.map(({ value, label }) => [value, label]));

  const draw = (focus: boolean) => {
    const field = element('input', { type, list: listId, 'aria-label': texts.add, placeholder: texts.add });
    const add = () => {
      const value = field.value.trim();
      if (value === '' || current.includes(value)) return;
      current = type === 'date' ? [...current, value].sort() : [...current, value];
      set(current);
      draw(true);
    };
    field.onchange = add;
    field.onkeydown = (event) => {
      if (event.key !== 'Enter') return;
      // Enter would save the form.
      event.preventDefault();
      event.stopPropagation();
      add();
    };
    box.replaceChildren(
      ...current.map((value) => {
        const remove = button('fa-times', `${texts.remove}: ${value}`, () => {
          current = current.filter((each) => each !== value);
          set(current);
          draw(true);
        });
        return element('span', { class: 'q2c-tag', title: names.get(value) }, value, remove);
      }),
      field,
      element(
        'datalist',
        { id: listId },
        ...suggestions.map(({ value, label }) => element('option', { value, label })),
      ),
    );
    if (focus) field.focus();
  };
  let current = [...values];
  draw(false);
  return box;
}

/** Amounts by currency; `*` stands for the others. */
export function amounts(
  values: Readonly<Record<string, string>>,
  texts: TagTexts & { currency: string; amount: string },
  set: (values: Record<string, string>) => void,
): HTMLElement {
  const box = element('div', { class: 'q2c-amounts' });
  const rows = Object.entries(values);
  const tell = () =>
    set(Object.fromEntries(rows.filter(([currency, amount]) => currency !== '' || amount !== '')));
  const draw = () => {
    box.replaceChildren(
      ...rows.map((row, at) =>
        element(
          'div',
          { class: 'q2c-amount' },
          textField(
            row[0],
            (value) => {
              row[0] = value === '*' ? value : value.toUpperCase();
              tell();
            },
            { 'aria-label': texts.currency, placeholder: 'EUR', maxlength: '3' },
          ),
          textField(
            row[1],
            (value) => {
              row[1] = value;
              tell();
            },
            { 'aria-label': texts.amount, placeholder: '50000', inputmode: 'decimal' },
          ),
          button('fa-times', `${texts.remove}: ${row[0]}`, () => {
            rows.splice(at, 1);
            tell();
            draw();
          }),
        ),
      ),
      button('fa-plus', texts.add, () => {
        rows.push(['', '']);
        draw();
        box.querySelector<HTMLElement>('.q2c-amount:last-of-type input')?.focus();
      }),
    );
  };
  draw();
  return box;
}

/** Says beside each field what is wrong with it, and marks it. @returns problems that have no field on screen */
export function showProblems<P extends { path: string }>(
  within: HTMLElement,
  problems: readonly P[],
  inWords: (problem: P) => string,
): P[] {
  const left = new Set(problems);
  for (const place of within.querySelectorAll<HTMLElement>('[data-q2c-problem]')) {
    const found = problems.find(({ path }) => path === place.dataset.q2cProblem);
    place.textContent = found === undefined ? '' : inWords(found);
    for (const field of place.parentElement?.querySelectorAll<Field>('input, select') ?? []) {
      field.classList.toggle('input-error', found !== undefined);
      field.setAttribute('aria-invalid', String(found !== undefined));
    }
    if (found !== undefined) left.delete(found);
  }
  return [...left];
}
