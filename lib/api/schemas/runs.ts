import * as z from 'zod';
import { component } from '../route';
import { failure, instant, json, masked, runState, stepState } from './common';
import { correctionView } from './corrections';

/** Replies about runs and their steps. */

export const runSummary = component(
  'RunSummary',
  z.object({
    id: z.string(),
    title: z.string().meta({ description: 'What the run is about, for people: the name of the deal' }),
    state: runState,
    attempt: z.number(),
    correlationId: z.string().meta({ description: 'Thread of the deal' }),
    sourceNode: z.string(),
    createdAt: instant,
    startedAt: instant.nullable(),
    endedAt: instant.nullable(),
    retryAt: instant.nullable().meta({ description: 'When it is tried again by itself' }),
  }),
);
export type RunSummary = z.infer<typeof runSummary>;

export const decisionSummary = component(
  'DecisionSummary',
  z.object({
    kind: z.enum(['correct', 'complete', 'skip']),
    actor: z.string(),
    reason: z.string(),
    at: instant,
    externalId: z.string().nullable().meta({ description: 'Of a record made by hand' }),
  }),
);
export type DecisionSummary = z.infer<typeof decisionSummary>;

const stepFields = {
  key: z.string(),
  node: z.string(),
  nodeId: z.string(),
  system: z.string(),
  instance: z.string(),
  operation: z.string().meta({ description: '`<entity>.<verb>`' }),
  canonicalId: z.string(),
  state: stepState,
  origin: z.enum(['call', 'probe', 'earlier_run', 'manual']).nullable(),
  calls: z.number().meta({ description: 'Calls made, over all attempts' }),
  probes: z.number().meta({ description: 'Times that the target was asked for what a call had done' }),
  runAttempt: z.number(),
  startedAt: instant,
  endedAt: instant.nullable(),
  durationMs: z.number().nullable(),
  error: failure.nullable(),
  undoes: z.string().nullable().meta({ description: 'Key of the step that this one takes back' }),
  mappingVersion: z
    .string()
    .nullable()
    .meta({ description: '`<label>+<hash>` of the mapping that its deal went through' }),
  decision: decisionSummary.nullable().meta({ description: 'What a person has decided about it' }),
};

export const stepSummary = component('StepSummary', z.object(stepFields));
export type StepSummary = z.infer<typeof stepSummary>;

export const refSummary = component(
  'CrossReference',
  z.object({
    canonicalId: z.string(),
    entity: z.string(),
    system: z.string(),
    instance: z.string(),
    type: z.string(),
    externalId: z.string(),
    role: z.enum(['master', 'copy']),
    url: z.string().nullable().meta({ description: "The vendor's page of the record" }),
    createdAt: instant,
  }),
);
export type RefSummary = z.infer<typeof refSummary>;

export const waitSummary = component(
  'WaitSummary',
  z.object({
    node: z.string(),
    event: z.string().meta({ description: 'Type or name of the event that it waits for' }),
    key: z.string(),
    since: instant,
    deadline: instant.nullable(),
  }),
);
/** A message that the run keeps at a node. */
export type WaitSummary = z.infer<typeof waitSummary>;

/** The few words of a case that a run or a deal shows; its page has more. */
export const caseSummary = component(
  'CaseSummary',
  z.object({
    id: z.string(),
    code: z.string(),
    message: z.string(),
    ownerRole: z.string(),
    severity: z.string(),
    state: z.enum(['open', 'assigned', 'in_repair', 'ready_to_replay', 'replaying', 'resolved', 'waived']),
    node: z.string(),
    nodeId: z.string(),
    subject: z.string(),
    runId: z.string(),
    stepKey: z.string().nullable(),
    amountAtRisk: z.object({ amount: z.string(), currency: z.string() }).nullable(),
    occurrences: z.number(),
    openedAt: instant,
  }),
);
export type CaseSummary = z.infer<typeof caseSummary>;

export const runReport = component(
  'RunReport',
  runSummary.extend({
    event: z
      .object({ source: z.string(), id: z.string(), type: z.string(), time: instant, receivedAt: instant })
      .nullable()
      .meta({ description: 'What it was made for; null for a run that a message of the flow began' }),
    steps: z.array(stepSummary),
    waits: z.array(waitSummary),
    refs: z.array(refSummary),
    cases: z.array(caseSummary),
    corrections: z.array(correctionView).meta({ description: 'Of records of its deal' }),
    cancellation: z.object({ actor: z.string(), reason: z.string(), requestedAt: instant }).nullable(),
  }),
);
export type RunReport = z.infer<typeof runReport>;

export const stepDetail = component(
  'StepDetail',
  z.object({
    ...stepFields,
    runId: z.string(),
    title: z.string(),
    correlationId: z.string(),
    fingerprint: z.string(),
    idempotencyKey: z.string(),
    wire: json.meta({ description: 'What was sent, or was to be' }),
    reply: json.meta({ description: "The vendor's reply, where undoing the step needs it; else null" }),
    result: json.meta({ description: 'What the flow went on with; `evidence` in it is the proof' }),
    masked,
  }),
);
export type StepDetail = z.infer<typeof stepDetail>;

export const stepInput = component(
  'StepInput',
  z.object({
    runId: z.string(),
    operation: z.string(),
    wire: json,
    error: failure.nullable(),
    decision: z
      .looseObject({ kind: z.string(), actor: z.string(), reason: z.string(), at: instant })
      .nullable(),
    masked,
  }),
);

const undoneStep = z.looseObject({
  stepKey: z.string(),
  node: z.string(),
  system: z.string(),
  operation: z.string(),
});

export const cancelReport = component(
  'CancelReport',
  z.object({
    runId: z.string(),
    state: runState,
    undone: z.array(undoneStep),
    stuck: z.object({ stepKey: z.string(), node: z.string(), reason: z.string() }).nullable(),
  }),
);

const node = z.object({ id: z.string(), name: z.string() });

export const dryRunReport = component(
  'DryRunReport',
  z.object({
    runId: z.string(),
    isComplete: z.boolean(),
    steps: z.array(
      z.object({
        verdict: z.enum([
          'would_create',
          'would_update',
          'would_adopt',
          'would_skip',
          'already_done',
          'blocked',
        ]),
        node,
        canonicalId: z.string(),
        system: z.string().optional(),
        operation: z.string().optional(),
        wire: json.optional(),
        code: z.string().optional(),
        message: z.string().optional(),
        caseId: z.string().nullable().optional(),
      }),
    ),
    events: z.array(z.string()),
    halts: z.array(z.object({ node, type: z.string(), why: z.enum(['may_write', 'run_lost', 'waits']) })),
    errors: z.array(z.object({ node, message: z.string() })),
  }),
);

export const retryProgress = component(
  'RetryProgress',
  z.object({
    total: z.number(),
    underWay: z.number(),
    completed: z.number(),
    failed: z.number(),
    passedOver: z.number(),
  }),
);
