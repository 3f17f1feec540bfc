import type { CustomFieldManifest, ObjectAccess, SystemManifest } from '../../lib/systems/kit/types.ts';
import { tenantFiles } from '../tenant/files.ts';
import { escapeAttribute } from './rows.ts';

/** Where the host serves what the build puts into `resources/`. */
const RESOURCES = 'resources/@quote-to-cash/node-red';

/** The part of a connection's form that says what an administrator has to do in the vendor. */
export function tenantSection(manifest: SystemManifest): string {
  const { id, preparation, access, customFields } = manifest;
  const hasFiles = tenantFiles(manifest).size > 0;
  return `<details class="q2c-tenant">
  <summary id="q2c-tenant-title"></summary>
  <ol>
    ${preparation.map((step) => `<li data-i18n="preparation.${step.id}"></li>`).join('\n    ')}
  </ol>
  ${hasFiles ? `<p><a href="${RESOURCES}/tenant/${id}.zip" download><i class="fa fa-download"></i> <span data-i18n="tenant.metadata"></span></a></p>` : ''}
  ${grid(['tenant.object', 'tenant.rights', 'tenant.grant'], access.map(accessRow))}
  ${customFields.length === 0 ? '' : fieldGrid(customFields)}
</details>`;
}

function fieldGrid(fields: readonly CustomFieldManifest[]): string {
  const all = fields
    .map(({ object, name, typeInWords }) => [object, name, typeInWords].join('\t'))
    .join('\n');
  return `${grid(['tenant.field', 'tenant.type'], fields.map(fieldRow))}
  <button type="button" class="red-ui-button" data-q2c-copy="${escapeAttribute(all)}"><i class="fa fa-clipboard"></i> <span data-i18n="tenant.copyAll"></span></button>`;
}

function grid(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((key) => `<th data-i18n="${key}"></th>`).join('');
  return `<table class="q2c-grid"><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function accessRow({ object, rights, grant }: ObjectAccess): string {
  const words = rights.map((right) => `<span data-i18n="tenant.right.${right}"></span>`).join(', ');
  return `<tr><td>${escapeAttribute(object)}</td><td>${words}</td><td>${escapeAttribute(grant)}</td></tr>`;
}

function fieldRow({ object, name, typeInWords }: CustomFieldManifest): string {
  const copy = `<button type="button" class="red-ui-button red-ui-button-small" data-q2c-copy="${escapeAttribute(name)}" data-i18n="[title]tenant.copy"><i class="fa fa-clipboard"></i></button>`;
  return `<tr><td>${escapeAttribute(object)}.<code>${escapeAttribute(name)}</code> ${copy}</td><td>${escapeAttribute(typeInWords)}</td></tr>`;
}
