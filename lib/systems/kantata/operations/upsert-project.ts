import type { JsonObject } from '../../../model';
import { defineOperation } from '../../kit';
import type { KantataClient } from '../client';
import { workspaces } from '../collections';
import { createMissing, findOwned } from '../references';
import { projectOperation } from './create-project';

/** Facts of the sale. Everything else of a project that is there belongs to those who deliver it (guides §7). */
const FACTS_OF_THE_SALE = ['title', 'description', 'price'] as const;

/**
 * Creates the project, or brings the one that carries our id up to what is sold. Its dates, tasks and
 * rates stay as the PSA has them, and no template is applied a second time: Kantata would insert its tasks again (fact
 * sheet §3).
 */
export const upsertProject = defineOperation({
  ...projectOperation,
  verb: 'upsert',
  duplicateSafety: 'external-id',

  async call(client: KantataClient, [planned], { signal }) {
    if (planned === undefined) return [];
    const found = await findOwned(client, workspaces, [planned.canonicalId], signal);
    const existing = found.get(planned.canonicalId);
    if (existing === undefined) return createMissing(client, workspaces, [planned], found, signal);
    await client.updateIfPresent(workspaces, existing.id, factsOf(planned.body), signal);
    return [existing];
  },
});

const factsOf = (body: JsonObject): JsonObject =>
  Object.fromEntries(
    FACTS_OF_THE_SALE.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])),
  );
