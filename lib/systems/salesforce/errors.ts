import type { JsonObject, JsonValue } from '../../model';
import type { ErrorTable } from '../kit';

/**
 * What Salesforce's refusals mean. Codes are values of the enumerations StatusCode and ExceptionCode of the partner
 * WSDL; a body is a JSON array of `{message, errorCode, fields}` (REST API guide, status codes and error responses).
 */
export const errors: ErrorTable = {
  rows: [
    { code: 'INVALID_SESSION_ID', kind: 'auth' },
    // Daily or concurrent limit: 403 here, and no Retry-After.
    { code: /^(REQUEST_LIMIT_EXCEEDED|TOO_MANY_REQUESTS?)$/, kind: 'rate_limited' },
    // Another transaction holds a parent record; the whole request was rolled back.
    { code: /^(UNABLE_TO_LOCK_ROW|QUERY_TIMEOUT)$/, kind: 'transient' },
    // A query cursor lives for a limited time: the query starts again.
    { code: 'INVALID_QUERY_LOCATOR', kind: 'transient' },
    {
      code: /^(DUPLICATES_DETECTED|DUPLICATE_VALUE|MULTIPLE_MATCHES)$/,
      kind: 'rejected',
      as: 'DUPLICATE_SUSPECTED',
    },
    { code: 'REQUIRED_FIELD_MISSING', kind: 'rejected', as: 'MANDATORY_FIELD_MISSING' },
    // A field or object that does not exist, or that the integration user may not see: both look the same.
    {
      code: /^(INVALID_FIELD|INVALID_FIELD_FOR_INSERT_UPDATE|INVALID_TYPE)$/,
      kind: 'rejected',
      as: 'SCHEMA_CHANGED',
    },
    { code: 'ENTITY_IS_DELETED', kind: 'not_found' },
    // Answered by the edge before the request reaches the org.
    { status: 420, kind: 'transient' },
    { status: [300, 400, 405, 414, 415, 428, 431], kind: 'rejected' },
  ],
  codeOf: (body) => textIn(firstError(body), 'errorCode') ?? (isListOfUrls(body) ? 'MULTIPLE_MATCHES' : null),
  reasonOf: (body) =>
    isListOfUrls(body)
      ? `several records carry the same external id: ${body.join(', ')}`
      : textIn(firstError(body), 'message'),
};

/** Refusals of the token endpoint: `{error, error_description}`. All of them need a person. */
export const loginErrors: ErrorTable = {
  rows: [
    { status: (status) => status >= 300 && status < 500 && status !== 429 && status !== 420, kind: 'auth' },
  ],
  codeOf: (body) => textIn(body, 'error'),
  reasonOf: (body) => {
    const code = textIn(body, 'error');
    const description = textIn(body, 'error_description');
    return code === null ? null : `the login was refused: ${description ?? code}`;
  },
};

/** With `allOrNone`, every part of a composite request but the guilty one says this. */
export function isHalted(body: JsonValue): boolean {
  return textIn(firstError(body), 'errorCode') === 'PROCESSING_HALTED';
}

function firstError(body: JsonValue): JsonValue {
  return Array.isArray(body) ? (body[0] ?? null) : body;
}

/** The answer to an external id that several records carry: an array of their URLs. */
function isListOfUrls(body: JsonValue): body is string[] {
  return Array.isArray(body) && body.length > 0 && body.every((each) => typeof each === 'string');
}

function textIn(body: JsonValue, key: string): string | null {
  if (!isObject(body)) return null;
  const value = body[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

function isObject(body: JsonValue): body is JsonObject {
  return body !== null && typeof body === 'object' && !Array.isArray(body);
}
