import { type ErrorCode, Q2cError } from '../model';

/** An error as it crosses from thread to thread: the stack stays where it was made. */
export interface WireError {
  name: string;
  message: string;
  code: ErrorCode | null;
  /** What a class of its own adds to code and message. */
  fields: Readonly<Record<string, unknown>>;
}

/** By name of the class, how such an error is made again. */
export type ErrorClasses = Readonly<Record<string, (error: WireError) => Error>>;

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null, fields: {} };
  const { name, message } = error;
  if (!(error instanceof Q2cError)) return { name, message, code: null, fields: {} };
  const { code, cause: _, ...fields } = error;
  return { name, message, code, fields };
}

export function fromWire(error: WireError, classes: ErrorClasses = {}): Error {
  const made = classes[error.name]?.(error);
  if (made !== undefined) return made;
  return error.code === null ? new Error(error.message) : new Q2cError(error.code, error.message);
}
