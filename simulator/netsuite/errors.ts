import type { SimResponse } from '../kit/types';

/** Where in the request the fault is, in the words of the error body. */
export interface ErrorLocation {
  /** JSON path in the request body, for example `item.items[0].item`. */
  path?: string;
  queryParam?: string;
  header?: string;
  urlPath?: string;
}

const TITLES: Record<number, { title: string; type: string }> = {
  400: { title: 'Bad Request', type: 'rfc9110.html#section-15.5.1' },
  401: { title: 'Unauthorized', type: 'rfc9110.html#section-15.5.2' },
  403: { title: 'Forbidden', type: 'rfc9110.html#section-15.5.4' },
  404: { title: 'Not Found', type: 'rfc9110.html#section-15.5.5' },
  405: { title: 'Method Not Allowed', type: 'rfc9110.html#section-15.5.6' },
  409: { title: 'Conflict', type: 'rfc9110.html#section-15.5.10' },
  413: { title: 'Content Too Large', type: 'rfc9110.html#section-15.5.14' },
  429: { title: 'Too Many Requests', type: 'rfc6585.html#section-4' },
  500: { title: 'Internal Server Error', type: 'rfc9110.html#section-15.6.1' },
  503: { title: 'Service Unavailable', type: 'rfc9110.html#section-15.6.4' },
};

/** Media type of error bodies, as the record service sends it. */
const ERROR_TYPE = 'application/vnd.oracle.resource+json; type=error; charset=UTF-8';

/** A refusal in NetSuite's words; the router turns it into the `o:errorDetails` body. */
export class NetSuiteError extends Error {
  readonly status: number;
  readonly code: string;
  readonly location: ErrorLocation;

  constructor(status: number, code: string, detail: string, location: ErrorLocation = {}) {
    super(detail);
    this.name = 'NetSuiteError';
    this.status = status;
    this.code = code;
    this.location = location;
  }
}

/** Business rule or bad value of a form: 400 USER_ERROR, the text as a user would read it on the screen. */
export function userError(detail: string, path?: string): NetSuiteError {
  return new NetSuiteError(400, 'USER_ERROR', `Error while accessing a resource. ${detail}`, { path });
}

/** The JSON of the body does not fit the record's schema. */
export function invalidContent(detail: string, path?: string): NetSuiteError {
  return new NetSuiteError(400, 'INVALID_CONTENT', detail, { path });
}

/** A reference that exists but may not be used here, or an external id nobody has. */
export function invalidReference(detail: string, path: string): NetSuiteError {
  return new NetSuiteError(400, 'INVALID_KEY_OR_REF', `Error while accessing a resource. ${detail}`, {
    path,
  });
}

/** The role lacks the permission, or has it at a lower level. */
export function insufficientPermission(): NetSuiteError {
  const detail = 'Permission Violation: You need a higher level of permission to access this record.';
  return new NetSuiteError(403, 'INSUFFICIENT_PERMISSION', detail);
}

export function invalidParameter(queryParam: string, detail: string): NetSuiteError {
  return new NetSuiteError(400, 'INVALID_PARAMETER', detail, { queryParam });
}

export function notFound(urlPath: string): NetSuiteError {
  return new NetSuiteError(
    404,
    'NONEXISTENT_ID',
    'The record instance does not exist. Provide a valid record instance ID.',
    {
      urlPath,
    },
  );
}

export function methodNotAllowed(method: string): NetSuiteError {
  return new NetSuiteError(405, 'METHOD_NOT_ALLOWED', `Method ${method} is not allowed for this resource.`);
}

export function errorResponse(error: NetSuiteError, headers: Record<string, string> = {}): SimResponse {
  const { path, queryParam, header, urlPath } = error.location;
  const { title, type } = TITLES[error.status] ?? { title: 'Error', type: 'rfc9110.html#section-15' };
  return {
    status: error.status,
    headers: { 'content-type': ERROR_TYPE, ...headers },
    body: {
      type: `https://www.rfc-editor.org/rfc/${type}`,
      title,
      status: error.status,
      'o:errorDetails': [
        {
          detail: error.message,
          ...(path !== undefined && { 'o:errorPath': path }),
          ...(queryParam !== undefined && { 'o:errorQueryParam': queryParam }),
          ...(header !== undefined && { 'o:errorHeader': header }),
          ...(urlPath !== undefined && { 'o:errorUrl': urlPath }),
          'o:errorCode': error.code,
        },
      ],
    },
  };
}

/** What NetSuite answers above its concurrency limit. It promises no Retry-After. */
export function concurrencyLimitExceeded(): SimResponse {
  return errorResponse(
    new NetSuiteError(
      429,
      'CONCURRENCY_LIMIT_EXCEEDED',
      'Concurrent request limit exceeded. Request blocked. Verify your concurrency limits at Setup > Integration > Integration Management > Integration Governance.',
    ),
  );
}

/** Any login fault looks the same from outside; the reason is only in the Login Audit Trail. */
export function invalidLogin(): SimResponse {
  return errorResponse(
    new NetSuiteError(
      401,
      'INVALID_LOGIN',
      'Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles > User Management > View Login Audit Trail.',
    ),
    { 'www-authenticate': 'Bearer realm="NetSuite"' },
  );
}

/** The vendor's body for a failure of the given status. */
export function failureOf(status: number): SimResponse {
  if (status === 401) return invalidLogin();
  if (status === 429) return concurrencyLimitExceeded();
  const failures: Record<number, [code: string, detail: string]> = {
    403: [
      'INSUFFICIENT_PERMISSION',
      'Permission Violation: You need a higher level of permission to access this record.',
    ],
    404: ['NONEXISTENT_ID', 'The record instance does not exist. Provide a valid record instance ID.'],
    409: ['RCRD_HAS_BEEN_CHANGED', 'Record has been changed'],
    413: ['REQUEST_TOO_LARGE', 'The request exceeds the maximum size of 104 MB.'],
  };
  const [code, detail] =
    failures[status] ??
    (status >= 500
      ? ['UNEXPECTED_ERROR', 'An unexpected error occurred. Error ID: simulated-0001']
      : ['USER_ERROR', 'Error while accessing a resource. The request was refused.']);
  return errorResponse(new NetSuiteError(status, code, detail));
}
