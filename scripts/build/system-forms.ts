import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemManifest } from '../../lib/systems/kit/types.ts';
import { type ConnectionField, commonFields, connectionFields, parameterFields } from './fields.ts';
import { bundleEditor, type Form, setHtml } from './html.ts';
import { fieldRow, typedRow } from './rows.ts';
import type { SystemSet } from './sources.ts';
import { hasEvents, systemEditor } from './system-editor.ts';
import { tenantSection } from './system-tenant.ts';

/** The editor's file of a generated set: the forms of `nodes/_system` filled with the manifest's fields. */
export async function systemHtml(root: string, { name, manifest }: SystemSet): Promise<string> {
  const forms: Form[] = [
    { type: `${name}-connection`, body: await connectionForm(root, manifest) },
    { type: name, body: await operationForm(root, manifest) },
  ];
  if (hasEvents(manifest)) forms.push({ type: `${name}-events`, body: await form(root, 'events', {}) });
  const contents = systemEditor(name, manifest);
  return setHtml(
    root,
    forms,
    await bundleEditor(root, { stdin: { contents, resolveDir: root, loader: 'ts' } }),
  );
}

/** A form of `nodes/_system` with its `{{slots}}` filled. */
async function form(root: string, node: string, slots: Record<string, string>): Promise<string> {
  const template = await readFile(join(root, 'nodes/_system', node, 'form.html'), 'utf8');
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => {
    const text = slots[slot];
    if (text === undefined)
      throw new Error(`nodes/_system/${node}/form.html: nothing fills the slot {{${slot}}}`);
    return text;
  });
}

function connectionForm(root: string, manifest: SystemManifest): Promise<string> {
  const fields = connectionFields(manifest);
  const described = new Set(fields.map(({ spec }) => spec.id));
  const common = commonFields.filter(({ id }) => !described.has(id));
  return form(root, 'connection', {
    schemes: lines(
      manifest.auth,
      ({ id }) => `<option value="${id}" data-i18n="scheme.${id}.label"></option>`,
    ),
    authentication: lines(
      fields.filter(({ schemes }) => schemes !== null),
      connectionRow,
    ),
    settings: lines(
      fields.filter(({ schemes }) => schemes === null),
      connectionRow,
    ),
    tenant: tenantSection(manifest),
    common: lines(common, (spec) => fieldRow(spec, `node-config-input-${spec.id}`, `connection.${spec.id}`)),
  });
}

function connectionRow({ spec, schemes }: ConnectionField): string {
  const shown = schemes ? `data-q2c-schemes="${schemes.join(' ')}"` : undefined;
  return fieldRow(spec, `node-config-input-${spec.id}`, `field.${spec.id}`, shown);
}

function operationForm(root: string, manifest: SystemManifest): Promise<string> {
  const row = (spec: (typeof parameters)[number]) => {
    const shown = `data-q2c-operations="${operationsWith(manifest, spec.id).join(' ')}"`;
    return typedRow(spec, `node-input-${spec.id}`, `parameter.${spec.id}`, shown);
  };
  const parameters = parameterFields(manifest);
  return form(root, 'operation', { parameters: lines(parameters, row) });
}

/** `entity.verb` of the operations that have the parameter. */
function operationsWith({ entities }: SystemManifest, parameter: string): string[] {
  return Object.entries(entities).flatMap(([entity, { operations }]) =>
    Object.entries(operations)
      .filter(([, { parameters }]) => parameters?.some(({ id }) => id === parameter))
      .map(([verb]) => `${entity}.${verb}`),
  );
}

function lines<T>(items: T[], line: (item: T) => string): string {
  return items.map(line).join('\n');
}
