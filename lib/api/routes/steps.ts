import * as z from 'zod';
import type { GatedRequest } from '../../governance';
import { refuseMasked } from '../masking';
import { personOf } from '../person';
import { type ApiContext, defineRoute, reason } from '../route';
import { gatedResult } from '../schemas/cases';
import { json } from '../schemas/common';
import { cancelReport, stepDetail, stepInput } from '../schemas/runs';
import { caseOfStep, concealCases, concealStepsOf, requireRoleForStep, stepView } from '../step-views';

const getStep = defineRoute({
  method: 'get',
  path: '/steps/:key',
  id: 'getStep',
  tag: 'Steps',
  summary: 'One call to a system: what was sent, the reply, what the flow went on with, and the proof',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: stepDetail },
  hasPayload: true,
  handle: async ({ params }, context) => {
    const found = await stepView(context.engine.store, params.key ?? '');
    if (found !== null) await concealStepsOf(context, found.runId);
    return found;
  },
});

const getStepInput = defineRoute({
  method: 'get',
  path: '/steps/:key/input',
  id: 'getStepInput',
  tag: 'Steps',
  summary: 'A failed step as the form of its repair shows it. For whoever may act on its case',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: stepInput },
  hasPayload: true,
  handle: async ({ params }, context) => {
    await requireRoleForStep(context, params.key ?? '');
    const input = await context.engine.repairs.steps.stepInput(params.key ?? '');
    await concealStepsOf(context, input.runId);
    return { ...input, masked: [] };
  },
});

/** A decision goes by the step's case, where there is one, so that a second person is asked where the policy wants it. */
async function decide(context: ApiContext, stepKey: string, request: GatedRequest, why: string) {
  await requireRoleForStep(context, stepKey);
  const { engine, caller, governance } = context;
  const caseId = await caseOfStep(engine.store, stepKey);
  if (caseId !== null) {
    await concealCases(context, caseId);
    return governance.act(caseId, request, why, personOf(caller));
  }
  const { steps } = engine.repairs;
  const author = { actor: caller.name, reason: why };
  if (request.action === 'correct') await steps.correct(stepKey, request.correction, author);
  if (request.action === 'complete') await steps.complete(stepKey, request.externalId, author);
  if (request.action === 'skip') await steps.skip(stepKey, author);
  return { status: 'done', case: null };
}

const correctStep = defineRoute({
  method: 'post',
  path: '/steps/:key/correct',
  id: 'correctStep',
  tag: 'Steps',
  summary:
    'Sends other content in place of what was refused: a merge patch (RFC 7396) on the input, or all of it',
  permission: 'q2c.read',
  body: z.union([z.strictObject({ patch: json, reason }), z.strictObject({ wire: json, reason })]),
  reply: { kind: 'json', schema: gatedResult },
  handle: async ({ params, body }, context) => {
    const { reason: why, ...correction } = body;
    refuseMasked(correction);
    return decide(context, params.key ?? '', { action: 'correct', correction }, why);
  },
});

const completeStep = defineRoute({
  method: 'post',
  path: '/steps/:key/complete',
  id: 'completeStep',
  tag: 'Steps',
  summary: '"I created it myself": the record with this id is looked up and taken over',
  permission: 'q2c.read',
  body: z.strictObject({ externalId: z.string().trim().min(1), reason }),
  reply: { kind: 'json', schema: gatedResult },
  handle: async ({ params, body: { externalId, reason: why } }, context) =>
    decide(context, params.key ?? '', { action: 'complete', externalId }, why),
});

const skipStep = defineRoute({
  method: 'post',
  path: '/steps/:key/skip',
  id: 'skipStep',
  tag: 'Steps',
  summary: 'Goes on without the step',
  permission: 'q2c.read',
  body: z.strictObject({ reason }),
  reply: { kind: 'json', schema: gatedResult },
  handle: async ({ params, body }, context) =>
    decide(context, params.key ?? '', { action: 'skip' }, body.reason),
});

const settleUndo = defineRoute({
  method: 'post',
  path: '/steps/:key/settle-undo',
  id: 'settleUndo',
  tag: 'Steps',
  summary:
    'A person has undone a step that could not be undone (`removed`), or lets it stay (`kept`); then the cancel goes on',
  permission: 'q2c.read',
  body: z.strictObject({ outcome: z.enum(['removed', 'kept']), reason }),
  reply: { kind: 'json', schema: cancelReport },
  handle: async ({ params, body }, context) => {
    const key = params.key ?? '';
    await requireRoleForStep(context, key);
    const { engine, caller } = context;
    const author = { actor: caller.name, reason: body.reason };
    const report = await engine.repairs.cancellations.settle(key, body.outcome, author);
    await concealStepsOf(context, report.runId);
    return report;
  },
});

export const stepRoutes = [getStep, getStepInput, correctStep, completeStep, skipStep, settleUndo];
