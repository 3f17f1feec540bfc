import type { DealDocument, Draft, JsonObject, Money, Project } from '../../../model';
import { defined, defineOperation, type MappingContext } from '../../kit';
import type { KantataClient } from '../client';
import { externalReferences, workspaces } from '../collections';
import { idNumber, inWholeUnitsUp, required, shortened, TITLE_MAX, templateId } from '../mapping';
import { createMissing, externalReference, findOwned, type OwnedRecord, type PlannedRecord } from '../references';
import { VISIBLE_AFTER_MS, projectResult, selectProject } from './project';

const STEP = 'the Kantata project is created';

/** A project with dates, currency and budget, from the firm's template for the service line if there is one. */
export const createProject = defineOperation({
  entity: 'project',
  verb: 'create',
  recordType: workspaces.type,
  duplicateSafety: 'probe-first',
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: selectProject,

  toSystem(project: Draft<Project>, context: MappingContext): PlannedRecord {
    const value = contractValue(context.deal);
    const template = templateId(context.deal, context);
    const body = {
      title: shortened(required(project.name, 'project.name', STEP), TITLE_MAX),
      description: descriptionOf(context.deal, value),
      creator_role: 'maven',
      currency: required(context.deal.contract?.currency ?? value?.currency, 'contract.currency', STEP),
      start_date: project.period?.from,
      due_date: project.period?.to,
      require_time_approvals: true,
      require_expense_approvals: true,
      rate_card_id: rateCardId(context),
      ...(value && { budgeted: true, price: inWholeUnitsUp(value, 'value', documentOf(context.deal)) }),
      ...(template !== undefined && {
        project_tracker_template_id: template,
        project_template_start_date: required(project.period?.from, 'project.period.from', STEP),
      }),
      external_reference: externalReference(
        context.settings,
        'Project',
        project.id,
        value && exactValue(value),
      ),
    };
    return { canonicalId: project.id, body: defined(body) };
  },

  async call(client: KantataClient, wire: PlannedRecord, { signal }) {
    const [created] = await createMissing(client, workspaces, [wire], new Map(), signal);
    return created as OwnedRecord;
  },

  async probe(client, wire, { signal }) {
    const found = await findOwned(client, workspaces, [wire.canonicalId], signal);
    return found.get(wire.canonicalId) ?? null;
  },

  fromSystem: (reply, project, context) => projectResult(reply, project, context),

  /**
   * Archives the project, and takes our reference off it: a later attempt at the same deal must not adopt a
   * project that was given up.
   */
  async compensate(client, _wire, reply, { signal }) {
    await client.updateIfPresent(workspaces, reply.id, { archived: true }, signal);
    await client.remove(externalReferences, reply.referenceId, signal);
  },
});

/** What the budget says: the contract, or the project's own revenue budget; nothing when neither has a value. */
function contractValue({ contract, project }: DealDocument): Money | undefined {
  const value = contract?.totalValue ?? project?.budget?.revenue;
  return value && Number(value.amount) > 0 ? value : undefined;
}

const exactValue = ({ amount, currency }: Money): string => `Contract value ${currency} ${amount}`;

const documentOf = ({ contract, project }: DealDocument): string =>
  contract?.number ? `contract ${contract.number}` : `project ${project?.code ?? project?.id}`;

/** The exact value stands here, because the budget of a Kantata project has no cents. */
function descriptionOf({ contract, project }: DealDocument, value: Money | undefined): string {
  return [
    project?.code && `Project ${project.code}`,
    contract?.number && `Contract ${[contract.number, contract.title].filter(Boolean).join(', ')}`,
    contract?.poNumber && `Purchase order ${contract.poNumber}`,
    value && `${exactValue(value)}; the budget is rounded up to whole units`,
  ]
    .filter(Boolean)
    .join('\n');
}

/** Table `rateCard`, key `<legal entity id>:<currency>`; without an entry Kantata uses the account's default card. */
function rateCardId(context: MappingContext): number | undefined {
  const { contract, project } = context.deal;
  const key = `${contract?.legalEntityId ?? project?.legalEntityId}:${contract?.currency}`;
  const id = context.lookupOptional('rateCard', key);
  return id ? idNumber(id, `rateCard of ${key}`, 'the firm') : undefined;
}

export type ProjectBody = JsonObject;
