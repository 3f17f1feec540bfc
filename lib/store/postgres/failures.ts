import { Q2cError, type TechnicalCode } from '../../model';

/** What errors of PostgreSQL and of the way to it mean. Codes: its manual, appendix A; Node's `error.code`. */

const LOST_CODES = new Set([
  // Told by the server that ends a session: shut down by an operator, crashed, still starting, or we were idle in a
  // transaction for too long (this host had stood still).
  '57P01',
  '57P02',
  '57P03',
  '25P03',
  // A standby took over the address, or the former primary has become one.
  '25006',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** `pg` gives these no code. */
const LOST_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout exceeded when trying to connect|timeout expired)/;

const CONFLICT_CODES = new Set([
  // serialization_failure, deadlock_detected
  '40001',
  '40P01',
  // unique_violation: another host was faster between our look and our insert. The next look finds its row.
  '23505',
]);

/** The server lacks room or memory, or its disk fails: classes 53 and 58 of its codes. */
export function isServerFailure(error: unknown): boolean {
  return /^5[38]/.test(codeOf(error));
}

const TLS_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
]);

export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** The connection broke or could not be made: nothing is known to be wrong with what we asked. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (LOST_CODES.has(code) || code.startsWith('08')) return true;
  return LOST_MESSAGES.test(reasonOf(error));
}

/** Two transactions got in each other's way: the same work may pass when done again. */
export function isConflict(error: unknown): boolean {
  return CONFLICT_CODES.has(codeOf(error));
}

/** Where a store is, for messages. Holds no secret. */
export interface Place {
  /** `host:port/database`. */
  address: string;
  user: string;
  schema: string;
}

/** What is wrong when the store cannot be opened, and what to do. */
export function openFailure(cause: unknown, place: Place): Q2cError {
  if (cause instanceof Q2cError) {
    // A migration fails for want of rights or of a connection like any other statement.
    const isNoFault = codeOf(cause.cause) === '42501' || isConnectionLoss(cause.cause);
    return cause.code === 'STORE_MIGRATION_FAILED' && isNoFault ? openFailure(cause.cause, place) : cause;
  }
  const reason = reasonOf(cause);
  const failure = (code: TechnicalCode, message: string) => new Q2cError(code, message, { cause });
  const code = codeOf(cause);
  if (code === '28P01' || code === '28000') {
    return failure(
      'STORE_LOGIN_REFUSED',
      `PostgreSQL at ${place.address} refuses user "${place.user}": ${reason}. Check user, password, TLS and the server's pg_hba.conf.`,
    );
  }
  if (code === '3D000') {
    return failure(
      'STORE_DATABASE_MISSING',
      `PostgreSQL at ${place.address}: ${reason}. Create the database or correct its name.`,
    );
  }
  if (code === '42501') {
    return failure(
      'STORE_RIGHTS_MISSING',
      `User "${place.user}" lacks rights in ${place.address}: ${reason}. Have an administrator run: create schema ${place.schema} authorization "${place.user}"`,
    );
  }
  if (TLS_CODES.has(code) || /SSL|TLS/.test(reason)) {
    return failure(
      'STORE_TLS_FAILED',
      `No secure connection to PostgreSQL at ${place.address}: ${reason}. Check the TLS setting and the certificate of the authority.`,
    );
  }
  if (isConnectionLoss(cause)) {
    return failure(
      'STORE_UNREACHABLE',
      `PostgreSQL at ${place.address} cannot be reached: ${reason}. Check host, port and firewall, and that the server runs.`,
    );
  }
  return failure('STORE_UNAVAILABLE', `The store at ${place.address} cannot be opened: ${reason}.`);
}

/** The connection broke and did not come back in time. */
export function connectionLost(cause: unknown, place: Place, isDecided = true): Q2cError {
  const consequence = isDecided
    ? 'Nothing of this was written'
    : 'Whether the last write arrived is not known';
  return new Q2cError(
    'STORE_CONNECTION_LOST',
    `The connection to PostgreSQL at ${place.address} was lost and did not come back: ${reasonOf(cause)}. ${consequence}; unfinished runs go on when the server is back.`,
    { cause },
  );
}

/** Attempts at several addresses of one host come as one error without a message of its own. */
function reasonOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  if ('errors' in cause && Array.isArray(cause.errors)) return cause.errors.map(reasonOf).join('; ');
  return 'message' in cause ? String(cause.message) : String(cause);
}
