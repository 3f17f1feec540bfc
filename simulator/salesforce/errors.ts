import type { SimResponse } from '../kit/types';

/** One error as it stands in the array body of an answer. */
export interface ApiErrorBody {
  message: string;
  errorCode: string;
  /** Only on errors about the fields of a record. */
  fields?: string[];
}

/** Ends a request with an error answer of the platform. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly ApiErrorBody[];

  constructor(status: number, errors: ApiErrorBody | readonly ApiErrorBody[]) {
    const list = Array.isArray(errors) ? errors : [errors];
    super(list.map((error) => `${error.errorCode}: ${error.message}`).join('; '));
    this.name = 'ApiError';
    this.status = status;
    this.errors = list;
  }

  toResponse(): SimResponse {
    return { status: this.status, body: this.errors };
  }
}

/** A refused save: 400 with the fields concerned. */
export function saveError(errorCode: string, message: string, fields: string[] = []): ApiError {
  return new ApiError(400, { message, errorCode, fields });
}

export function badRequest(errorCode: string, message: string): ApiError {
  return new ApiError(400, { message, errorCode });
}

export function notFound(message = 'The requested resource does not exist'): ApiError {
  return new ApiError(404, { errorCode: 'NOT_FOUND', message });
}

export function methodNotAllowed(method: string, allowed: readonly string[]): ApiError {
  const message = `HTTP Method '${method}' not allowed. Allowed are ${allowed.join(',')}`;
  return new ApiError(405, { errorCode: 'METHOD_NOT_ALLOWED', message });
}

export function invalidSession(): ApiError {
  return new ApiError(401, { message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' });
}

/** The user may not do this with this kind of record. */
export function insufficientAccess(): ApiError {
  const message = 'insufficient access rights on object id';
  return new ApiError(403, { message, errorCode: 'INSUFFICIENT_ACCESS_OR_READONLY' });
}

export function apiDisabled(): ApiError {
  const message = 'The REST API is not enabled for this Organization.';
  return new ApiError(403, { message, errorCode: 'API_DISABLED_FOR_ORG' });
}

const REQUEST_LIMIT: ApiErrorBody = {
  message: 'TotalRequests Limit exceeded.',
  errorCode: 'REQUEST_LIMIT_EXCEEDED',
};

export function requestLimitExceeded(): ApiError {
  return new ApiError(403, REQUEST_LIMIT);
}

/** What the platform says of a failure it has no better words for, by status. */
const FAILURES: Record<number, ApiErrorBody> = {
  400: { message: 'unable to obtain exclusive access to this record', errorCode: 'UNABLE_TO_LOCK_ROW' },
  401: { message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' },
  403: REQUEST_LIMIT,
  404: { message: 'The requested resource does not exist', errorCode: 'NOT_FOUND' },
  413: { message: 'Request body exceeds the size limit', errorCode: 'EXCEEDED_MAX_SIZE_REQUEST' },
  500: { message: 'An unexpected error occurred', errorCode: 'UNKNOWN_EXCEPTION' },
  503: { message: 'Server is unavailable or in maintenance', errorCode: 'SERVER_UNAVAILABLE' },
};

/** For the `status` fault. 502 and 504 come from a proxy in front of the platform and are not JSON. */
export function failure(status: number): SimResponse {
  const body = FAILURES[status];
  if (body) return { status, body: [body] };
  const page = `<html><head><title>${status}</title></head><body>The request could not be processed.</body></html>`;
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: page };
}
