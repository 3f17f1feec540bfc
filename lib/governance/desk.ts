import { type CaseDesk, type CaseFact, type CaseRoute, ENGINE, type RouteRequest } from '../engine';
import {
  type BusinessEvent,
  type BusinessEventType,
  businessEvent,
  type Instant,
  type JsonObject,
  shortened,
} from '../model';
import { appendAudit, type CaseRow, open, putIntoOutbox, type Tx } from '../store';
import type { KnownPolicy, Policies } from './policies';
import { routeCase } from './routing';

/** What is told of cases, by what has happened to them. */
const EVENTS: Readonly<Record<string, BusinessEventType>> = {
  opened: 'q2c.exception.opened.v1',
  reopened: 'q2c.exception.opened.v1',
  assigned: 'q2c.exception.assigned.v1',
  escalated: 'q2c.exception.assigned.v1',
  sla_breached: 'q2c.exception.sla_breached.v1',
  resolved: 'q2c.exception.resolved.v1',
  waived: 'q2c.exception.resolved.v1',
};

/** An event must stay small whatever a vendor says. */
const MESSAGE_LENGTH = 2_000;

/** Routes cases by the firm's policy, and tells of them as business events. */
export class Desk implements CaseDesk {
  private readonly tenant: string;

  constructor(
    private readonly policies: Policies,
    tenant: string,
  ) {
    // A case must be opened whatever the firm is called.
    this.tenant = tenant.replace(/[^A-Za-z0-9._~-]/g, '-');
  }

  async route(tx: Tx, request: RouteRequest, at: Instant): Promise<CaseRoute> {
    const { code, facts, amountAtRisk, ownerRole, severity } = request;
    const known = this.policies.find(facts.policy);
    await notePolicy(tx, known, at);
    const routed = {
      code,
      system: facts.system ?? null,
      entity: facts.entity ?? null,
      legalEntity: facts.legalEntity ?? null,
      region: facts.region ?? null,
      amountAtRisk,
    };
    const { slaDue, ...route } = routeCase(known.policy, routed, { ownerRole, severity }, at);
    return { ...route, slaDueAt: slaDue, policyVersion: known.version };
  }

  async happened(tx: Tx, fact: CaseFact): Promise<void> {
    const type = EVENTS[fact.action];
    if (type === undefined) return;
    await putIntoOutbox(tx, await this.eventOf(tx, type, fact), fact.at);
  }

  private async eventOf(tx: Tx, type: BusinessEventType, fact: CaseFact): Promise<BusinessEvent> {
    const row = await tx
      .selectFrom('exception_case')
      .leftJoin('run', 'run.id', 'exception_case.run_id')
      .selectAll('exception_case')
      .select(['run.title', 'run.source_node'])
      .where('exception_case.id', '=', fact.caseId)
      .executeTakeFirstOrThrow();
    const { title, source_node } = row;
    return businessEvent(type, {
      tenant: this.tenant,
      component: 'cases',
      correlationId: row.correlation_id,
      time: fact.at,
      recordedTime: fact.at,
      version: row.version,
      data: {
        exceptionCase: draftOf(tx, row),
        changed: [...fact.changed],
        happened: fact.action,
        by: fact.actor,
        deal: title ?? row.correlation_id,
        sourceNode: source_node ?? '',
      },
    });
  }
}

/** The case as guides §6 names its fields. */
function draftOf(tx: Tx, row: CaseRow): JsonObject {
  return {
    id: row.id,
    version: row.version,
    externalRefs: [],
    code: row.code,
    message: shortened(open(tx, 'exception_case', 'message', row), MESSAGE_LENGTH),
    severity: row.severity,
    status: row.state,
    step: row.node_name,
    correlationId: row.correlation_id,
    subjectIds: [row.subject],
    ownerRole: row.owner_role,
    ...(row.amount_at_risk === null || row.currency === null
      ? {}
      : { amountAtRisk: { amount: row.amount_at_risk, currency: row.currency } }),
    ...(row.assignee === null ? {} : { assignee: row.assignee }),
    ...(row.sla_due_at === null ? {} : { slaDue: row.sla_due_at }),
    reopenedCount: row.reopened,
    runId: row.run_id,
  };
}

/** The first case that a policy routes keeps it, whole: what it said must be known as long as its cases are. */
async function notePolicy(tx: Tx, { version, policy }: KnownPolicy, at: Instant): Promise<void> {
  const added = await tx
    .insertInto('case_policy')
    .values({ version, content: JSON.stringify(policy), first_used_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .returning('version')
    .executeTakeFirst();
  if (added === undefined) return;
  const before = await tx
    .selectFrom('case_policy')
    .select('version')
    .where('version', '!=', version)
    .orderBy('first_used_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  await appendAudit(tx, {
    at,
    actor: ENGINE,
    action: 'case_policy.first_used',
    subject: version,
    runId: null,
    detail: { before: before?.version ?? null, after: version },
  });
}
