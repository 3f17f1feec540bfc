import { SystemError } from './errors';

/** One page of a vendor's list. */
export interface Page<Row, Next> {
  rows: Row[];
  /** Where the next page is (a link, an offset, a page number); null on the last one. */
  next: Next | null;
  /** How many rows the vendor says there are in all pages, if it does. */
  total?: number;
}

export interface PagingOptions<Row, Next> {
  system: string;
  /** Plain name of the list for errors, for example `opportunities`. */
  what: string;
  /** Fetches a page; null asks for the first. */
  fetch: (next: Next | null) => Promise<Page<Row, Next>>;
  /** Identity of a row: with offsets, a row that moved would arrive twice and hide another. */
  idOf?: (row: Row) => string;
}

/**
 * The rows of all pages, in order. Nothing is cut silently.
 *
 * @throws SystemError `SCHEMA_CHANGED` when a vendor's next page is one already read; kind `transient` when rows are
 * missing or repeated, because the list changed while it was read: reading again helps.
 */
export async function* readPages<Row, Next>(
  options: PagingOptions<Row, Next>,
): AsyncGenerator<Row, void, undefined> {
  const { what, fetch, idOf } = options;
  const visited = new Set<string>();
  const seen = new Set<string>();
  let next: Next | null = null;
  let count = 0;
  let total: number | undefined;
  do {
    const page: Page<Row, Next> = await fetch(next);
    for (const row of page.rows) {
      const id = idOf?.(row);
      if (id !== undefined && seen.has(id)) throw unstable(options, `${what} ${id} arrived twice`);
      if (id !== undefined) seen.add(id);
      count += 1;
      yield row;
    }
    total = page.total ?? total;
    next = page.next;
    if (next === null) break;
    const place = JSON.stringify(next);
    if (visited.has(place)) throw loop(options);
    visited.add(place);
  } while (next !== null);
  if (total !== undefined && total !== count) {
    throw unstable(options, `${total} ${what} were announced, but ${count} delivered`);
  }
}

/** As `readPages`, in one array. */
export async function readAllPages<Row, Next>(options: PagingOptions<Row, Next>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readPages(options)) rows.push(row);
  return rows;
}

function loop({ system, what }: { system: string; what: string }): SystemError {
  return new SystemError({
    system,
    kind: 'rejected',
    code: 'SCHEMA_CHANGED',
    reason: `the list of ${what} points back to a page that was already read`,
  });
}

function unstable({ system }: { system: string }, reason: string): SystemError {
  return new SystemError({
    system,
    kind: 'transient',
    reason: `${reason}; the list changed while it was read`,
  });
}
