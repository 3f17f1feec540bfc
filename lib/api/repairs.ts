import * as z from 'zod';
import type { CancelReport, DryRunReport, Engine, RetryProgress, StepInput } from '../engine';
import { type ExceptionCode, isExceptionCode, jsonValueSchema, Q2cError } from '../model';

/**
 * Repairs as pages and programs ask for them: a body, checked, and a person. What is wrong with a body is said as
 * Q2cError `VALUE_INVALID`; other errors are those of the engine.
 */

const reason = z.string().trim().min(1);

const bodies = {
  correct: z.union([
    z.strictObject({ patch: jsonValueSchema, reason }),
    z.strictObject({ wire: jsonValueSchema, reason }),
  ]),
  complete: z.strictObject({ externalId: z.string().trim().min(1), reason }),
  reasoned: z.strictObject({ reason }),
  settle: z.strictObject({ outcome: z.enum(['removed', 'kept']), reason }),
  retryMany: z.strictObject({
    reason,
    atOnce: z.int().min(1).max(50).optional(),
    filter: z
      .strictObject({
        waitingFor: z.enum(['person', 'time']),
        code: z.custom<ExceptionCode>(isExceptionCode, 'is not an exception code'),
        system: z.string(),
        sourceNode: z.string(),
        failedBefore: z.iso.datetime(),
        failedSince: z.iso.datetime(),
      })
      .partial(),
  }),
};

export const stepInput = (engine: Engine, stepKey: string): Promise<StepInput> =>
  engine.repairs.steps.stepInput(stepKey);

/** @param body `{patch, reason}` or `{wire, reason}` */
export async function correctStep(engine: Engine, stepKey: string, body: unknown, actor: string) {
  const { reason: why, ...correction } = parse(bodies.correct, body);
  await engine.repairs.steps.correct(stepKey, correction, { actor, reason: why });
  return {};
}

/** @param body `{externalId, reason}` */
export async function completeStep(engine: Engine, stepKey: string, body: unknown, actor: string) {
  const { externalId, reason: why } = parse(bodies.complete, body);
  await engine.repairs.steps.complete(stepKey, externalId, { actor, reason: why });
  return {};
}

/** @param body `{reason}` */
export async function skipStep(engine: Engine, stepKey: string, body: unknown, actor: string) {
  await engine.repairs.steps.skip(stepKey, { actor, ...parse(bodies.reasoned, body) });
  return {};
}

/** @param body `{reason}` */
export async function cancelRun(
  engine: Engine,
  runId: string,
  body: unknown,
  actor: string,
): Promise<CancelReport> {
  return engine.repairs.cancellations.cancel(runId, { actor, ...parse(bodies.reasoned, body) });
}

/**
 * @param undoKey key of the step that could not be undone, as in the report of the cancel
 * @param body `{outcome: 'removed' | 'kept', reason}`
 */
export async function settleUndo(
  engine: Engine,
  undoKey: string,
  body: unknown,
  actor: string,
): Promise<CancelReport> {
  const { outcome, reason: why } = parse(bodies.settle, body);
  return engine.repairs.cancellations.settle(undoKey, outcome, { actor, reason: why });
}

export const dryRun = (engine: Engine, runId: string, actor: string): Promise<DryRunReport> =>
  engine.repairs.dryRun(runId, actor);

/**
 * @param body `{filter, reason, atOnce?}`
 * @param signal ends it before its next run
 */
export function retryRuns(
  engine: Engine,
  body: unknown,
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<RetryProgress> {
  const { filter, reason: why, atOnce } = parse(bodies.retryMany, body);
  return engine.repairs.retryRuns(filter, { actor, reason: why }, { signal, ...(atOnce && { atOnce }) });
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new Q2cError('VALUE_INVALID', `The request is not valid (${places.join('; ')}).`);
}
