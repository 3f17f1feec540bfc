import * as z from 'zod';
import { type Collection, type ExternalReference, externalReferences, type Identified } from './collections';

/** A row with the external references that were side-loaded with it. */
export type Referenced<Row> = Row & { references: ExternalReference[] };

export interface Page<Row> {
  rows: Referenced<Row>[];
  /** Rows of the whole answer, over all pages. */
  count: number;
  pageCount: number;
}

/**
 * Kantata's reply: `results` says which objects answer the request and in which order; the maps beside it hold
 * them by id, together with side-loaded objects that do not answer it (fact sheet §2). So membership is read
 * from `results` alone.
 */
const makeEnvelope = <Row extends Identified>(collection: Collection<Row>) =>
  z
    .preprocess(
      (body) => (isObject(body) ? { ...body, objects: body[collection.name] } : body),
      z.object({
        count: z.number().int().nonnegative(),
        meta: z.object({ page_count: z.number().int().nonnegative() }).optional(),
        results: z.array(z.object({ key: z.string(), id: z.string() })),
        objects: z.record(z.string(), collection.row).default({}),
        external_references: z.record(z.string(), externalReferences.row).default({}),
      }),
    )
    .transform(({ count, meta, results, objects, external_references }, context): Page<Row> => {
      const present = <T>(map: Record<string, T>, name: string, id: string): T[] => {
        const entry = map[id];
        if (entry !== undefined) return [entry];
        context.addIssue({ code: 'custom', path: [name, id], message: 'is named but missing' });
        return [];
      };
      const rows = results
        .filter(({ key }) => key === collection.name)
        .flatMap(({ id }) => present(objects, collection.name, id))
        .map((row) => ({
          ...row,
          references: (row.external_reference_ids ?? []).flatMap((id) =>
            present(external_references, externalReferences.name, id),
          ),
        }));
      return { rows, count, pageCount: meta?.page_count ?? 1 };
    });

type Envelope<Row extends Identified> = ReturnType<typeof makeEnvelope<Row>>;

const envelopes = new WeakMap<object, unknown>();

/** Schema of the replies about a collection, made once: making one costs more than reading a page with it. */
export function envelopeOf<Row extends Identified>(collection: Collection<Row>): Envelope<Row> {
  const known = envelopes.get(collection) as Envelope<Row> | undefined;
  const envelope = known ?? makeEnvelope(collection);
  envelopes.set(collection, envelope);
  return envelope;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
