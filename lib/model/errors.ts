import type { ExceptionCode } from './exceptions';

/**
 * Base class of every error of this package. `code` is stable and decides message pattern, owner and
 * retry (`exceptionCodes`); `message` says what is wrong, where, and what to do.
 */
export class Q2cError extends Error {
  readonly code: ExceptionCode;

  constructor(code: ExceptionCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'Q2cError';
    this.code = code;
  }
}
