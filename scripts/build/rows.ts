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
