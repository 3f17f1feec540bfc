import * as z from 'zod';
import { type JsonValue, jsonValueSchema, Q2cError, text } from '../model';
import { schemaAt, systemOfTarget } from './fields';
import { pathParts } from './paths';
import { mappedEntityNames } from './records';

/**
 * A mapping set: what a firm maps differently from the shipped connectors. It is versioned data, read as a whole or
 * refused as a whole.
 */

const path = text.refine((value) => pathParts(value) !== null, 'must be names joined by dots');

/** Where a value comes from. Paths begin in the record; `deal.` in front of one reaches the whole deal. */
const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('path'), path }),
  z.strictObject({ kind: z.literal('constant'), value: jsonValueSchema }),
  z.strictObject({ kind: z.literal('jsonata'), expression: text }),
  /** What a lookup table of the rule's system has for the value at a path. */
  z.strictObject({ kind: z.literal('lookup'), table: text, path }),
]);
export type Source = z.infer<typeof sourceSchema>;

/** `read`: after reading from the system. `write`: before writing to it. */
export const directions = ['read', 'write'] as const;
export type Direction = (typeof directions)[number];

export const ruleSchema = z
  .strictObject({
    /** Id of the system on the other side, for example `netsuite`. */
    system: text,
    direction: z.enum(directions),
    entity: z.enum(mappedEntityNames),
    /** Field of the canonical record, or `extensions.<system>.<field>` for a field of the system itself. */
    target: text,
    source: sourceSchema,
    /** Taken when the source has no value. Never in place of a value that a table does not know. */
    default: jsonValueSchema.optional(),
    /** JSONata; the rule counts only where it is true. */
    when: text.optional(),
    /** The deal becomes a case when there is neither a value nor a default. */
    required: z.boolean().optional(),
    /** Why the rule is there. */
    note: z.string().optional(),
  })
  .superRefine(({ entity, target, system, direction }, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', path: ['target'], message });
    if (schemaAt(entity, target) === undefined) {
      issue(`"${target}" is not a field of ${entity} that rules may fill`);
      return;
    }
    const owner = systemOfTarget(target);
    if (owner === undefined) return;
    if (owner !== system || direction !== 'write')
      issue(`"${target}" is a field of ${owner}: only rules that write to ${owner} may fill it`);
    else if (OWN_KEYS.has(target.split('.').at(-1) ?? ''))
      issue(`"${target}" holds the key by which ${owner} recognises our records`);
  });
export type Rule = z.infer<typeof ruleSchema>;

/** Fields by which connectors find again what they have written: other values would make duplicates. */
const OWN_KEYS = new Set(['id', 'externalId', 'external_reference', 'external_references']);

export const measures = ['line_sums', 'tax_groups', 'quantities'] as const;
export type Measure = (typeof measures)[number];

/** What the mapping must leave as it is: a measure, or a sum that must be equal to a total after it. */
const conservedSchema = z.union([z.enum(measures), z.strictObject({ parts: path, total: path })]);
export type Conserved = z.infer<typeof conservedSchema>;

/** Value → the other side's value. */
const tableSchema = z.record(z.string(), z.string().min(1));

export const layerSchema = z.strictObject({
  name: text,
  /** Which deals the layer is for; absent = all. A legal entity by its key in the firm's set-up or by its id. */
  scope: z.strictObject({ legalEntity: text.optional(), region: text.optional() }).optional(),
  rules: z.array(ruleSchema).default([]),
  /** System → table → value → the other side's value. */
  tables: z.record(text, z.record(text, tableSchema)).default({}),
  /** Replaces what layers before it declare; all measures when no layer declares anything. */
  conserves: z.array(conservedSchema).optional(),
});
export type Layer = z.infer<typeof layerSchema>;

export const mappingSetSchema = z
  .strictObject({
    format: z.literal(1),
    /** What people call this version. */
    label: text.max(60),
    /** From the most general to the most particular: a later layer goes before an earlier one. */
    layers: z.array(layerSchema).min(1),
  })
  .superRefine(({ layers }, context) => {
    if (new Set(layers.map(({ name }) => name)).size < layers.length)
      context.addIssue({ code: 'custom', path: ['layers'], message: 'two layers have the same name' });
    for (const [index, { rules }] of layers.entries()) {
      const settled = new Set<string>();
      for (const [position, rule] of rules.entries()) {
        const key = ruleKey(rule);
        if (settled.has(key)) {
          const message = `${rule.entity}.${rule.target} has a rule without condition before this one, which therefore never counts`;
          context.addIssue({ code: 'custom', path: ['layers', index, 'rules', position], message });
        }
        if (rule.when === undefined) settled.add(key);
      }
    }
  });
export type MappingSet = z.infer<typeof mappingSetSchema>;

/** What two rules of which only one can count have in common. */
export const ruleKey = ({
  system,
  direction,
  entity,
  target,
}: Pick<Rule, 'system' | 'direction' | 'entity' | 'target'>) => [system, direction, entity, target].join('|');

/**
 * Reads a mapping set from its JSON text.
 * @throws Q2cError `MAPPING_INVALID` naming every place that is wrong.
 */
export function parseMapping(json: string): MappingSet {
  let value: JsonValue;
  try {
    value = JSON.parse(json) as JsonValue;
  } catch (cause) {
    throw new Q2cError('MAPPING_INVALID', `The mapping set is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const parsed = mappingSetSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`,
  );
  throw new Q2cError('MAPPING_INVALID', `The mapping set is not valid. ${places.join('; ')}.`);
}
