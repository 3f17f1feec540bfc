import { codeInWords, type ErrorCode, Q2cError } from '../model';

/** Errors as problem documents (RFC 9457) with the stable code of the error. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
}

/** Status of an error by its code; what is not named here is the request's fault, 400. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  // As Node-RED refuses, also a user that it knows.
  PERMISSION_MISSING: 401,
  LOGIN_REQUIRED: 403,
  NOT_PERMITTED: 403,
  APPROVAL_UNKNOWN: 404,
  BULK_RETRY_UNKNOWN: 404,
  CASE_UNKNOWN: 404,
  CONFIG_MISSING: 404,
  RECORD_UNKNOWN: 404,
  RUN_UNKNOWN: 404,
  STEP_UNKNOWN: 404,
  CASE_NOT_SETTLED: 409,
  ILLEGAL_TRANSITION: 409,
  IDEMPOTENCY_IN_PROGRESS: 409,
  RECORD_NOT_KEPT: 409,
  RECORD_TAKEN: 409,
  RUN_NOT_ACTIVE: 409,
  RUN_NOT_CANCELLABLE: 409,
  RUN_NOT_RETRIABLE: 409,
  RUN_TAKEN_OVER: 409,
  SOURCE_NOT_DEPLOYED: 409,
  STEP_NOT_COMPLETABLE: 409,
  STEP_NOT_UNDONE: 409,
  STEP_SETTLED: 409,
  STEP_UNDECIDED: 409,
  TARGET_NOT_CONNECTED: 409,
  CASE_CHANGED: 412,
  RECORD_CHANGED: 412,
  IDEMPOTENCY_MISMATCH: 422,
  CORRECTION_REFUSED: 422,
  RECORD_NOT_FOUND: 422,
  NODE_FAILED: 500,
  ENGINE_STOPPING: 503,
  STORE_CONNECTION_LOST: 503,
  STORE_UNAVAILABLE: 503,
  STORE_UNREACHABLE: 503,
  STORE_WRITE_FAILED: 503,
};

/** What went wrong without a code is a fault of this program: its text may hold anything, so it is not told. */
export function problemOf(error: unknown): Problem {
  return error instanceof Q2cError
    ? problem(error.code, error.message)
    : problem(
        'NODE_FAILED',
        'The request failed in a way that was not foreseen; the log of Node-RED says how.',
      );
}

function problem(code: ErrorCode, detail: string): Problem {
  const words = codeInWords(code);
  return {
    type: `urn:q2c:problem:${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: STATUS[code] ?? 400,
    detail,
    code,
  };
}
