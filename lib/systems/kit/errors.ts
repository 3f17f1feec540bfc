import { type ExceptionCode, type FailureKind, Q2cError } from '../../model';

/** Domain code (guides §13) of each kind, unless the vendor's table names a better one. */
const CODE_OF_KIND: Record<FailureKind, ExceptionCode> = {
  transient: 'TARGET_UNAVAILABLE',
  rate_limited: 'RATE_LIMITED',
  auth: 'AUTH_EXPIRED',
  rejected: 'TARGET_REJECTED',
  conflict: 'TARGET_REJECTED',
  not_found: 'TARGET_REJECTED',
  unknown: 'OUTCOME_UNKNOWN',
};

export interface SystemErrorDetails {
  system: string;
  kind: FailureKind;
  /** Plain words from the vendor's body, without secrets: shown to finance people. */
  reason: string;
  status?: number | null;
  vendorCode?: string | null;
  /** The vendor's own wish (`Retry-After`), in milliseconds from now. */
  retryAfterMs?: number;
  code?: ExceptionCode;
  /** Values for the message pattern of the code (guides §13), where the reason alone does not make a sentence. */
  params?: Record<string, string>;
  cause?: unknown;
}

/** A vendor did not do what was asked. `kind` tells the engine what may happen next. */
export class SystemError extends Q2cError {
  readonly system: string;
  readonly kind: FailureKind;
  readonly reason: string;
  readonly status: number | null;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | undefined;
  readonly params: Record<string, string>;

  constructor(details: SystemErrorDetails) {
    super(details.code ?? CODE_OF_KIND[details.kind], `${details.system}: ${details.reason}`, {
      cause: details.cause,
    });
    this.name = 'SystemError';
    this.system = details.system;
    this.kind = details.kind;
    this.reason = details.reason;
    this.status = details.status ?? null;
    this.vendorCode = details.vendorCode ?? null;
    this.retryAfterMs = details.retryAfterMs;
    this.params = details.params ?? {};
  }
}

/** A canonical entity cannot be expressed in the vendor's terms: a field or a lookup entry is missing. */
export class MappingError extends Q2cError {
  /** Values for the message pattern of the code (guides §13). */
  readonly params: Record<string, string>;

  constructor(code: ExceptionCode, message: string, params: Record<string, string> = {}) {
    super(code, message);
    this.name = 'MappingError';
    this.params = params;
  }
}
