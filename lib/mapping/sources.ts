import type { DealDocument, JsonValue } from '../model';
import type { JobResult, Tables } from './expressions';
import type { Scope } from './layers';
import { valueAt } from './paths';
import type { Source } from './schema';
import { answerKey, type Work } from './work';

/** Where values come from. */

/** An entry of a lookup table. */
export type Look = (table: string, key: string) => string | undefined;

export const isNothing = (value: JsonValue | undefined): boolean =>
  value === undefined || value === null || value === '';

export function isFailure(result: JobResult): result is Exclude<JobResult, { value?: JsonValue }> {
  return result.error !== undefined || result.lookup !== undefined;
}

/** What a source gives for a record. */
export function fromSource(
  source: Source,
  item: Work,
  deal: DealDocument,
  look: Look,
  answers: ReadonlyMap<string, JobResult>,
): JobResult {
  if (source.kind === 'constant') return { value: source.value };
  if (source.kind === 'jsonata') return answers.get(answerKey(item, source.expression)) ?? {};
  const value = source.path.startsWith('deal.')
    ? valueAt(deal, source.path.slice('deal.'.length))
    : valueAt(item.record, source.path);
  if (source.kind === 'path') return value === undefined ? {} : { value };
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'object')
    return { error: `${source.path} is not a single value, which is what a table can know` };
  const key = String(value);
  const found = look(source.table, key);
  return found === undefined ? { lookup: { table: source.table, key } } : { value: found };
}

/** Entry of the first table of the name that has the key, or the key with a legal entity's short name in it. */
export function entryOf(
  tables: readonly Tables[],
  aliases: Record<string, string>,
  table: string,
  key: string,
): string | undefined {
  const names = [key, ...Object.entries(aliases).map(([id, alias]) => key.replace(id, alias))];
  for (const each of tables) {
    const entries = Object.hasOwn(each, table) ? each[table] : undefined;
    const name = names.find((candidate) => entries !== undefined && Object.hasOwn(entries, candidate));
    if (name !== undefined) return entries?.[name];
  }
  return undefined;
}

/** Under which short names legal entities may stand in the keys of tables. */
export function aliasesOf({ legalEntities: [id, key] }: Scope): Record<string, string> {
  return id === undefined || key === undefined ? {} : { [id]: key };
}
