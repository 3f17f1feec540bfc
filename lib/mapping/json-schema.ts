import * as z from 'zod';
import { mappingSetSchema } from './schema';

/**
 * The format of a mapping set as JSON Schema (draft 2020-12), for programs that write one. Which fields there are, and
 * that rules do not stand in each other's way, only zod checks.
 */
export function mappingJsonSchema(): z.core.JSONSchema.JSONSchema {
  const { $schema, ...body } = z.toJSONSchema(mappingSetSchema, { target: 'draft-2020-12', io: 'input' });
  return { $schema, $id: 'urn:q2c:schema:mappingSet', title: 'mapping set', ...body };
}
