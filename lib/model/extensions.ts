import * as z from 'zod';
import { Q2cError } from './errors';
import { jsonObjectSchema } from './primitives';

const registered = new Map<string, z.ZodType>();

/**
 * Makes a namespace known whose data entities may carry in `extensions`. What the core model has no field for
 * goes there. Registering the same schema again is harmless.
 *
 * @param namespace lower-case words joined by dots or dashes, for example `acme.travel`.
 * @throws Q2cError `VALUE_INVALID` for another spelling, or a namespace that has another schema already.
 */
export function registerExtension(namespace: string, schema: z.ZodType): void {
  if (!/^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/.test(namespace)) {
    throw new Q2cError(
      'VALUE_INVALID',
      `Extension namespace "${namespace}" must be lower-case words joined by . or -.`,
    );
  }
  const known = registered.get(namespace);
  if (known !== undefined && known !== schema) {
    throw new Q2cError(
      'VALUE_INVALID',
      `Extension namespace "${namespace}" is registered with another schema.`,
    );
  }
  registered.set(namespace, schema);
}

/** Namespaces registered so far, with their schemas. */
export const extensions: ReadonlyMap<string, z.ZodType> = registered;

/** `extensions` of an entity: only registered namespaces, each valid by its own schema. */
export const extensionsSchema = z.record(z.string(), jsonObjectSchema).superRefine((value, context) => {
  for (const [namespace, data] of Object.entries(value)) {
    const schema = registered.get(namespace);
    if (schema === undefined) {
      context.addIssue({
        code: 'custom',
        path: [namespace],
        message: `extension "${namespace}" is not registered`,
      });
      continue;
    }
    for (const issue of schema.safeParse(data).error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: [namespace, ...issue.path], message: issue.message });
    }
  }
});
