import { check as texts } from '../../../locales/en-US/_system.json';
import { Q2cError } from '../../model';
import { clockOutcome, connectionFindings, finding, reasonIn } from './check-findings';
import { SystemError } from './errors';
import type { HttpResponse } from './http-types';
import type { CheckOptions, CheckOutcome, CheckText, ConnectionCheck } from './types';

export interface CheckStep {
  id: string;
  /** Key below `check.line`, with the values of its text. */
  line: CheckText;
  run(signal: AbortSignal): Promise<CheckOutcome>;
  /** What a failed call means here, where the vendor's words alone do not tell; null = nothing special. */
  explain?(error: SystemError): readonly CheckText[] | null;
  /** When this one fails the following could only repeat its message: they are not tried. */
  blocking?: boolean;
}

/** Longest time for one line: nobody waits as long for a form as a call in a flow may take. */
const STEP_TIMEOUT_MS = 20_000;

export const line = (key: string, values: CheckText['values'] = {}): CheckText => ({ key, values });

export const passed = (...findings: CheckText[]): CheckOutcome => ({ state: 'ok', findings });

export const unchecked = (...findings: CheckText[]): CheckOutcome => ({ state: 'unchecked', findings });

/** Failed with these findings; without any it has passed. */
export const judged = (findings: readonly CheckText[]): CheckOutcome => ({
  state: findings.length === 0 ? 'ok' : 'failed',
  findings,
});

/**
 * Host and clock, the first lines of every connection.
 * @param knock asks for anything, without credentials
 */
export function arrivalSteps(
  host: string,
  knock: (signal: AbortSignal) => Promise<HttpResponse>,
): CheckStep[] {
  let reply: HttpResponse | undefined;
  return [
    {
      id: 'host',
      line: line('host', { host }),
      blocking: true,
      run: async (signal) => {
        reply = await knock(signal);
        return judged(reply.status < 500 ? [] : [finding('HOST_BROKEN', { status: String(reply.status) })]);
      },
    },
    {
      id: 'clock',
      line: line('clock'),
      run: async () => (reply === undefined ? unchecked(finding('NO_TIME')) : clockOutcome(reply)),
    },
  ];
}

/** Runs the checks of a connection in order. Never throws: a failure is an answer here. */
export async function runChecks(
  steps: readonly CheckStep[],
  options: CheckOptions & { timeoutMs?: number } = {},
): Promise<ConnectionCheck[]> {
  const { signal = new AbortController().signal, timeoutMs = STEP_TIMEOUT_MS } = options;
  options.onPlan?.(steps.map((step) => ({ id: step.id, line: step.line, label: labelOf(step.line) })));
  const checks: ConnectionCheck[] = [];
  let isBlocked = false;
  for (const step of steps) {
    const outcome = await outcomeOf(step, isBlocked, signal, timeoutMs);
    if (step.blocking && outcome.state === 'failed') isBlocked = true;
    const check = inEnglish(step, outcome);
    checks.push(check);
    options.onCheck?.(check);
  }
  return checks;
}

async function outcomeOf(
  step: CheckStep,
  isBlocked: boolean,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<CheckOutcome> {
  if (signal.aborted) return unchecked(finding('CANCELLED'));
  if (isBlocked) return unchecked(finding('BLOCKED'));
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await step.run(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) return unchecked(finding('CANCELLED'));
    if (timeout.aborted) return judged([finding('TIMEOUT', { seconds: String(timeoutMs / 1000) })]);
    return judged(findingsOf(step, error));
  }
}

function findingsOf(step: CheckStep, error: unknown): readonly CheckText[] {
  if (error instanceof SystemError) {
    return (
      connectionFindings(error) ?? step.explain?.(error) ?? [finding('REFUSED', { reason: reasonIn(error) })]
    );
  }
  if (error instanceof Q2cError) return [finding('REFUSED', { reason: error.message })];
  // Anything else is a defect of ours; its message may hold anything, so only its kind is shown.
  return [finding('DEFECT', { kind: error instanceof Error ? error.name : 'error' })];
}

function inEnglish({ id, line: own }: CheckStep, { state, findings }: CheckOutcome): ConnectionCheck {
  const sentences = (part: 'problem' | 'advice') =>
    findings
      .map(({ key, values }) => filled(findingTexts[key]?.[part] ?? '', values))
      .filter((sentence) => sentence !== '')
      .join(' ');
  return {
    id,
    label: labelOf(own),
    ok: state === 'ok',
    state,
    message: sentences('problem'),
    advice: sentences('advice'),
    line: own,
    findings,
  };
}

const lineTexts: Readonly<Record<string, string>> = texts.line;
const findingTexts: Readonly<Record<string, { problem: string; advice: string }>> = texts.finding;

const labelOf = ({ key, values }: CheckText): string => filled(lineTexts[key] ?? key, values);

/** Texts name their values as the editor's translations do: `__name__`. */
function filled(text: string, values: CheckText['values']): string {
  return text.replaceAll(/__(\w+?)__/g, (whole, name: string) => values[name] ?? whole);
}
