import * as z from 'zod';
import type { Approval, CaseGroup, CaseLine, CaseView, QueueCount } from '../../governance';
import { roles } from '../../model';
import { component } from '../route';
import { instant, json, money } from './common';
import { correctionView } from './corrections';
import { cancelReport } from './runs';

/** Replies about cases, as `lib/governance` gives them. */

export const role = component('Role', z.enum(roles));
export const severity = component('Severity', z.enum(['critical', 'error', 'warning']));
export const caseState = component(
  'CaseState',
  z.enum(['open', 'assigned', 'in_repair', 'ready_to_replay', 'replaying', 'resolved', 'waived']),
);
const record = z.record(z.string(), json.optional());

const lineFields = {
  id: z.string(),
  version: z.number().meta({ description: 'Raised by every change' }),
  code: z.string(),
  title: z.string().meta({ description: 'A few words for the code' }),
  message: z.string().meta({ description: 'For business readers' }),
  status: caseState,
  severity,
  ownerRole: role,
  assignee: z.string().nullable(),
  correlationId: z.string(),
  subject: z.string(),
  deal: z.string().meta({ description: 'The deal as people call it' }),
  runId: z.string(),
  stepKey: z.string().nullable(),
  node: z.object({ id: z.string(), name: z.string() }),
  system: z.string().nullable(),
  entity: z.string().nullable(),
  legalEntity: z.string().nullable(),
  region: z.string().nullable(),
  amountAtRisk: money.nullable(),
  sla: z.object({ due: instant.nullable(), breachedAt: instant.nullable() }),
  snoozedUntil: instant.nullable(),
  escalations: z.number(),
  occurrences: z.number(),
  reopened: z.number(),
  openedAt: instant,
  updatedAt: instant,
  resolvedAt: instant.nullable(),
  cause: z.string().meta({ description: 'Equal for cases of the same cause' }),
  policyVersion: z.string().nullable(),
  approvalPending: z.boolean(),
};

export const caseLine = component('CaseLine', z.object(lineFields)) satisfies z.ZodType<CaseLine>;

export const correction = z.union([z.strictObject({ patch: json }), z.strictObject({ wire: json })]);

export const gatedRequest = component(
  'GatedRequest',
  z.discriminatedUnion('action', [
    z.strictObject({ action: z.literal('retry') }),
    z.strictObject({ action: z.literal('correct'), correction }),
    z.strictObject({ action: z.literal('complete'), externalId: z.string().trim().min(1) }),
    z.strictObject({ action: z.literal('skip') }),
    z.strictObject({ action: z.literal('cancel') }),
    z.strictObject({ action: z.literal('waive') }),
  ]),
);

export const approval = component(
  'Approval',
  z.object({
    id: z.string(),
    caseId: z.string(),
    request: gatedRequest,
    because: z.string().meta({ description: 'Why a second person is needed' }),
    state: z.enum(['pending', 'approved', 'done', 'failed', 'rejected', 'withdrawn']),
    requestedBy: z.string(),
    reason: z.string(),
    requestedAt: instant,
    decidedBy: z.string().nullable(),
    decidedAt: instant.nullable(),
    note: z.string().nullable(),
    amountAtRisk: money.nullable(),
    policyVersion: z.string(),
  }),
) satisfies z.ZodType<Approval>;

export const caseView = component(
  'CaseView',
  z.object({
    ...lineFields,
    detail: record,
    history: z.array(z.object({ at: instant, by: z.string(), action: z.string(), detail: record })),
    approvals: z.array(approval),
    blocked: z.object({
      nodes: z.array(z.object({ id: z.string(), name: z.string(), type: z.string() })),
      runs: z.array(z.object({ id: z.string(), title: z.string() })),
      cases: z.array(
        z.object({ id: z.string(), code: z.string(), message: z.string(), ownerRole: z.string() }),
      ),
    }),
    corrections: z.array(correctionView),
    actions: z
      .array(
        z.enum([
          'assign',
          'comment',
          'snooze',
          'unsnooze',
          'escalate',
          'start_repair',
          'ready_to_replay',
          'resolve',
          'retry',
          'correct',
          'complete',
          'skip',
          'cancel',
          'waive',
        ]),
      )
      .meta({ description: 'What the caller may do now' }),
  }),
) satisfies z.ZodType<CaseView>;

export const caseGroup = component(
  'CaseGroup',
  z.object({
    cause: z.string(),
    code: z.string(),
    title: z.string(),
    example: z.string(),
    ownerRole: role,
    system: z.string().nullable(),
    severity,
    cases: z.number(),
    deals: z.number(),
    amountAtRisk: z.array(money),
    oldestOpenedAt: instant,
    nextDue: instant.nullable(),
  }),
) satisfies z.ZodType<CaseGroup>;

export const queueCount = component(
  'QueueCount',
  z.object({
    ownerRole: role,
    open: z.number(),
    breached: z.number(),
    snoozed: z.number(),
    amountAtRisk: z.array(money),
  }),
) satisfies z.ZodType<QueueCount>;

export const gatedResult = component(
  'GatedResult',
  z.discriminatedUnion('status', [
    z.object({ status: z.literal('done'), case: caseLine.nullable(), cancel: cancelReport.optional() }),
    z.object({ status: z.literal('pending_approval'), case: caseLine, approval }),
  ]),
);
