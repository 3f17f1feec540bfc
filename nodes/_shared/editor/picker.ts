export interface Choice {
  value: string;
  label: string;
}

/** Fills a `<select>`; keeps what is selected if it is still offered, else selects the first choice. */
export function fillPicker(select: JQuery, choices: Choice[], selected: string): void {
  select.empty().append(choices.map(({ value, label }) => $('<option>').val(value).text(label)));
  select.val(choices.some(({ value }) => value === selected) ? selected : (choices[0]?.value ?? ''));
}
