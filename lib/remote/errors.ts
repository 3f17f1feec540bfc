import type { ExceptionCode } from '../model';
import { MappingError, SystemError, type SystemErrorDetails } from '../systems/kit/errors';
import type { ErrorClasses } from '../thread';

/** Errors of vendors' calls, made again behind the border between threads. */
export const errorClasses: ErrorClasses = {
  SystemError: ({ code, fields }) =>
    new SystemError({ ...(fields as unknown as SystemErrorDetails), code: code as ExceptionCode }),
  MappingError: ({ code, message, fields }) =>
    new MappingError(code as ExceptionCode, message, fields.params as Record<string, string>),
};
