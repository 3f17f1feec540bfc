import type { FailureKind, JsonValue } from '../../model';
import { SystemError } from './errors';
import type { ErrorRow, ErrorTable } from './http-types';
import { plainReason } from './text';

/** What a status means where the vendor's table is silent (RFC 9110). */
const DEFAULT_ROWS: readonly ErrorRow[] = [
  { status: 401, kind: 'auth' },
  { status: [404, 410], kind: 'not_found' },
  { status: [409, 412], kind: 'conflict' },
  { status: 429, kind: 'rate_limited' },
  { status: 408, kind: 'unknown' },
  { status: (status) => status >= 500, kind: 'unknown' },
];

export interface RefusedReply {
  status: number;
  headers: Record<string, string>;
  body: JsonValue;
}

/**
 * The error of an answer that is not a success. First matching row of the vendor's table, else by status.
 * `unknown` becomes `transient` for requests that may be repeated.
 */
export function errorOfReply(
  system: string,
  table: ErrorTable,
  reply: RefusedReply,
  request: { what: string; safe: boolean; secrets: readonly string[] },
): SystemError {
  const vendorCode = table.codeOf(reply.body);
  const row = [...table.rows, ...DEFAULT_ROWS].find((each) => matches(each, reply.status, vendorCode));
  const kind = softened(row?.kind ?? 'rejected', request.safe);
  const words = table.reasonOf(reply.body);
  return new SystemError({
    system,
    kind,
    status: reply.status,
    vendorCode,
    reason: words
      ? plainReason(words, request.secrets)
      : `${request.what} was answered with status ${reply.status}`,
    retryAfterMs: retryAfterMs(reply.headers['retry-after']),
    // A row's code belongs to its kind: once softened, the default of the new kind is right.
    code: row && row.kind === kind ? row.as : undefined,
  });
}

/** A lost or broken answer to something that may be repeated is nothing to worry about. */
export function softened(kind: FailureKind, safe: boolean): FailureKind {
  return kind === 'unknown' && safe ? 'transient' : kind;
}

function matches(row: ErrorRow, status: number, code: string | null): boolean {
  return matchesStatus(row.status, status) && matchesCode(row.code, code);
}

function matchesStatus(wanted: ErrorRow['status'], status: number): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted === 'function') return wanted(status);
  return typeof wanted === 'number' ? wanted === status : wanted.includes(status);
}

function matchesCode(wanted: ErrorRow['code'], code: string | null): boolean {
  if (wanted === undefined) return true;
  if (code === null) return false;
  return typeof wanted === 'string' ? wanted === code : wanted.test(code);
}

/** `Retry-After` in milliseconds from now: seconds or an HTTP date (RFC 9110 §10.2.3); undefined if neither. */
export function retryAfterMs(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
