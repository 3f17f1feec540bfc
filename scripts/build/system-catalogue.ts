import type { CustomFieldManifest, FieldSpec, SystemManifest } from '../../lib/systems/kit/types.ts';
import type { Catalogue } from './catalogue.ts';
import { connectionFields, parameterFields } from './fields.ts';

/** The texts of a manifest under the keys that the generated forms and help use. */
export function systemCatalogue(manifest: SystemManifest): Catalogue {
  return {
    system: { label: manifest.label },
    scheme: record(manifest.auth, ({ label, help }) => ({ label, help })),
    field: record(
      connectionFields(manifest).map(({ spec }) => spec),
      fieldTexts,
    ),
    parameter: record(parameterFields(manifest), fieldTexts),
    entity: Object.fromEntries(
      Object.entries(manifest.entities).map(([id, { label, operations }]) => {
        const verbs = Object.entries(operations).map(([verb, operation]) => [
          verb,
          { label: operation.label, description: operation.description },
        ]);
        return [id, { label, ...Object.fromEntries(verbs) }];
      }),
    ),
    event: Object.fromEntries(
      Object.entries(manifest.events).map(([id, { label, description }]) => [id, { label, description }]),
    ),
    customField: purposes(manifest.customFields),
    preparation: Object.fromEntries(manifest.preparation.map(({ id, text }) => [id, text])),
  };
}

/** Object → field → what it is for. */
function purposes(fields: CustomFieldManifest[]): Catalogue {
  const objects = Map.groupBy(fields, ({ object }) => object);
  return Object.fromEntries(
    [...objects].map(([object, own]) => [
      object,
      Object.fromEntries(own.map(({ name, purpose }) => [name, purpose])),
    ]),
  );
}

function fieldTexts({ label, help, placeholder, options }: FieldSpec): Catalogue {
  return {
    label,
    ...(help && { help }),
    ...(placeholder && { placeholder }),
    // By position: a value may contain the characters that separate keys.
    ...(options && {
      options: Object.fromEntries(options.map((option, index) => [String(index), option.label])),
    }),
  };
}

function record<T extends { id: string }>(items: T[], texts: (item: T) => Catalogue): Catalogue {
  return Object.fromEntries(items.map((item) => [item.id, texts(item)]));
}
