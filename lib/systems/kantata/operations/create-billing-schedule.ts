import {
  type BillingScheduleLine,
  type DealDocument,
  type Draft,
  type Milestone,
  type Project,
  shortened,
} from '../../../model';
import { defined, defineOperation, type MappingContext, required } from '../../kit';
import type { KantataClient } from '../client';
import { billingMilestones, stories } from '../collections';
import { idNumber, inMinorUnits, TITLE_MAX, workspaceId } from '../mapping';
import {
  crossReference,
  ensureAll,
  externalReference,
  findAll,
  type PlannedRecord,
  removeAll,
  VISIBLE_AFTER_MS,
} from '../references';

const STEP = 'the billing schedule is created in Kantata';

/** One billing milestone, with the exact amount, for every live line of the deal's billing schedule; in one step. */
export const createBillingSchedule = defineOperation({
  entity: 'billingSchedule',
  verb: 'create',
  recordType: billingMilestones.type,
  duplicateSafety: 'probe-first',
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: (deal: DealDocument) => (deal.project && liveLines(deal).length > 0 ? [deal.project] : []),

  toSystem(project: Draft<Project>, context: MappingContext): PlannedRecord[] {
    const workspace = workspaceId(project, context);
    return liveLines(context.deal).map((line) => plannedLine(line, workspace, context));
  },

  call: (client: KantataClient, wire, { signal }) => ensureAll(client, billingMilestones, wire, signal),

  probe: (client, wire, { signal }) => findAll(client, billingMilestones, wire, signal),

  /** The ERP is the master of billing (guides §7); what stands here is its copy for project managers. */
  fromSystem: (reply, _project, context) => ({
    refs: reply.map((record) => ({
      id: record.canonicalId,
      entity: 'billingScheduleLine',
      ref: crossReference(record, billingMilestones.type, 'copy', context),
    })),
    evidence: { billing_milestones: reply.map(({ id }) => id) },
  }),

  /** Kantata refuses to delete what is on an invoice: that ends as a case, as it must. */
  compensate: (client, _wire, reply, { signal }) => removeAll(client, billingMilestones, reply, signal),
});

const liveLines = ({ billingSchedule = [] }: DealDocument) =>
  billingSchedule.filter(({ status }) => status !== 'superseded' && status !== 'cancelled');

function plannedLine(
  line: Draft<BillingScheduleLine>,
  workspace: number,
  { deal, settings, instance, system }: MappingContext,
): PlannedRecord {
  const milestone = deal.milestones?.find(({ id }) => line.trigger === 'milestone' && id === line.triggerRef);
  const story = milestone?.externalRefs.find(
    (ref) => ref.system === system && ref.instance === instance && ref.type === stories.type,
  );
  const title = titleOf(line, milestone, deal);
  return {
    canonicalId: line.id,
    body: defined({
      title: shortened(title, TITLE_MAX),
      // What has no date of its own is due with the project; a milestone's story says when it is completed.
      date_to_invoice: line.plannedDate ?? (story ? undefined : deal.project?.period?.to),
      amount_in_cents: inMinorUnits(required(line.amount, `Amount of ${title}`, STEP), 'amount', title),
      workspace_id: workspace,
      story_id: story && idNumber(story.id, 'Kantata id', `milestone ${milestone?.name}`),
      external_reference: externalReference(settings, 'BillingScheduleLine', line.id),
    }),
  };
}

/** What the line says itself, else the milestone that releases it, else the contract line with the number in it. */
function titleOf(
  { description, contractLineId, seq }: Draft<BillingScheduleLine>,
  milestone: Draft<Milestone> | undefined,
  { contractLines = [] }: DealDocument,
): string {
  const line = contractLines.find(({ id }) => id === contractLineId)?.description ?? 'Billing';
  return description ?? milestone?.name ?? [line, seq].filter(Boolean).join(' ');
}
