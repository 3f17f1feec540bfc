import {
  type DealDocument,
  type Draft,
  type JsonObject,
  type Money,
  type Project,
  shortened,
} from '../../../model';
import { defined, defineOperation, type MappingContext, required } from '../../kit';
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

/** A project with dates, currency and budget, from the firm's template for the service line if there is one. */
export const createProject = defineOperation({
  entity: 'project',
  verb: 'create',
  recordType: workspaces.type,
  duplicateSafety: 'probe-first',
  // The deal may be corrected for the ERP's sake when the project is there already.
  takesChanges: true,
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: ({ project }: DealDocument) => (project ? [project] : []),

  toSystem: (project: Draft<Project>, context: MappingContext): PlannedRecord[] => [
    { canonicalId: project.id, body: projectBody(project, context) },
  ],

  async call(client: KantataClient, wire, { signal, found: probed }) {
    if (probed === undefined) return createMissing(client, workspaces, wire, new Map(), signal);
    const found = probed as OwnedRecord[];
    for (const { canonicalId, body } of wire) {
      const record = found.find((each) => each.canonicalId === canonicalId);
      if (record) await client.updateIfPresent(workspaces, record.id, changesOf(body), signal);
    }
    return found;
  },

  probe: (client, wire, { signal }) => findAll(client, workspaces, wire, signal),

  fromSystem: (reply, project, context) => projectResult(reply, project, context),

  async adopt(client, id, [planned], context) {
    if (planned === undefined) return null;
    const record = await adoptRecord(client, workspaces, id, planned, context);
    return record && [record];
  },

  /**
   * Archives the project and takes our reference off it: a later attempt at the same deal must not adopt a
   * project that was given up.
   */
  async compensate(client, _wire, reply, { signal }) {
    for (const { id, referenceId } of reply) {
      await client.updateIfPresent(workspaces, id, { archived: true }, signal);
      await client.remove(externalReferences, referenceId, signal);
    }
    return 'removed';
  },
});

/** What of a project follows the deal. The template is applied once, and the currency is that of amounts already booked. */
const changesOf = ({ title, description, start_date, due_date, price }: JsonObject): JsonObject =>
  defined({ title, description, start_date, due_date, price });

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
