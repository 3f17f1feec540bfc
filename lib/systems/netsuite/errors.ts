import type { JsonValue } from '../../model';
import type { ErrorTable } from '../kit';

/**
 * Error bodies of the REST services, the token endpoint and RESTlets; plain statuses are the kit's.
 * Codes: Oracle help "Error Handling and Error Codes in REST Web Services". Those of the concurrency governance
 * (`SSS_…`, `WS_…`) come from RESTlets and SOAP, which share the account's limit.
 */
export const errorTable: ErrorTable = {
  rows: [
    { code: 'CONCURRENCY_LIMIT_EXCEEDED', kind: 'rate_limited' },
    { code: /^SSS_(REQUEST_LIMIT|CONCURRENCY_LIMIT|CONCURRENT_REQUEST)/, kind: 'rate_limited' },
    { code: /^WS_(CONCUR_SESSION_DISALLWD|REQUEST_BLOCKED|EXCEEDED_CONCURRENT)/, kind: 'rate_limited' },
    { code: /^INVALID_LOGIN/, kind: 'auth' },
    { code: /^invalid_(grant|client|token)$|^unauthorized_client$/, kind: 'auth' },
    { code: 'RCRD_HAS_BEEN_CHANGED', kind: 'conflict' },
    // An earlier request with this key was accepted: its outcome is to be looked up, not repeated.
    { code: 'IDEMPOTENCY_ERROR', kind: 'unknown' },
    { code: 'NONEXISTENT_ID', kind: 'not_found' },
    { status: 403, kind: 'rejected' },
  ],
  codeOf: (body) => errorDetails(body)[0]?.code ?? null,
  reasonOf(body) {
    const sentences = errorDetails(body).map(({ detail, path }) => (path ? `${detail} (${path})` : detail));
    return sentences.join(' ') || text(member(body, 'title'));
  },
};

interface ErrorDetail {
  code: string | null;
  detail: string;
  path: string | null;
}

/** The three shapes NetSuite answers with: `o:errorDetails`, RESTlet `{error:{code,message}}`, OAuth `{error}`. */
function errorDetails(body: JsonValue): ErrorDetail[] {
  const details = member(body, 'o:errorDetails');
  if (Array.isArray(details)) {
    return details.map((detail) => ({
      code: text(member(detail, 'o:errorCode')),
      detail: text(member(detail, 'detail')) ?? '',
      path: text(member(detail, 'o:errorPath')),
    }));
  }
  const error = member(body, 'error');
  if (typeof error === 'string') {
    return [{ code: error, detail: text(member(body, 'error_description')) ?? error, path: null }];
  }
  const code = text(member(error, 'code'));
  return code ? [{ code, detail: text(member(error, 'message')) ?? code, path: null }] : [];
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
