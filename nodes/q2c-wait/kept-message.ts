import { type JsonObject, type JsonValue, Q2cError } from '../../lib/model';

/** Larger messages belong in a file or a database, with a reference in the message. */
export const MAX_BYTES = 1024 * 1024;

/** What an HTTP request leaves in a message: a connection, which cannot outlive the host. */
const CONNECTION = new Set(['req', 'res']);

/**
 * A message as it can be kept in the store: JSON, dates as text, without `req` and `res`.
 * @throws Q2cError `MESSAGE_NOT_STORABLE` naming the part that cannot be kept, or the size.
 */
export function keptMessage(msg: object): JsonObject {
  const parts = Object.entries(msg).filter(([name]) => !CONNECTION.has(name));
  const kept = copyObject(parts, 'msg', new Set([msg]));
  const bytes = Buffer.byteLength(JSON.stringify(kept));
  if (bytes > MAX_BYTES) {
    throw notStorable(
      `it has ${bytes} bytes, at most ${MAX_BYTES} are kept. Put what is large elsewhere before the message waits`,
    );
  }
  return kept;
}

function copy(value: unknown, place: string, above: Set<unknown>): JsonValue | undefined {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') {
    return value;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object') throw notStorable(`${place} is a ${typeof value}`);
  if (value instanceof Date) return value.toJSON();
  if (above.has(value)) throw notStorable(`${place} contains itself`);
  const within = new Set(above).add(value);
  if (Array.isArray(value)) {
    return value.map((element, index) => copy(element, `${place}[${index}]`, within) ?? null);
  }
  if (!isPlain(value)) throw notStorable(`${place} is a ${value.constructor?.name ?? 'special object'}`);
  return copyObject(Object.entries(value), place, within);
}

function copyObject(entries: [string, unknown][], place: string, above: Set<unknown>): JsonObject {
  return Object.fromEntries(entries.map(([name, value]) => [name, copy(value, `${place}.${name}`, above)]));
}

/** Also of another realm: function nodes run in one of their own. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notStorable(reason: string): Q2cError {
  return new Q2cError(
    'MESSAGE_NOT_STORABLE',
    `The message cannot be kept while it waits: ${reason}. Only values that JSON can carry outlive the host.`,
  );
}
