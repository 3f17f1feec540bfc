import * as z from 'zod';

/**
 * `personal`: how to reach a contact or an employee; `person_name`: who they are, which a case about them has to say;
 * `cost_rate`: what a person costs, and so what they earn.
 */
export type Classification = 'tax_id' | 'bank' | 'personal' | 'person_name' | 'cost_rate';

const classifications = z.registry<{ classification: Classification }>();

/** The schema, of a field that only some people may see (guides §13). */
export function classified<S extends z.ZodType>(classification: Classification, schema: S): S {
  const own = schema.clone();
  classifications.add(own, { classification });
  return own;
}

export const classificationOf = (schema: z.ZodType): Classification | undefined =>
  classifications.get(schema)?.classification;
