import { hash } from 'node:crypto';
import type { SimRecord, SimRequest, SimResponse } from '../kit/types';
import { ApiError, badRequest } from './errors';

/**
 * Conditional requests. Every object knows If-Modified-Since and If-Unmodified-Since, to the second; entity tags
 * exist for Account only.
 */

/** What answers a read of `record` when the caller has it already, else null. */
export function notModified(request: SimRequest, record: SimRecord): SimResponse | null {
  const tag = record.type === 'Account' ? request.headers['if-none-match'] : undefined;
  if (tag !== undefined) return tagsMatch(tag, record) ? { status: 304 } : null;
  const since = httpDate(request, 'if-modified-since');
  return since !== null && seconds(record.modified) <= since ? { status: 304 } : null;
}

/** @throws ApiError 412 when the record is not as the caller has seen it; 400 for a malformed date. */
export function checkUnmodified(request: SimRequest, record: SimRecord): void {
  const tag = record.type === 'Account' ? request.headers['if-match'] : undefined;
  const since = httpDate(request, 'if-unmodified-since');
  const isChanged =
    (tag !== undefined && !tagsMatch(tag, record)) || (since !== null && seconds(record.modified) > since);
  if (isChanged) {
    const message = 'The request conditions were not met: the record has been changed';
    throw new ApiError(412, { errorCode: 'PRECONDITION_FAILED', message });
  }
}

/** Headers that name the state of a record. */
export function stateHeaders(record: SimRecord): Record<string, string> {
  const lastModified = { 'Last-Modified': new Date(record.modified).toUTCString() };
  return record.type === 'Account' ? { ...lastModified, ETag: entityTag(record) } : lastModified;
}

function tagsMatch(header: string, record: SimRecord): boolean {
  return header === '*' || header.split(',').some((tag) => tag.trim() === entityTag(record));
}

function entityTag(record: SimRecord): string {
  return `"${hash('sha256', `${record.id}${record.modified}`, 'base64url').slice(0, 24)}"`;
}

function httpDate(request: SimRequest, header: string): number | null {
  const text = request.headers[header];
  if (text === undefined) return null;
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed)) {
    if (request.method === 'GET') return null;
    throw badRequest('INVALID_DATE_FORMAT', `${header} is not a valid HTTP date`);
  }
  return seconds(parsed);
}

function seconds(epochMs: number): number {
  return Math.floor(epochMs / 1000);
}
