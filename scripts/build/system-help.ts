import type {
  CustomFieldManifest,
  FieldSpec,
  ObjectAccess,
  SystemManifest,
} from '../../lib/systems/kit/types.ts';
import { type Catalogue, requireText } from './catalogue.ts';
import { hasEvents } from './system-editor.ts';

/**
 * Fills the help template of a language with what a manifest declares. `{{name}}` is replaced; a help text
 * whose type the system does not have is left out.
 *
 * @param texts what the manifest says, in that language
 * @param words of `_help.json`: what stands between those texts
 * @throws when a slot has no filling, or a text is missing
 */
export function systemHelp(
  template: string,
  manifest: SystemManifest,
  texts: Catalogue,
  words: Catalogue,
): string {
  const slots: Record<string, () => string> = {
    id: () => manifest.id,
    label: () => manifest.label,
    ...listSlots(manifest, new Writer(texts, words)),
  };
  const filled = template.replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => {
    const fill = slots[slot];
    if (fill === undefined) throw new Error(`help of the systems: nothing fills the slot {{${slot}}}`);
    return fill();
  });
  const eventsHelp = new RegExp(
    `<script[^>]*data-help-name="q2c-${manifest.id}-events">[\\s\\S]*?</script>\\n?`,
  );
  return hasEvents(manifest) ? filled : filled.replace(eventsHelp, '');
}

function listSlots(manifest: SystemManifest, write: Writer): Record<string, () => string> {
  const { auth, settings, entities, events, access, customFields, preparation } = manifest;
  const operations = Object.entries(entities).flatMap(([entity, { operations: verbs }]) =>
    Object.keys(verbs).map((verb) => `entity.${entity}.${verb}`),
  );
  return {
    schemes: () =>
      auth.map(({ id, fields }) => `${write.scheme(id)}\n\n${write.fields(fields)}`).join('\n\n'),
    settings: () => write.fields(settings),
    operations: () =>
      operations
        .map((key) => write.item(`**${write.text(`${key}.label`)}**`, `${key}.description`))
        .join('\n'),
    events: () =>
      Object.entries(events)
        .map(([id, { type }]) => write.event(id, type))
        .join('\n'),
    preparation: () =>
      preparation.map(({ id }, index) => `${index + 1}. ${write.text(`preparation.${id}`)}`).join('\n'),
    access: () => access.map((each) => write.access(each)).join('\n'),
    customFields: () =>
      customFields.map((field) => write.customField(field)).join('\n') || write.word('none'),
  };
}

/** Lines of Markdown in one language. */
class Writer {
  private readonly texts: Catalogue;
  private readonly words: Catalogue;

  constructor(texts: Catalogue, words: Catalogue) {
    this.texts = texts;
    this.words = words;
  }

  text(key: string): string {
    return requireText(this.texts, key);
  }

  word(key: string): string {
    return requireText(this.words, key);
  }

  private filled(key: string, values: Record<string, string>): string {
    return this.word(key).replaceAll(/__(\w+?)__/g, (_, name: string) => values[name] ?? '');
  }

  item(name: string, description: string): string {
    return `- ${name}${this.word('colon')}${this.text(description)}`;
  }

  scheme(id: string): string {
    return `**${this.text(`scheme.${id}.label`)}**${this.word('colon')}${this.text(`scheme.${id}.help`)}`;
  }

  event(id: string, type: string): string {
    return this.item(`**${this.text(`event.${id}.label`)}** (\`${type}\`)`, `event.${id}.description`);
  }

  fields(specs: FieldSpec[]): string {
    return specs
      .map(({ id, required, help }) => {
        const name = `**${this.text(`field.${id}.label`)}**${required ? '' : this.word('optional')}`;
        return help ? this.item(name, `field.${id}.help`) : `- ${name}`;
      })
      .join('\n');
  }

  access({ object, rights, grant }: ObjectAccess): string {
    const words = rights.map((right) => this.word(`right.${right}`)).join(this.word('and'));
    return `- ${this.filled('access', { object, rights: words, grant })}`;
  }

  customField({ object, name, typeInWords }: CustomFieldManifest): string {
    const head = this.filled('customField', { object, name, type: typeInWords });
    return this.item(head, `customField.${object}.${name}`);
  }
}
