import type { FieldSpec } from '../../lib/systems/kit/types.ts';

/**
 * The form row of a manifest field. Texts are catalogue keys below `key`, so that they can be translated.
 * `shown`, an attribute of the row, tells the script when to show it.
 */
export function fieldRow(spec: FieldSpec, inputId: string, key: string, shown = ''): string {
  return `<div class="form-row"${shown && ` ${shown}`}>
  <label for="${inputId}" data-i18n="${key}.label"></label>
  ${control(spec, inputId, key)}${spec.help ? `\n  <div class="q2c-help" data-i18n="${key}.help"></div>` : ''}
</div>`;
}

/**
 * As `fieldRow`, of a value that may come from the message, the context, the environment or an expression. A text of several
 * lines has a list for that beside it: the editor's typed input has room for one.
 */
export function typedRow(spec: FieldSpec, inputId: string, key: string, shown: string): string {
  const row = fieldRow(spec, inputId, key, shown);
  if (spec.type === 'multiline') return row.replace('<textarea', `${typeList(inputId)}\n  <textarea`);
  const typed = row.replace('<input ', '<input data-q2c-typed style="width: 70%" ');
  return typed.replace(' />', ` />\n  <input type="hidden" id="${inputId}Type" />`);
}

function typeList(inputId: string): string {
  const options = VALUE_TYPES.map(
    ([type, text]) => `<option value="${type}" data-i18n="operation.valueType.${text}"></option>`,
  );
  return `<select id="${inputId}Type" class="q2c-value-type">${options.join('')}</select>`;
}

/** Of `parameterTypes`, with the key of the text: `global` would be taken for the palette's word. */
const VALUE_TYPES = [
  ['str', 'str'],
  ['msg', 'msg'],
  ['flow', 'flow'],
  ['global', 'glob'],
  ['env', 'env'],
  ['jsonata', 'jsonata'],
] as const;

function control(spec: FieldSpec, inputId: string, key: string): string {
  const placeholder = spec.placeholder ? ` data-i18n="[placeholder]${key}.placeholder"` : '';
  if (spec.type === 'select')
    return `<select id="${inputId}" class="q2c-wide">${options(spec, key)}</select>`;
  if (spec.type === 'multiline') {
    const style = spec.secret ? 'q2c-multiline q2c-secret' : 'q2c-multiline';
    return `<textarea id="${inputId}" class="${style}" rows="5" spellcheck="false" autocomplete="off"${placeholder}></textarea>`;
  }
  // Numbers are text fields: `\${NAME}` must be possible everywhere.
  const type = spec.secret ? 'password' : 'text';
  const mode = spec.type === 'number' ? ' inputmode="numeric"' : '';
  return `<input type="${type}" id="${inputId}"${mode} autocomplete="off"${placeholder} />`;
}

function options(spec: FieldSpec, key: string): string {
  const blank = spec.required || spec.default ? '' : '<option value=""></option>';
  const choices = (spec.options ?? []).map(
    ({ value }, index) =>
      `<option value="${escapeAttribute(value)}" data-i18n="${key}.options.${index}"></option>`,
  );
  return blank + choices.join('');
}

export function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
