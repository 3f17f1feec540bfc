import * as z from 'zod';
import type { CaseGovernance, CaseLine, CaseView, Person } from '../../governance';
import { type ExceptionCode, exceptionCodes, Q2cError } from '../../model';
import { correctionForm as formOf } from '../correction-form';
import { refuseMasked } from '../masking';
import { personOf } from '../person';
import {
  type ApiContext,
  defineRoute,
  flag,
  listOf,
  type Permission,
  reason,
  requireActor,
  rolesOf,
} from '../route';
import {
  approval,
  caseGroup,
  caseLine,
  caseState,
  caseView,
  gatedRequest,
  gatedResult,
  queueCount,
  role,
  severity,
} from '../schemas/cases';
import { instant, paged, pageOf } from '../schemas/common';
import { correctionForm } from '../schemas/corrections';
import { concealCases, concealGroups, concealStepsOf } from '../step-views';

const codes = Object.keys(exceptionCodes) as [ExceptionCode, ...ExceptionCode[]];

const filter = {
  status: z
    .union([z.enum(['open', 'closed', 'all']), listOf(caseState)])
    .optional()
    .meta({ description: '`open` (default), `closed`, `all`, or states' }),
  ownerRole: listOf(role).optional(),
  assignee: z.string().optional().meta({ description: "A user name; `none` = nobody's" }),
  code: listOf(z.enum(codes)).optional(),
  severity: listOf(severity).optional(),
  system: z.string().optional(),
  entity: z.string().optional(),
  legalEntity: z.string().optional(),
  region: z.string().optional(),
  cause: z.string().optional(),
  correlationId: z.string().optional(),
  runId: z.string().optional(),
  nodeId: listOf(z.string()).optional(),
  breached: flag.optional(),
  snoozed: z.enum(['true', 'false', 'any']).optional(),
  openedSince: instant.optional(),
  openedBefore: instant.optional(),
};
const filterSchema = z.strictObject(filter);

function filterOf(query: z.output<typeof filterSchema>) {
  const { ownerRole, assignee, code, severity: severities, nodeId, snoozed, ...same } = query;
  return {
    ...same,
    ...(ownerRole && { ownerRoles: ownerRole }),
    ...(assignee !== undefined && { assignee: assignee === 'none' ? null : assignee }),
    ...(code && { codes: code }),
    ...(severities && { severities }),
    ...(nodeId && { nodeIds: nodeId }),
    ...(snoozed && { snoozed: snoozed === 'any' ? ('any' as const) : snoozed === 'true' }),
  };
}

const listCases = defineRoute({
  method: 'get',
  path: '/cases',
  id: 'listCases',
  tag: 'Cases',
  summary: 'The queue: what is stuck, with its owner',
  permission: 'q2c.read',
  query: z.strictObject({
    ...filter,
    ...paged,
    sort: z.enum(['due', 'amount', 'opened', 'updated', 'severity']).default('due'),
  }),
  reply: { kind: 'json', schema: pageOf(caseLine) },
  handle: async ({ query: { limit, cursor, sort, ...query } }, context) => {
    const page = await context.governance.queue(filterOf(query), sort, { limit, ...(cursor && { cursor }) });
    await concealStepsOf(context, ...page.items.map(({ runId }) => runId));
    return page;
  },
});

const groupCases = defineRoute({
  method: 'get',
  path: '/cases/groups',
  id: 'groupCases',
  tag: 'Cases',
  summary: 'Open cases of the same cause as one line, with count and amount at risk',
  permission: 'q2c.read',
  query: filterSchema,
  reply: { kind: 'json', schema: z.array(caseGroup) },
  handle: async ({ query }, context) => {
    const groups = await context.governance.groups(filterOf(query));
    await concealGroups(context, groups);
    return groups;
  },
});

const countCases = defineRoute({
  method: 'get',
  path: '/cases/counts',
  id: 'countCases',
  tag: 'Cases',
  summary: 'Open cases per role, with amount at risk',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.array(queueCount) },
  handle: async (_, { governance }) => governance.counts(),
});

const versionOfCase = ({ version }: Pick<CaseView, 'version'>) => String(version);

const getCase = defineRoute({
  method: 'get',
  path: '/cases/:id',
  id: 'getCase',
  tag: 'Cases',
  summary: 'One case with context, history, approvals, what waits behind it, and what the caller may do',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: caseView },
  hasPayload: true,
  version: (reply: CaseView) => versionOfCase(reply),
  handle: async ({ params }, context) => {
    const found = await context.governance.view(params.id ?? '', personOf(context.caller));
    if (found === null) return null;
    await concealStepsOf(context, found.runId);
    // Whoever may only look is refused at the door of every action.
    return rolesOf(context.caller).length > 0 ? found : { ...found, actions: [] };
  },
});

const getCorrectionForm = defineRoute({
  method: 'get',
  path: '/cases/:id/correction',
  id: 'getCorrectionForm',
  tag: 'Cases',
  summary:
    'The record that a check has refused, as the form of its correction. For whoever may act on the case',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: correctionForm },
  hasPayload: true,
  handle: async ({ params }, { governance, caller }) => {
    requireActor(caller);
    return formOf(await governance.refusedRecord(params.id ?? '', personOf(caller)));
  },
});

/** A step in the life of a case, for whoever has the role that owns it. */
function lifeRoute<B extends z.ZodType>(
  action: string,
  id: string,
  summary: string,
  body: B,
  act: (
    cases: CaseGovernance,
    caseId: string,
    body: z.output<B>,
    by: Person,
    version: number | undefined,
  ) => Promise<CaseLine>,
) {
  return defineRoute({
    method: 'post',
    path: `/cases/:id/${action}`,
    id,
    tag: 'Cases',
    summary: `${summary}. For whoever has the role that owns the case`,
    permission: 'q2c.read',
    body,
    reply: { kind: 'json', schema: caseLine },
    isConditional: true,
    handle: async ({ params, body: given }, context) => {
      requireActor(context.caller);
      const id = params.id ?? '';
      await concealCases(context, id);
      return act(context.governance, id, given, personOf(context.caller), versionIn(context));
    },
  });
}

/** @throws Q2cError `VALUE_INVALID` for an ETag of something else */
function versionIn({ expectedVersion }: ApiContext): number | undefined {
  if (expectedVersion === null) return undefined;
  const version = Number(expectedVersion);
  if (Number.isInteger(version)) return version;
  throw new Q2cError('VALUE_INVALID', 'If-Match is not the ETag of a case.');
}

const nothing = z.strictObject({});

const assign = lifeRoute(
  'assign',
  'assignCase',
  'Gives a case to somebody, or back to the role',
  z.strictObject({ assignee: z.string().trim().min(1).nullable() }),
  (cases, id, { assignee }, by, version) => cases.assign(id, assignee, by, version),
);
const comment = lifeRoute(
  'comment',
  'commentOnCase',
  'Adds a comment to the history',
  z.strictObject({ text: z.string().trim().min(1).max(4000) }),
  (cases, id, { text }, by) => cases.comment(id, text, by),
);
const snooze = lifeRoute(
  'snooze',
  'snoozeCase',
  'Puts a case aside until an instant',
  z.strictObject({ until: instant, reason }),
  (cases, id, { until, reason: why }, by, version) => cases.snooze(id, until, why, by, version),
);
const unsnooze = lifeRoute(
  'unsnooze',
  'unsnoozeCase',
  'Takes a case back into the queue',
  nothing,
  (cases, id, _, by, version) => cases.unsnooze(id, by, version),
);
const escalate = lifeRoute(
  'escalate',
  'escalateCase',
  'Hands a case to another role, or as the policy says',
  z.strictObject({ to: role.optional(), reason }),
  (cases, id, { to, reason: why }, by, version) => cases.escalate(id, to, why, by, version),
);
const startRepair = lifeRoute(
  'start-repair',
  'startRepair',
  'Somebody works on it',
  nothing,
  (cases, id, _, by, version) => cases.startRepair(id, by, version),
);
const readyToReplay = lifeRoute(
  'ready-to-replay',
  'readyToReplay',
  'The cause is cured; it may be sent again',
  nothing,
  (cases, id, _, by, version) => cases.readyToReplay(id, by, version),
);
const resolve = lifeRoute(
  'resolve',
  'resolveCase',
  'What it was about is settled without a replay',
  z.strictObject({ reason }),
  (cases, id, { reason: why }, by, version) => cases.resolve(id, why, by, version),
);

const act = defineRoute({
  method: 'post',
  path: '/cases/:id/act',
  id: 'actOnCase',
  tag: 'Cases',
  summary:
    'Retries, corrects, completes by hand, skips, cancels or waives: at once, or when a second person has agreed',
  permission: 'q2c.read',
  body: z.strictObject({ request: gatedRequest, reason }),
  reply: { kind: 'json', schema: gatedResult },
  isConditional: true,
  handle: async ({ params, body }, context) => {
    requireActor(context.caller);
    refuseMasked(body.request);
    const id = params.id ?? '';
    await concealCases(context, id);
    const { governance, caller } = context;
    return governance.act(id, body.request, body.reason, personOf(caller), versionIn(context));
  },
});

const listApprovals = defineRoute({
  method: 'get',
  path: '/approvals',
  id: 'listApprovals',
  tag: 'Cases',
  summary: 'What waits for a second person, or did',
  permission: 'q2c.read',
  query: z.strictObject({
    ...paged,
    state: z.enum(['pending', 'approved', 'done', 'failed', 'rejected', 'withdrawn']).optional(),
    caseId: z.string().optional(),
  }),
  reply: { kind: 'json', schema: pageOf(approval) },
  hasPayload: true,
  handle: async ({ query: { limit, cursor, state, caseId } }, { governance }) =>
    governance.approvals(
      { ...(state && { state }), ...(caseId && { caseId }) },
      { limit, ...(cursor && { cursor }) },
    ),
});

const decision = (
  verb: 'approve' | 'reject' | 'withdraw',
  summary: string,
  permission: Permission,
  reply: z.ZodType,
) =>
  defineRoute({
    method: 'post',
    path: `/approvals/:id/${verb}`,
    id: `${verb}Request`,
    tag: 'Cases',
    summary,
    permission,
    body: z.strictObject({ note: z.string().trim().max(2000).default('') }),
    reply: { kind: 'json', schema: reply },
    handle: async ({ params, body: { note } }, context) => {
      const { governance, caller } = context;
      const id = params.id ?? '';
      const person = personOf(caller);
      const result = await (verb === 'withdraw'
        ? governance.withdraw(id, person)
        : governance[verb](id, note, person));
      const caseId = 'case' in result ? result.case?.id : result.caseId;
      if (caseId !== undefined) await concealCases(context, caseId);
      return result;
    },
  });

const approve = decision('approve', 'A second person agrees, and it is done', 'q2c.approve', gatedResult);
const reject = decision('reject', 'A second person refuses', 'q2c.approve', approval);
const withdraw = decision('withdraw', 'Whoever asked takes it back', 'q2c.read', approval);

export const caseRoutes = [
  listCases,
  groupCases,
  countCases,
  getCase,
  getCorrectionForm,
  assign,
  comment,
  snooze,
  unsnooze,
  escalate,
  startRepair,
  readyToReplay,
  resolve,
  act,
  listApprovals,
  approve,
  reject,
  withdraw,
];
