import { type DealDocument, type Draft, type Money, type Project, shortened } from '../../../model';
import {
  type CallContext,
  defined,
  defineOperation,
  type MappingContext,
  type ReadContext,
  required,
  type UndoEffect,
} from '../../kit';
import type { KantataClient } from '../client';
import { externalReferences, workspaces } from '../collections';
import { budgetOf, idNumber, inWholeUnitsUp, TITLE_MAX, templateId } from '../mapping';
import {
  adoptRecord,
  createMissing,
  externalReference,
  findAll,
  type OwnedRecord,
  type PlannedRecord,
  VISIBLE_AFTER_MS,
} from '../references';
import { projectResult } from './find-project';

const STEP = 'the Kantata project is created';

/** What creating a project and keeping it up to date share. */
export const projectOperation = {
  entity: 'project',
  recordType: workspaces.type,
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: ({ project }: DealDocument): Draft<Project>[] => (project ? [project] : []),

  toSystem: (project: Draft<Project>, context: MappingContext): PlannedRecord[] => [
    { canonicalId: project.id, body: projectBody(project, context) },
  ],

  probe: (client: KantataClient, wire: PlannedRecord[], { signal }: CallContext) =>
    findAll(client, workspaces, wire, signal),

  fromSystem: (reply: OwnedRecord[], project: Draft<Project>, context: ReadContext) =>
    projectResult(reply, project, context),

  async adopt(client: KantataClient, id: string, [planned]: PlannedRecord[], context: CallContext) {
    if (planned === undefined) return null;
    const record = await adoptRecord(client, workspaces, id, planned, context);
    return record && [record];
  },

  /**
   * Archives the project and takes our reference off it: a later attempt at the same deal must not adopt a
   * project that was given up.
   */
  async compensate(
    client: KantataClient,
    _wire: PlannedRecord[],
    reply: OwnedRecord[],
    { signal }: CallContext,
  ): Promise<UndoEffect> {
    for (const { id, referenceId } of reply) {
      await client.updateIfPresent(workspaces, id, { archived: true }, signal);
      await client.remove(externalReferences, referenceId, signal);
    }
    return 'removed';
  },
};

/** A project with dates, currency and budget, from the firm's template for the service line if there is one. */
export const createProject = defineOperation({
  ...projectOperation,
  verb: 'create',
  duplicateSafety: 'probe-first',
  call: (client: KantataClient, wire, { signal }) =>
    createMissing(client, workspaces, wire, new Map(), signal),
});

function projectBody(project: Draft<Project>, context: MappingContext) {
  const { deal, settings } = context;
  const value = budgetOf(deal);
  const template = templateId(deal, context);
  return defined({
    title: shortened(required(project.name, 'Project name', STEP), TITLE_MAX),
    description: descriptionOf(deal, value),
    creator_role: 'maven',
    currency: required(deal.contract?.currency ?? value?.currency, 'Currency of the contract', STEP),
    start_date: project.period?.from,
    due_date: project.period?.to,
    require_time_approvals: true,
    require_expense_approvals: true,
    rate_card_id: rateCardId(context),
    ...(value && { budgeted: true, price: inWholeUnitsUp(value, 'value', documentOf(deal)) }),
    ...(template !== undefined && {
      project_tracker_template_id: template,
      project_template_start_date: required(project.period?.from, 'Start date of the project', STEP),
    }),
    external_reference: externalReference(settings, 'Project', project.id, value && inWords(value)),
  });
}

const inWords = ({ amount, currency }: Money): string => `Contract value ${currency} ${amount}`;

const documentOf = ({ contract, project }: DealDocument): string =>
  contract?.number ? `contract ${contract.number}` : `project ${project?.code ?? project?.id}`;

/** The exact value stands here, because the budget of a Kantata project has no cents. */
function descriptionOf({ contract, project }: DealDocument, value: Money | undefined): string {
  return [
    project?.code && `Project ${project.code}`,
    contract?.number && `Contract ${[contract.number, contract.title].filter(Boolean).join(', ')}`,
    contract?.poNumber && `Purchase order ${contract.poNumber}`,
    value && `${inWords(value)} (the budget of the project is rounded up to whole units)`,
  ]
    .filter(Boolean)
    .join('\n');
}

/** Table `rateCard`, key `<legal entity id>:<currency>`; without an entry Kantata takes the account's default card. */
function rateCardId(context: MappingContext): number | undefined {
  const { contract, project } = context.deal;
  const key = `${contract?.legalEntityId ?? project?.legalEntityId}:${contract?.currency}`;
  const id = context.lookupOptional('rateCard', key);
  return id ? idNumber(id, `rateCard of ${key}`, 'the firm') : undefined;
}
