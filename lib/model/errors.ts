import { type ExceptionCode, exceptionCodes, isExceptionCode } from './exceptions';

/** Codes of errors that are not about a deal and open no case: a store, a form or a call is wrong. */
export type TechnicalCode =
  | 'APPROVAL_UNKNOWN'
  | 'BROKER_REFUSED'
  | 'BULK_RETRY_UNKNOWN'
  | 'BROKER_TLS_FAILED'
  | 'BROKER_UNAVAILABLE'
  | 'CASE_CHANGED'
  | 'CASE_NOT_SETTLED'
  | 'CASE_UNKNOWN'
  | 'CONFIG_MISSING'
  | 'CONNECTION_INVALID'
  | 'CORRECTION_REFUSED'
  | 'DEAL_DOCUMENT_INVALID'
  | 'ENGINE_STOPPING'
  | 'FIRM_INVALID'
  | 'LEASE_LOST'
  | 'LOGIN_REQUIRED'
  | 'MAPPING_INVALID'
  | 'MESSAGE_NOT_STORABLE'
  | 'NOT_PERMITTED'
  | 'PERMISSION_MISSING'
  | 'REASON_MISSING'
  | 'RECORD_CHANGED'
  | 'RECORD_NOT_FOUND'
  | 'RECORD_NOT_KEPT'
  | 'RECORD_TAKEN'
  | 'RECORD_UNKNOWN'
  | 'RUN_NOT_ACTIVE'
  | 'RUN_NOT_CANCELLABLE'
  | 'RUN_NOT_RETRIABLE'
  | 'RUN_TAKEN_OVER'
  | 'RUN_UNKNOWN'
  | 'SIMULATOR_UNAVAILABLE'
  | 'SOURCE_NOT_DEPLOYED'
  | 'STEP_NOT_COMPLETABLE'
  | 'STEP_NOT_UNDONE'
  | 'STEP_SETTLED'
  | 'STEP_UNDECIDED'
  | 'STEP_UNKNOWN'
  | 'STORE_BACKUP_INVALID'
  | 'STORE_CONNECTION_LOST'
  | 'STORE_DATABASE_MISSING'
  | 'STORE_IN_USE'
  | 'STORE_KEY_WRONG'
  | 'STORE_LOGIN_REFUSED'
  | 'STORE_MIGRATION_FAILED'
  | 'STORE_NEWER'
  | 'STORE_RIGHTS_MISSING'
  | 'STORE_SETTINGS_INVALID'
  | 'STORE_TLS_FAILED'
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNREACHABLE'
  | 'STORE_WRITE_FAILED'
  | 'TARGET_NOT_CONNECTED';

/** Every stable code an error of this package can carry. */
export type ErrorCode = ExceptionCode | TechnicalCode;

/** What a code says, in a few words that can follow others: `tax registration missing`, `store unavailable`. */
export function codeInWords(code: ErrorCode): string {
  if (code === 'CONFIG_MISSING') return 'not set up';
  if (!isExceptionCode(code)) return code.replaceAll('_', ' ').toLowerCase();
  const { title } = exceptionCodes[code];
  return title.charAt(0).toLowerCase() + title.slice(1);
}

/**
 * Base class of every error of this package. `code` is stable; an exception code also decides message
 * pattern, owner and retry (`exceptionCodes`); `message` says what is wrong, where, and what to do.
 */
export class Q2cError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'Q2cError';
    this.code = code;
  }

  /** Node-RED tells Catch nodes and its log what an error says of itself: to people, the name of a class says nothing. */
  override toString(): string {
    return this.message;
  }
}

/** The stable code of an error; null for one that has none. */
export const codeOfError = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
