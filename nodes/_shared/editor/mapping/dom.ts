/** Small helpers to build parts of the form. Texts are set as text: names of customers never become markup. */

type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes (`false` and undefined leave one out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

export interface Option {
  value: string;
  label: string;
}

/** Fills a `<select>` and keeps what is chosen if it is still offered. @returns what is chosen now */
export function fillSelect(
  select: HTMLSelectElement,
  options: readonly Option[],
  chosen = select.value,
): string {
  select.replaceChildren(...options.map(({ value, label }) => element('option', { value }, label)));
  select.value = options.some(({ value }) => value === chosen) ? chosen : (options[0]?.value ?? '');
  return select.value;
}

/** The suggestions of an input. */
export function fillSuggestions(id: string, values: readonly Option[]): void {
  byId(id).replaceChildren(...values.map(({ value, label }) => element('option', { value, label })));
}

/** @throws when the form has no such element: a mistake in form.html */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the form has no #${id}`);
  return found as T;
}

/** The same, but does nothing once the form is closed: answers of the host may come later than that. */
export function whileOpen<A extends unknown[]>(handle: (...values: A) => void): (...values: A) => void {
  const form = document.querySelector('.q2c-whole-form');
  return (...values) => {
    if (form?.isConnected) handle(...values);
  };
}

/** Saves a text as a file of the user. */
export function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Lets the user choose a file and gives its text. */
export function upload(input: HTMLInputElement, use: (text: string, name: string) => void): void {
  input.value = '';
  input.onchange = async () => {
    const file = input.files?.[0];
    if (file) whileOpen(use)(await file.text(), file.name);
  };
  input.click();
}

/**
 * Rows that arrow keys move through: one of them is in the order of the Tab key.
 * @param act what Enter and Delete do with a row
 */
export function moveWithKeys(
  body: HTMLElement,
  act: { enter(row: HTMLElement): void; remove?(row: HTMLElement): void },
): void {
  body.onkeydown = (event) => {
    const row = (event.target as HTMLElement).closest('tr');
    if (row === null || event.target !== row) return;
    const steps: Record<string, Element | null> = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: body.firstElementChild,
      End: body.lastElementChild,
    };
    if (event.key in steps) (steps[event.key] as HTMLElement | null)?.focus();
    else if (event.key === 'Enter') act.enter(row);
    else if (event.key === 'Delete' && act.remove) act.remove(row);
    else return;
    event.preventDefault();
    // The editor's own shortcuts look at the rows around the target, which may be gone by then.
    event.stopPropagation();
  };
}
