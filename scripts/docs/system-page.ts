import type { Classification } from '../../lib/model';
import type {
  DuplicateSafety,
  FieldSpec,
  Operation,
  Right,
  SystemManifest,
  SystemModule,
} from '../../lib/systems/kit';

/**
 * The page of a system (`docs/systems/<id>.md`) is written by hand, but for one part between two markers: what the
 * manifest and the operations say already.
 */
const BEGIN = '<!-- Written by npm run docs from lib/systems; do not edit up to the end mark. -->';
const END = '<!-- End of what npm run docs writes. -->';

/** How a repeat is made harmless, in words for an administrator. */
const ONCE: Record<DuplicateSafety, string> = {
  'read-only': 'changes nothing',
  'external-id': 'our key, which the system keeps unique',
  'idempotency-key': 'our key, which the system remembers',
  'probe-first': 'looked for by our key before every create',
};

/** What a classified field holds, in words. */
const MASKED_AS: Record<Classification, string> = {
  tax_id: 'tax registrations',
  bank: 'bank references',
  personal: 'mail addresses and phone numbers of people',
  person_name: 'names of people',
  cost_rate: 'cost rates',
};

/**
 * The page with the given reference in place of the one it has.
 * @throws Error when the page has no markers
 */
export function withReference(page: string, reference: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page needs these two lines:\n${BEGIN}\n${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${reference}\n\n${page.slice(end)}`;
}

/** Operations, events, settings, fields and limits of a system, as Markdown. */
export function systemReference({ manifest, operations }: SystemModule): string {
  return [
    '## Reference',
    '### Operations',
    operationTable(manifest, operations),
    ...parameterLists(manifest),
    '### Business events',
    eventTable(manifest),
    '### Sign-in',
    ...manifest.auth.map(({ label, help, fields }) => `**${label}**: ${help}\n\n${fieldTable(fields)}`),
    '### Settings of a connection',
    fieldTable(manifest.settings),
    '### Rights',
    accessTable(manifest),
    '### Custom fields',
    customFieldTable(manifest),
    '### Masked fields',
    maskedTable(manifest),
    '### Limits',
    limitTable(manifest),
  ].join('\n\n');
}

function operationTable(manifest: SystemManifest, operations: Operation[]): string {
  const rows = operations.map((operation) => {
    const { entity, verb, duplicateSafety, visibleAfterMs, recordType } = operation;
    const texts = manifest.entities[entity]?.operations[verb];
    if (texts === undefined) throw new Error(`${manifest.id}: ${entity}.${verb} is not in the manifest`);
    const writes = duplicateSafety !== 'read-only';
    const delay = visibleAfterMs > 0 ? `; found after ${seconds(visibleAfterMs)} at the latest` : '';
    return [
      `**${texts.label}**<br>\`${entity}.${verb}\``,
      texts.description,
      code(recordType),
      ONCE[duplicateSafety] + delay,
      // An update creates nothing that would have to go.
      writes && verb !== 'update' ? yesNo(operation.compensate) : '–',
      writes ? yesNo(operation.adopt) : '–',
    ];
  });
  return `${table(['operation', 'does', 'record', 'done once by', 'has an undo', 'can be completed by hand'], rows)}

_Has an undo_: cancelling a run calls it; it may leave a record that outlives the deal, such as a customer. _Can be completed by hand_: a
person may name the record that they have made instead.`;
}

function parameterLists({ entities }: SystemManifest): string[] {
  return Object.values(entities)
    .flatMap(({ operations }) => Object.values(operations))
    .flatMap(({ label, parameters = [] }) =>
      parameters.length > 0 ? [`Fields of _${label}_:\n\n${fieldTable(parameters)}`] : [],
    );
}

function eventTable({ events }: SystemManifest): string {
  const rows = Object.entries(events).map(([id, { label, type, description }]) => [
    `**${label}**<br>\`${id}\``,
    code(type),
    description,
  ]);
  return rows.length === 0 ? 'None.' : table(['event', 'type', 'a run starts when'], rows);
}

function fieldTable(fields: FieldSpec[]): string {
  const rows = fields.map(({ label, id, secret, required, default: preset, help, options }) => [
    `**${label}**<br>\`${id}\``,
    [secret && 'secret', required ? 'required' : 'optional'].filter(Boolean).join(', '),
    preset === undefined ? '–' : code(preset),
    [help, options && `One of: ${options.map((option) => option.label).join(', ')}.`]
      .filter(Boolean)
      .join(' '),
  ]);
  return table(['field', 'is', 'default', 'meaning'], rows);
}

const RIGHT_IN_WORDS: Record<Right, string> = { read: 'read', create: 'create', update: 'edit' };

function accessTable({ access }: SystemManifest): string {
  const rows = access.map(({ object, rights, grant, feature, onlyFor }) => [
    code(object),
    rights.map((right) => RIGHT_IN_WORDS[right]).join(', '),
    grant,
    [feature?.name, onlyFor && `only for _${onlyFor}_`].filter(Boolean).join('; ') || '–',
  ]);
  return table(['object', 'rights', 'given at', 'comes with'], rows);
}

function customFieldTable({ customFields }: SystemManifest): string {
  if (customFields.length === 0) return 'None is needed.';
  const rows = customFields.map(({ object, name, typeInWords, purpose, required }) => [
    object,
    code(name),
    typeInWords,
    required ? purpose : `${purpose} (optional)`,
  ]);
  return table(['object', 'field', 'type', 'holds'], rows);
}

function maskedTable({ classifiedFields }: SystemManifest): string {
  const fields = Object.entries(classifiedFields);
  if (fields.length === 0) return 'None of its own, besides those of the canonical model.';
  const classes = [...new Set(fields.map(([, classification]) => classification))].sort();
  const rows = classes.map((wanted) => [
    MASKED_AS[wanted],
    fields.flatMap(([name, classification]) => (classification === wanted ? [code(name)] : [])).join(', '),
  ]);
  return table(['holds', 'fields'], rows);
}

function limitTable({ limits }: SystemManifest): string {
  const rows = Object.entries(limits).map(([environment, { concurrency, requestsPerSecond, timeoutMs }]) => [
    environment,
    String(concurrency),
    requestsPerSecond === undefined ? 'no limit of ours' : String(requestsPerSecond),
    seconds(timeoutMs),
  ]);
  return table(
    ['connection to', 'calls at once', 'calls started per second', 'a call is given up after'],
    rows,
  );
}

/** With columns of equal width, as the formatter wants them. */
function table(head: string[], rows: string[][]): string {
  const lines = [head, ...rows.map((row) => row.map(cell))];
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const line = (cells: string[], filler = ' ') =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  const [first = '', ...others] = lines.map((each) => line(each));
  const rule = line(
    head.map(() => ''),
    '-',
  );
  return [first, rule, ...others].join('\n');
}

/** A bar would end the cell, a line break the row, and what looks like markup would not be seen. */
function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/<(?!br>)/g, '&lt;');
}

function code(text: string): string {
  return `\`${text}\``;
}

function yesNo(part: unknown): string {
  return part === undefined ? 'no' : 'yes';
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
