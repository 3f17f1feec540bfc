import type { FieldSpec, SystemManifest } from '../../lib/systems/kit/types.ts';

/** A field of the connection form; `schemes` are the authentication schemes that ask for it, null = a setting. */
export interface ConnectionField {
  spec: FieldSpec;
  schemes: string[] | null;
}

/** Fields that every connection has; a manifest that declares a setting of the same id describes it in its own words. */
export const commonFields: FieldSpec[] = [
  { id: 'instance', label: 'instance', help: 'instance', type: 'text' },
  { id: 'concurrency', label: 'concurrency', help: 'concurrency', type: 'number' },
];

/** Fields of the connection form in its order. A field that several schemes ask for is one field, one property. */
export function connectionFields({ settings, auth }: SystemManifest): ConnectionField[] {
  const fields = new Map<string, ConnectionField>();
  for (const { id: scheme, fields: specs } of auth) {
    for (const spec of specs) {
      const known = fields.get(spec.id);
      if (known?.schemes) known.schemes.push(scheme);
      else fields.set(spec.id, { spec, schemes: [scheme] });
    }
  }
  for (const spec of settings) fields.set(spec.id, { spec, schemes: null });
  return [...fields.values()];
}

/** Parameters of all operations. Operations that use the same id share the property. */
export function parameterFields({ entities }: SystemManifest): FieldSpec[] {
  const parameters = Object.values(entities).flatMap(({ operations }) =>
    Object.values(operations).flatMap((operation) => operation.parameters ?? []),
  );
  return [...new Map(parameters.map((spec) => [spec.id, spec])).values()];
}

/** Names that the editor or our own forms use; a manifest's field would overwrite them. */
const taken = {
  editor:
    'id type z wires inputs outputs changed dirty valid validationErrors ports selected icon info label users credentials',
  connection: 'name environment auth',
  operation: 'name connection store firm entity verb input inputType',
};

/** What is wrong with the field ids of a manifest, in words that name the field. */
export function fieldProblems(manifest: SystemManifest): string[] {
  const connection = connectionFields(manifest).map(({ spec }) => spec);
  return [
    ...badIds(connection, `${taken.editor} ${taken.connection}`),
    ...badIds(parameterFields(manifest), `${taken.editor} ${taken.operation}`),
    ...typeClashes(parameterFields(manifest)),
    ...clashes([...manifest.auth.flatMap(({ fields }) => fields), ...manifest.settings]),
    ...clashes(
      Object.values(manifest.entities).flatMap(({ operations }) =>
        Object.values(operations).flatMap((operation) => operation.parameters ?? []),
      ),
    ),
  ];
}

function badIds(specs: FieldSpec[], reserved: string): string[] {
  const names = new Set(reserved.split(' '));
  return specs
    .filter(({ id }) => names.has(id) || !/^[a-z][A-Za-z0-9]+$/.test(id))
    .map(({ id }) => `field id '${id}' is reserved or not a camel-case word of two letters and more`);
}

/** The type of a parameter's value is a property of its own, `<id>Type`. */
function typeClashes(parameters: FieldSpec[]): string[] {
  const ids = new Set(parameters.map(({ id }) => id));
  return parameters
    .filter(({ id }) => ids.has(`${id}Type`))
    .map(({ id }) => `field id '${id}Type' is reserved for the type of '${id}'`);
}

/** Fields of one id are one property of the node, so they must agree on what that property is. */
function clashes(specs: FieldSpec[]): string[] {
  const first = new Map<string, FieldSpec>();
  return specs.flatMap((spec) => {
    const known = first.get(spec.id);
    if (!known) first.set(spec.id, spec);
    const same =
      !known || (known.type === spec.type && !known.secret === !spec.secret && known.label === spec.label);
    return same ? [] : [`field '${spec.id}' is declared twice with different type, secrecy or label`];
  });
}
