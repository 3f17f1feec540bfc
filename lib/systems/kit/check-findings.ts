import type { check } from '../../../locales/en-US/_system.json';
import type { SystemError } from './errors';
import { BrokenCircuitError } from './guard';
import type { HttpResponse } from './http-types';
import { TransportFailure } from './transport';
import type { CheckOutcome, CheckText } from './types';

/** Key below `check.finding`: what may come out of a test of a connection. */
export type FindingKey = keyof (typeof check)['finding'];

export const finding = (key: FindingKey, values: CheckText['values'] = {}): CheckText => ({ key, values });

/** The vendor's words without their full stop: they stand inside a sentence of ours. */
export const reasonIn = ({ reason }: SystemError): string => reason.replace(/[.\s]+$/, '');

/** Why no answer came, by the code that Node.js or undici gives. */
const KEY_OF_CODE: Readonly<Record<string, FindingKey>> = {
  ENOTFOUND: 'HOST_UNKNOWN',
  EAI_AGAIN: 'DNS_FAILED',
  ECONNREFUSED: 'HOST_REFUSED',
  EHOSTUNREACH: 'HOST_UNREACHABLE',
  ENETUNREACH: 'HOST_UNREACHABLE',
  ETIMEDOUT: 'NO_CONNECTION',
  UND_ERR_CONNECT_TIMEOUT: 'NO_CONNECTION',
  CERT_HAS_EXPIRED: 'TLS_EXPIRED',
  CERT_NOT_YET_VALID: 'TLS_EXPIRED',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS_UNTRUSTED',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS_UNTRUSTED',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS_UNTRUSTED',
  UNABLE_TO_GET_ISSUER_CERT: 'TLS_UNTRUSTED',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS_UNTRUSTED',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS_NAME',
  UND_ERR_INVALID_ARG: 'CHARACTERS',
};

/** Where a network that lets nothing out but its proxy shows itself. */
const PROXY_SIGNS: readonly FindingKey[] = [
  'HOST_UNKNOWN',
  'DNS_FAILED',
  'HOST_REFUSED',
  'HOST_UNREACHABLE',
  'NO_CONNECTION',
];

/** What is wrong between us and the vendor; null when the vendor itself has answered. */
export function connectionFindings(
  error: SystemError,
  environment: NodeJS.ProcessEnv = process.env,
): CheckText[] | null {
  if (error.status === 407) return [finding('PROXY_LOGIN')];
  if (error.kind === 'rate_limited') return [finding('RATE_LIMITED')];
  if (error.code === 'SCHEMA_CHANGED' && error.status !== null) return [finding('NOT_THE_API')];
  if (error.cause instanceof BrokenCircuitError) return [finding('PAUSED')];
  if (!(error.cause instanceof TransportFailure)) return null;
  const key = transportKey(error.cause);
  const values: Record<string, string> = key === 'LOST' ? { reason: reasonIn(error) } : {};
  const proxy = environment.HTTPS_PROXY ?? environment.https_proxy ?? '';
  return proxy !== '' && PROXY_SIGNS.includes(key)
    ? [finding(key, values), finding('PROXY_UNUSED')]
    : [finding(key, values)];
}

function transportKey(failure: TransportFailure): FindingKey {
  const code = codeOf(failure.cause);
  if (/^(EPROTO|ERR_SSL_)/.test(code)) return 'TLS_FAILED';
  // The deadline of a call has no cause behind it.
  if (failure.cause === undefined && !failure.cancelled) return 'SLOW';
  return KEY_OF_CODE[code] ?? 'LOST';
}

function codeOf(cause: unknown): string {
  const named = typeof cause === 'object' && cause !== null && 'code' in cause;
  return named && typeof cause.code === 'string' ? cause.code : '';
}

/** For calls that only ask whether somebody is there: whatever is answered, it is an answer. */
export const ANY_STATUS: number[] = Array.from({ length: 300 }, (_, index) => 300 + index);

/** A clock that is further off than this gets signed logins refused: they are good for minutes. */
const CLOCK_TOLERANCE_MS = 60_000;

/** How far our clock is from the vendor's, by the `Date` of an answer that has just come. */
export function clockOutcome({ headers }: HttpResponse, now: number = Date.now()): CheckOutcome {
  const theirs = Date.parse(headers.date ?? '');
  if (Number.isNaN(theirs)) return { state: 'unchecked', findings: [finding('NO_TIME')] };
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  const isOff = seconds * 1000 > CLOCK_TOLERANCE_MS;
  return isOff
    ? { state: 'failed', findings: [finding('CLOCK', { seconds: String(seconds) })] }
    : { state: 'ok', findings: [] };
}
