import type { Insertable } from 'kysely';
import type { CanonicalId, Instant, JsonObject } from '../model';
import { normaliseName } from '../model';
import { lock, type Schema, type Store, type Tx } from '../store';

/**
 * What deals are found by: words of their names, numbers and ids of their records in every system. It is read from the
 * runs and the audit, some way behind them, so that no step of a run pays for it; nothing is read while nobody searches.
 */

/** How far runs and the audit have been read. */
interface Progress {
  run: number;
  audit: number;
}

/** Under which the progress is kept. */
const CURSOR = 'q2c/deal-index';

/** Rows of one pass: some milliseconds. */
const PASS = 1_000;
/** Pause between passes in the background, for whatever else the host does. */
const PAUSE_MS = 20;
const CHUNK = 200;

/** Runs are not numbered in the order in which they are committed: that many are looked at again. */
const OVERLAP = 200;

/** Members of a step's evidence that people know its record by. */
const NUMBERS = ['number', 'code', 'tranId'];

type Term = Insertable<Schema['deal_term']>;

export class DealIndex {
  private passing: Promise<boolean> | null = null;
  private following = false;
  private stopped = false;

  constructor(
    private readonly store: Store,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /**
   * Reads on, for a moment; what is left then is read in the background.
   * @returns false while there is something left
   */
  async catchUp(): Promise<boolean> {
    const isDone = await this.pass();
    if (!isDone && !this.following) {
      this.following = true;
      this.follow()
        .catch(this.onFailure)
        .finally(() => {
          this.following = false;
        });
    }
    return isDone;
  }

  stop(): void {
    this.stopped = true;
  }

  private async follow(): Promise<void> {
    while (!this.stopped && !(await this.pass())) {
      await new Promise((done) => setTimeout(done, PAUSE_MS).unref());
    }
  }

  /** Passes follow each other: two at a time would read the same rows. */
  private pass(): Promise<boolean> {
    this.passing ??= this.passOnce().finally(() => {
      this.passing = null;
    });
    return this.passing;
  }

  private async passOnce(): Promise<boolean> {
    const { db } = this.store;
    const known = await progressOf(db);
    const runs = await db
      .selectFrom('run')
      .select(['seq', 'id', 'correlation_id', 'title'])
      .where('seq', '>', Math.max(0, known.run - OVERLAP))
      .orderBy('seq')
      .limit(PASS + OVERLAP)
      .execute();
    // A stretch of the audit, whatever is in it: of old lines the runs may be gone.
    const upTo = Math.min(known.audit + PASS, await lastLine(db));
    const lines = await db
      .selectFrom('audit')
      .innerJoin('run', 'run.id', 'audit.run_id')
      .select(['audit.subject', 'audit.detail', 'run.correlation_id'])
      .where('audit.seq', '>', known.audit)
      .where('audit.seq', '<=', upTo)
      .where('audit.action', '=', 'step.confirmed')
      .execute();
    const progress = { run: Math.max(known.run, runs.at(-1)?.seq ?? 0), audit: Math.max(known.audit, upTo) };
    if (progress.run === known.run && progress.audit === known.audit) return true;
    const terms = new Map<string, Term>();
    for (const { correlation_id, id, title } of runs) {
      for (const word of wordsOf(title))
        add(terms, { term: word, correlation_id, kind: 'name', system: null });
      for (const each of [id, correlation_id]) {
        add(terms, { term: each.toLowerCase(), correlation_id, kind: 'id', system: null });
      }
    }
    for (const { correlation_id, subject, detail } of lines) {
      for (const term of termsOf(correlation_id, subject, JSON.parse(detail) as JsonObject)) add(terms, term);
    }
    await this.store.write(
      (tx) => this.save(tx, [...terms.values()], progress, this.store.now()),
      'committed',
    );
    return runs.length < PASS + OVERLAP && upTo < known.audit + PASS;
  }

  private async save(tx: Tx, terms: readonly Term[], progress: Progress, at: Instant): Promise<void> {
    await lock(tx, CURSOR);
    for (let from = 0; from < terms.length; from += CHUNK) {
      await tx
        .insertInto('deal_term')
        .values(terms.slice(from, from + CHUNK))
        .onConflict((conflict) => conflict.columns(['term', 'correlation_id']).doNothing())
        .execute();
    }
    // Another host may have come further.
    const known = await progressOf(tx);
    const value = JSON.stringify({
      run: Math.max(known.run, progress.run),
      audit: Math.max(known.audit, progress.audit),
    });
    await tx
      .insertInto('cursor')
      .values({ source: CURSOR, value, updated_at: at })
      .onConflict((conflict) => conflict.column('source').doUpdateSet({ value, updated_at: at }))
      .execute();
  }
}

async function progressOf(tx: Tx): Promise<Progress> {
  const row = await tx.selectFrom('cursor').select('value').where('source', '=', CURSOR).executeTakeFirst();
  return row === undefined ? { run: 0, audit: 0 } : (JSON.parse(row.value) as Progress);
}

async function lastLine(db: Tx): Promise<number> {
  const row = await db.selectFrom('audit').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

function add(terms: Map<string, Term>, term: Term): void {
  const key = `${term.term}|${term.correlation_id}`;
  if (term.term.length > 0 && !terms.has(key)) terms.set(key, term);
}

function termsOf(correlationId: CanonicalId, subject: string, detail: JsonObject): Term[] {
  const system = typeof detail.system === 'string' ? detail.system : null;
  const of = (kind: Term['kind'], text: string): Term => ({
    term: text.toLowerCase(),
    correlation_id: correlationId,
    kind,
    system,
  });
  const terms: Term[] = [{ ...of('id', subject), system: null }];
  for (const ref of Array.isArray(detail.refs) ? detail.refs : []) {
    terms.push(of('external_id', String(ref).slice(String(ref).indexOf('/') + 1)));
  }
  const evidence = (typeof detail.evidence === 'object' && detail.evidence) || {};
  for (const [name, value] of Object.entries(evidence)) {
    if (NUMBERS.includes(name) && typeof value === 'string' && value !== '') terms.push(of('number', value));
  }
  return terms;
}

/** Words of a name as they are compared: no case, accents or punctuation. */
export const wordsOf = (name: string): string[] => [
  ...new Set(
    normaliseName(name)
      .split(' ')
      .filter((word) => word !== ''),
  ),
];

export interface Match {
  correlationId: CanonicalId;
  by: 'name' | 'number' | 'external_id' | 'id';
  value: string;
  system: string | null;
}

/** Deals of one search; nobody pages through more. */
const MOST = 500;

/**
 * Deals that a text stands for: an id or number in any system, by its beginning, or words that begin words of the name,
 * all of them. Ids and numbers come first.
 */
export async function findDeals(db: Tx, text: string): Promise<Match[]> {
  const whole = text.trim().toLowerCase();
  const exact = await beginningWith(db, whole)
    .where('kind', '!=', 'name')
    .orderBy('term')
    .limit(MOST)
    .execute();
  const found = new Map<CanonicalId, Match>();
  for (const row of exact) {
    if (found.has(row.correlation_id)) continue;
    found.set(row.correlation_id, {
      correlationId: row.correlation_id,
      by: row.kind,
      value: row.term,
      system: row.system,
    });
  }
  // The longest word leads: the fewest deals have it.
  const [first, ...others] = wordsOf(text).sort((a, b) => b.length - a.length);
  if (first === undefined) return [...found.values()];
  let query = beginningWith(db, first).where('kind', '=', 'name').limit(MOST);
  for (const word of others) {
    query = query.where((term) =>
      term.exists(
        term
          .selectFrom('deal_term as other')
          .select('other.term')
          .whereRef('other.correlation_id', '=', 'deal_term.correlation_id')
          .where('other.term', '>=', word)
          .where('other.term', '<', after(word)),
      ),
    );
  }
  for (const { correlation_id: correlationId } of await query.execute()) {
    if (!found.has(correlationId))
      found.set(correlationId, { correlationId, by: 'name', value: text, system: null });
  }
  return [...found.values()];
}

const beginningWith = (db: Tx, text: string) =>
  db.selectFrom('deal_term').selectAll().where('term', '>=', text).where('term', '<', after(text));

/** Comes right after every text that begins with this one. */
const after = (text: string): string => `${text}\u{10ffff}`;
