import * as z from 'zod';
import type { JsonValue } from '../../model';
import { component } from '../route';

/** What the schemas of replies and requests have in common. */

/** A record in ISO-8601 UTC with milliseconds. */
export const instant = z.iso.datetime().meta({ description: 'Instant in UTC' });
/** Any JSON; what comes or goes as JSON need not be checked for being so. */
export const json = z.custom<JsonValue>((value) => value !== undefined);

export const money = component(
  'Money',
  z.object({
    amount: z.string().meta({ description: 'Decimal number' }),
    currency: z.string().meta({ description: 'ISO 4217' }),
  }),
);

export const failure = z.object({ code: z.string(), message: z.string() });

export const runState = component(
  'RunState',
  z.enum([
    'parked',
    'queued',
    'running',
    'waiting',
    'completed',
    'failed',
    'superseded',
    'cancelling',
    'cancelled',
  ]),
);

export const stepState = component(
  'StepState',
  z.enum(['intent', 'confirmed', 'rejected', 'unknown', 'failed', 'skipped', 'undone']),
);

/** One page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'Cursor of the next page; null = this is the last one' }),
  });

export const done = z.object({});

/** Query parameters of every list. */
export const paged = {
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional().meta({ description: '`next` of the page before, of the same list' }),
};

/** Names of the fields that were masked in a reply, as paths with dots; empty = nothing was. */
export const masked = z
  .array(z.string())
  .meta({ description: 'Paths of what is masked; ask with `unmask=true` to see it' });
