import type { Instant } from '../model';
import { appendAudit } from './audit';
import type { Store } from './store';
import type { MappingVersionRow } from './tables/records';

/** The versions of mapping sets that deals went through: a step names its version, and here is what was in it. */

export interface UsedMapping {
  /** `<label>+<hash>`. */
  version: string;
  /** Node id of the mapping set. */
  setId: string;
  /** The set as JSON text. */
  content: string;
}

/** Keeps a version, with a line of audit, when it is used for the first time. */
export async function recordMappingVersion(
  store: Store,
  { version, setId, content }: UsedMapping,
): Promise<void> {
  const at: Instant = store.now();
  await store.write(async (tx) => {
    const inserted = await tx
      .insertInto('mapping_version')
      .values({ version, set_id: setId, content, first_used_at: at })
      .onConflict((conflict) => conflict.column('version').doNothing())
      .returning('version')
      .execute();
    if (inserted.length === 0) return;
    await appendAudit(tx, {
      at,
      actor: 'engine',
      action: 'mapping.first_used',
      subject: setId,
      runId: null,
      detail: { version },
    });
  });
}

/** Versions of a mapping set, the latest first. */
export const mappingVersions = (
  { db }: Pick<Store, 'db'>,
  setId: string,
  limit: number,
): Promise<MappingVersionRow[]> =>
  db
    .selectFrom('mapping_version')
    .selectAll()
    .where('set_id', '=', setId)
    .orderBy('first_used_at', 'desc')
    .limit(limit)
    .execute();
