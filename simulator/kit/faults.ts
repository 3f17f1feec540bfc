import { type Random, seededRandom } from './random';
import { ControlError, type Fault, type FaultKind, type GarbleMode } from './types';

/**
 * In the order they apply to one request. `latency` delays whatever follows; the first of `reset`, `status`, `rate-limit`
 * and `intercept` ends the request before the vendor sees it; the rest need a request that is processed.
 */
const KINDS: readonly FaultKind[] = [
  'latency',
  'reset',
  'status',
  'rate-limit',
  'intercept',
  'expire-token',
  'partial-page',
  'garble',
  'commit-then-drop',
  'commit-then-timeout',
];
const LOST_REPLIES: readonly FaultKind[] = ['commit-then-drop', 'commit-then-timeout'];
/** What may arrive instead of an answer, by kind of fault. */
const MODES: Partial<Record<FaultKind, readonly GarbleMode[]>> = {
  garble: ['html', 'empty', 'no-id'],
  intercept: ['html', 'empty'],
};
const DEFAULT_TIMEOUT_MS = 60_000;

/** What the faults do to one request. */
export interface FaultEffect {
  delayMs: number;
  /** Ends the request before it is processed. */
  refusal:
    | { kind: 'reset' }
    | { kind: 'status'; status: number }
    | { kind: 'rate-limit' }
    | { kind: 'intercept'; mode: GarbleMode }
    | null;
  expireTokens: boolean;
  partialPage: boolean;
  /** The request is processed and committed, then its answer is spoilt. */
  garble: GarbleMode | null;
  /** The request is processed and committed, then the socket is destroyed after `afterMs` without a byte. */
  lostReply: { afterMs: number } | null;
  applied: { id: string; kind: FaultKind }[];
}

/** A fault as the control API shows it. */
export interface FaultReport extends Fault {
  fired: number;
  /** Firings left, null when there is no bound. */
  left: number | null;
}

interface ArmedFault extends Fault {
  fired: number;
  matches(method: string, path: string): boolean;
  random: Random | null;
}

/** The faults of one system. They live in the process: a restarted simulator has none. */
export class FaultList {
  #faults: ArmedFault[] = [];
  #lastId = 0;

  /** @throws ControlError `INVALID_FAULT` naming the field. */
  add(input: unknown): FaultReport {
    const fault = parseFault(input, `f${this.#lastId + 1}`);
    this.#lastId++;
    const armed: ArmedFault = {
      ...fault,
      fired: 0,
      matches: matcher(fault),
      random: fault.probability === undefined ? null : seededRandom(fault.seed ?? 1),
    };
    this.#faults = [...this.#faults, armed].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
    return report(armed);
  }

  list(): FaultReport[] {
    return this.#faults.map(report);
  }

  /** False when there is no such fault. */
  remove(id: string): boolean {
    const before = this.#faults.length;
    this.#faults = this.#faults.filter((fault) => fault.id !== id);
    return this.#faults.length < before;
  }

  clear(): void {
    this.#faults = [];
  }

  /** Draws for one request; null when nothing fires. `path` is the one below the system, without query. */
  draw(method: string, path: string): FaultEffect | null {
    let effect: FaultEffect | null = null;
    for (const fault of this.#faults) {
      if (!fault.matches(method, path) || !isDue(fault)) continue;
      effect ??= noEffect();
      if (isBlocked(fault.kind, effect)) continue;
      fault.fired++;
      effect.applied.push({ id: fault.id, kind: fault.kind });
      apply(fault, effect);
    }
    return effect?.applied.length ? effect : null;
  }
}

function noEffect(): FaultEffect {
  return {
    delayMs: 0,
    refusal: null,
    expireTokens: false,
    partialPage: false,
    garble: null,
    lostReply: null,
    applied: [],
  };
}

/** The generator is drawn from for every matching request, so that a seed gives one sequence whatever else is armed. */
function isDue(fault: ArmedFault): boolean {
  const drawn = !fault.random || fault.random() < (fault.probability ?? 1);
  return drawn && (fault.times === undefined || fault.fired < fault.times);
}

function isBlocked(kind: FaultKind, effect: FaultEffect): boolean {
  if (effect.refusal) return true;
  return effect.lostReply !== null && LOST_REPLIES.includes(kind);
}

function apply(fault: Fault, effect: FaultEffect): void {
  switch (fault.kind) {
    case 'latency':
      effect.delayMs += fault.ms ?? 0;
      break;
    case 'reset':
    case 'rate-limit':
      effect.refusal = { kind: fault.kind };
      break;
    case 'status':
      effect.refusal = { kind: 'status', status: fault.status ?? 500 };
      break;
    case 'intercept':
      effect.refusal = { kind: fault.kind, mode: fault.mode ?? 'html' };
      break;
    case 'expire-token':
      effect.expireTokens = true;
      break;
    case 'partial-page':
      effect.partialPage = true;
      break;
    case 'garble':
      effect.garble = fault.mode ?? null;
      break;
    case 'commit-then-drop':
      effect.lostReply = { afterMs: 0 };
      break;
    case 'commit-then-timeout':
      effect.lostReply = { afterMs: fault.ms ?? DEFAULT_TIMEOUT_MS };
      break;
  }
}

function report(fault: ArmedFault): FaultReport {
  const { matches: _matches, random: _random, ...plain } = fault;
  return { ...plain, left: fault.times === undefined ? null : fault.times - fault.fired };
}

function matcher(fault: Fault): ArmedFault['matches'] {
  const method = fault.match?.method?.toUpperCase();
  const path = pathMatcher(fault.match?.path);
  return (m, p) => (method === undefined || m === method) && path(p);
}

function pathMatcher(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  const expression = /^\/(.+)\/$/.exec(pattern)?.[1];
  if (expression === undefined) return (path) => path.includes(pattern);
  const regexp = new RegExp(expression);
  return (path) => regexp.test(path);
}

function parseFault(input: unknown, id: string): Fault {
  const body = object(input, 'The fault');
  const allowed = ['kind', 'match', 'times', 'probability', 'seed', 'ms', 'status', 'mode'];
  refuseUnknown(body, allowed, 'fault');
  const kind = KINDS.find((known) => known === body.kind);
  if (!kind) throw invalid(`kind must be one of ${KINDS.join(', ')}`);
  const fault: Fault = { id, kind };
  if (body.match !== undefined) fault.match = parseMatch(body.match);
  if (body.times !== undefined) fault.times = integer(body.times, 'times', 1);
  if (body.seed !== undefined) fault.seed = integer(body.seed, 'seed', 0);
  if (body.probability !== undefined) fault.probability = probability(body.probability);
  if (body.ms !== undefined) fault.ms = integer(body.ms, 'ms', 0);
  if (body.mode !== undefined) fault.mode = modeOf(body.mode, kind);
  if (body.status !== undefined) fault.status = integer(body.status, 'status', 400, 599);
  checkFieldsOfKind(fault);
  return fault;
}

function checkFieldsOfKind(fault: Fault): void {
  if (fault.kind === 'latency' && fault.ms === undefined) throw invalid('latency needs ms');
  if (fault.kind === 'status' && fault.status === undefined)
    throw invalid('status needs status (400 to 599)');
  if (fault.ms !== undefined && fault.kind !== 'latency' && fault.kind !== 'commit-then-timeout') {
    throw invalid(`ms has no meaning for ${fault.kind}`);
  }
  const modes = MODES[fault.kind];
  if (modes !== undefined && fault.mode === undefined)
    throw invalid(`${fault.kind} needs mode (${modes.join(', ')})`);
  if (fault.status !== undefined && fault.kind !== 'status')
    throw invalid(`status has no meaning for ${fault.kind}`);
  if (fault.seed !== undefined && fault.probability === undefined) throw invalid('seed needs probability');
}

function modeOf(value: unknown, kind: FaultKind): GarbleMode {
  const modes = MODES[kind];
  if (modes === undefined) throw invalid(`mode has no meaning for ${kind}`);
  const mode = modes.find((known) => known === value);
  if (mode === undefined) throw invalid(`mode of ${kind} must be one of ${modes.join(', ')}`);
  return mode;
}

function parseMatch(input: unknown): NonNullable<Fault['match']> {
  const body = object(input, 'match');
  refuseUnknown(body, ['method', 'path'], 'match');
  const match: NonNullable<Fault['match']> = {};
  if (body.method !== undefined) match.method = text(body.method, 'match.method');
  if (body.path !== undefined) {
    match.path = text(body.path, 'match.path');
    try {
      pathMatcher(match.path);
    } catch (error) {
      throw invalid(
        `match.path is not a regular expression: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return match;
}

function object(input: unknown, what: string): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid(`${what} must be an object`);
  return Object.fromEntries(Object.entries(input));
}

function refuseUnknown(body: Record<string, unknown>, allowed: string[], what: string): void {
  const unknown = Object.keys(body).find((key) => !allowed.includes(key));
  if (unknown) throw invalid(`${unknown} is not a field of a ${what}; known are ${allowed.join(', ')}`);
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${field} must be a non-empty string`);
  return value;
}

function integer(value: unknown, field: string, low: number, high = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw invalid(
      `${field} must be an integer of at least ${low}${high < Number.MAX_SAFE_INTEGER ? ` and at most ${high}` : ''}`,
    );
  }
  return value;
}

function probability(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    throw invalid('probability must be a number above 0 and at most 1');
  }
  return value;
}

function invalid(message: string): ControlError {
  return new ControlError('INVALID_FAULT', message);
}
