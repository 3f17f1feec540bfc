import type { SimRecord, SimRequest } from '../kit/types';
import { badRequest } from './errors';
import type { Org } from './org';
import { attributes, type RecordBody } from './render';
import { type ChildRelationship, childrenOf, type Field, objectNamed, type SObject } from './schema';
import type { Query, Selection } from './soql/ast';
import { queriedObject, resolvePath } from './soql/fields';
import { parseSoql } from './soql/parser';
import { selectRecords } from './soql/select';

const MAX_PAGE = 2000;
const MIN_PAGE = 200;
/** A user keeps this many cursors; opening one more closes the one unused for longest. */
const OPEN_CURSORS = 10;
/** Internal record type of the cursors. */
const CURSOR = '_QueryCursor';

/** Answer of a query or of one of its further pages. */
export interface QueryPage {
  totalSize: number;
  done: boolean;
  nextRecordsUrl?: string;
  records: RecordBody[];
}

/**
 * `GET /query?q=` and `/queryAll?q=`.
 * @throws ApiError 400 `MALFORMED_QUERY`, `INVALID_FIELD`, `INVALID_TYPE`
 */
export function runQuery(org: Org, version: string, request: SimRequest, withDeleted: boolean): QueryPage {
  const soql = request.query.get('q');
  if (!soql) throw badRequest('MALFORMED_QUERY', 'unexpected token: <EOF>');
  const query = parseSoql(soql, new Date(org.context.now()).toISOString().slice(0, 10));
  const object = queriedObject(org, query.from);
  const found = selectRecords(org, query, object, withDeleted);
  if (query.isCount) return { totalSize: found.length, done: true, records: [] };
  const render = compileSelection(org, version, object, query.select);
  const pageSize = pageSizeOf(request, org, found.length);
  return page(
    org,
    version,
    { object, select: query.select, ids: found.map((record) => record.id), pageSize },
    found,
    render,
  );
}

/**
 * `GET /query/{locator}`: a further page.
 * @throws ApiError 400 `INVALID_QUERY_LOCATOR` when the cursor is closed or unknown.
 */
export function nextPage(org: Org, version: string, locator: string): QueryPage {
  const [, id = '', offsetText = ''] = /^(01g\w{12,15})-(\d+)$/.exec(locator) ?? [];
  const cursor = org.context.db.get(CURSOR, id);
  const offset = Number(offsetText);
  if (!cursor) throw badRequest('INVALID_QUERY_LOCATOR', 'invalid query locator');
  const { object: name, select, ids, pageSize } = cursorData(cursor);
  if (offset >= ids.length) throw badRequest('INVALID_QUERY_LOCATOR', 'invalid query locator');
  org.context.db.update(CURSOR, id, { ...cursor.data });
  const object = objectNamed(name);
  const render = compileSelection(org, version, object, select);
  const end = offset + pageSize;
  // A cursor holds what the query found, also what was deleted since.
  const all = new Map(org.context.db.list(name, { deleted: true }).map((record) => [record.id, record]));
  const bodies = ids.slice(offset, end).flatMap((recordId) => {
    const record = all.get(recordId);
    return record ? [render(record)] : [];
  });
  const isLast = end >= ids.length;
  return {
    totalSize: ids.length,
    done: isLast,
    ...(isLast ? {} : { nextRecordsUrl: locatorUrl(version, id, end) }),
    records: bodies,
  };
}

/** Closes all cursors, as two days without use do: the next page answers `INVALID_QUERY_LOCATOR`. */
export function closeCursors(org: Org): number {
  const cursors = org.context.db.list(CURSOR);
  for (const cursor of cursors) org.context.db.remove(CURSOR, cursor.id);
  return cursors.length;
}

interface Cursor {
  object: string;
  select: readonly Selection[];
  ids: readonly string[];
  pageSize: number;
}

function page(
  org: Org,
  version: string,
  cursor: Omit<Cursor, 'object'> & { object: SObject },
  found: readonly SimRecord[],
  render: (record: SimRecord) => RecordBody,
): QueryPage {
  const { pageSize, ids } = cursor;
  const records = found.slice(0, pageSize).map(render);
  if (ids.length <= pageSize) return { totalSize: ids.length, done: true, records };
  const id = openCursor(org, { ...cursor, object: cursor.object.name });
  return { totalSize: ids.length, done: false, nextRecordsUrl: locatorUrl(version, id, pageSize), records };
}

function openCursor(org: Org, cursor: Cursor): string {
  const { db } = org.context;
  const open = db.list(CURSOR).sort((a, b) => a.modified - b.modified);
  for (const oldest of open.slice(0, Math.max(0, open.length - OPEN_CURSORS + 1)))
    db.remove(CURSOR, oldest.id);
  const id = `01gQ2${String(db.next('cursor')).padStart(10, '0')}`;
  db.insert(CURSOR, id, { ...cursor });
  return id;
}

function cursorData(record: SimRecord): Cursor {
  // Written by openCursor only; the store gives back what it was given.
  const { object, select, ids, pageSize } = record.data;
  return { object, select, ids, pageSize } as Cursor;
}

function locatorUrl(version: string, id: string, offset: number): string {
  return `/services/data/v${version}/query/${id}-${offset}`;
}

/** `Sforce-Query-Options: batchSize=N` is a hint between 200 and 2000; a partial page is half of what there is. */
function pageSizeOf(request: SimRequest, org: Org, total: number): number {
  const hint = /batchSize\s*=\s*(\d+)/i.exec(request.headers['sforce-query-options'] ?? '')?.[1];
  const size = Math.min(MAX_PAGE, Math.max(MIN_PAGE, Number(hint ?? MAX_PAGE)));
  return org.context.partialPage ? Math.min(size, Math.max(1, Math.ceil(total / 2))) : size;
}

type Column =
  | { kind: 'field'; field: Field }
  | { kind: 'parent'; lookup: Field; object: SObject; columns: Map<string, Column> }
  | {
      kind: 'children';
      relationship: ChildRelationship;
      query: Query;
      render: (record: SimRecord) => RecordBody;
    };

/** @throws ApiError 400 for unknown fields and relationships, and for a field named twice. */
function compileSelection(
  org: Org,
  version: string,
  object: SObject,
  select: readonly Selection[],
): (record: SimRecord) => RecordBody {
  const columns = new Map<string, Column>();
  for (const selection of select) {
    if (selection.kind === 'field') addField(org, columns, object, selection.path);
    else addChildren(org, version, columns, object, selection.query);
  }
  return (record) => renderRow(org, version, object, columns, record);
}

function addField(org: Org, columns: Map<string, Column>, object: SObject, path: readonly string[]): void {
  const { lookups, field } = resolvePath(org, object, path);
  let level = columns;
  for (const { field: lookup, parent } of lookups) {
    const name = lookup.relationshipName ?? lookup.name;
    let column = level.get(name);
    if (column?.kind !== 'parent') {
      column = { kind: 'parent', lookup, object: parent, columns: new Map() };
      level.set(name, column);
    }
    level = column.columns;
  }
  if (level.has(field.name)) throw badRequest('MALFORMED_QUERY', `duplicate field selected: ${field.name}`);
  level.set(field.name, { kind: 'field', field });
}

function addChildren(
  org: Org,
  version: string,
  columns: Map<string, Column>,
  object: SObject,
  query: Query,
): void {
  const relationship = childrenOf(object).find(
    ({ field }) => field.childRelationship?.toLowerCase() === query.from.toLowerCase(),
  );
  if (!relationship?.field.childRelationship) {
    const message = `Didn't understand relationship '${query.from}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`;
    throw badRequest('INVALID_TYPE', message);
  }
  const render = compileSelection(org, version, relationship.child, query.select);
  columns.set(relationship.field.childRelationship, { kind: 'children', relationship, query, render });
}

function renderRow(
  org: Org,
  version: string,
  object: SObject,
  columns: Map<string, Column>,
  record: SimRecord,
): RecordBody {
  const body: RecordBody = { attributes: attributes(version, record) };
  for (const [name, column] of columns) body[name] = renderColumn(org, version, object, column, record);
  return body;
}

function renderColumn(
  org: Org,
  version: string,
  object: SObject,
  column: Column,
  record: SimRecord,
): unknown {
  switch (column.kind) {
    case 'field':
      return org.value(object, record, column.field);
    case 'parent': {
      const parent = org.parent(record, column.lookup.name);
      return parent ? renderRow(org, version, column.object, column.columns, parent) : null;
    }
    case 'children': {
      const { child, field } = column.relationship;
      const all = org.children(child.name, field.name, record.id);
      const found = selectRecords(org, column.query, child, false, all);
      if (found.length === 0) return null;
      const ids = found.map(({ id }) => id);
      return page(
        org,
        version,
        { object: child, select: column.query.select, ids, pageSize: MAX_PAGE },
        found,
        column.render,
      );
    }
  }
}
