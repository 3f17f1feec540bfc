import { z } from 'zod';
import type { JsonValue } from '../../model';
import { type Collection, type ExternalReference, externalReferences } from './collections';

/**
 * Kantata's reply: `results` says which objects answer the request and in which order; the maps beside it hold
 * them by id, together with side-loaded objects that do not answer it (fact sheet §2). So membership is read
 * from `results` alone.
 */
const envelope = z.looseObject({
  count: z.number().int().nonnegative(),
  meta: z.looseObject({ page_count: z.number().int().nonnegative() }).optional(),
  results: z.array(z.object({ key: z.string(), id: z.string() })),
});

export type Referenced<Row> = Row & { references: ExternalReference[] };

export interface Page<Row> {
  rows: Referenced<Row>[];
  /** Rows of the whole answer, over all pages. */
  count: number;
  pageCount: number;
}

/**
 * Reads one page of `collection`; every row with the external references that were side-loaded with it.
 * @throws Error saying what is wrong with the reply.
 */
export function readEnvelope<Row extends { id: string }>(body: JsonValue, collection: Collection<Row>): Page<Row> {
  const head = parse(envelope, body, 'the reply');
  const ids = head.results.filter((result) => result.key === collection.name).map((result) => result.id);
  return {
    rows: ids.map((id) => readRow(head, collection, id)),
    count: head.count,
    pageCount: head.meta?.page_count ?? 1,
  };
}

function readRow<Row extends { id: string }>(head: z.infer<typeof envelope>, collection: Collection<Row>, id: string): Referenced<Row> {
  const where = `${collection.name} ${id}`;
  const raw = entryOf(head, collection.name, id);
  const referenceIds = parse(z.looseObject({ external_reference_ids: z.array(z.string()).optional() }), raw, where);
  const references = (referenceIds.external_reference_ids ?? []).map((referenceId) =>
    parse(
      externalReferences.row,
      entryOf(head, externalReferences.name, referenceId),
      `${externalReferences.name} ${referenceId}`,
    ),
  );
  return { ...parse(collection.row, raw, where), references };
}

const entryOf = (head: z.infer<typeof envelope>, name: string, id: string): unknown =>
  z.record(z.string(), z.unknown()).safeParse(head[name]).data?.[id];

function parse<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const issue = error.issues[0];
  throw new Error(`${[where, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not valid'}`);
}
