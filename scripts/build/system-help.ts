import type { FieldSpec, SystemManifest } from '../../lib/systems/kit/types.ts';
import { hasEvents } from './system-editor.ts';

/**
 * Fills the help template of a language with what a manifest declares. `{{name}}` is replaced; a help text
 * whose type the system does not have is left out.
 */
export function systemHelp(template: string, manifest: SystemManifest): string {
  const slots: Record<string, string> = {
    id: manifest.id,
    label: manifest.label,
    schemes: manifest.auth
      .map(({ label, help, fields }) => `**${label}**. ${help}\n\n${properties(fields)}`)
      .join('\n\n'),
    settings: properties(manifest.settings),
    operations: operations(manifest),
    events: Object.values(manifest.events)
      .map(({ label, description, type }) => `- **${label}** (\`${type}\`): ${description}`)
      .join('\n'),
    customFields: customFields(manifest),
  };
  const filled = template.replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => {
    const text = slots[slot];
    if (text === undefined) throw new Error(`help of the systems: nothing fills the slot {{${slot}}}`);
    return text;
  });
  const eventsHelp = new RegExp(
    `<script[^>]*data-help-name="q2c-${manifest.id}-events">[\\s\\S]*?</script>\\n?`,
  );
  return hasEvents(manifest) ? filled : filled.replace(eventsHelp, '');
}

function properties(fields: FieldSpec[]): string {
  return fields
    .map(({ label, required, help }) => {
      const name = required ? `**${label}**` : `**${label}** (optional)`;
      return help ? `- ${name}: ${help}` : `- ${name}`;
    })
    .join('\n');
}

function operations({ entities }: SystemManifest): string {
  return Object.values(entities)
    .flatMap(({ operations: verbs }) => Object.values(verbs))
    .map(({ label, description }) => `- **${label}**: ${description}`)
    .join('\n');
}

function customFields({ customFields: fields }: SystemManifest): string {
  if (fields.length === 0) return 'none';
  return fields
    .map(({ object, name, type, purpose }) => `- \`${name}\` of ${object} (${type}): ${purpose}`)
    .join('\n');
}
