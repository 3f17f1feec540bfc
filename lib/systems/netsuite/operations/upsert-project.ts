import { add, type DealDocument, type Draft, type JsonObject, type Project } from '../../../model';
import { afterWrite, defined, defineOperation, jsonNumberOf, type MappingContext, required } from '../../kit';
import { billingTypeOf } from '../billing-type';
import type { NetSuiteClient } from '../client';
import { externalIdOf, fixedAmount, liveLines, reference, refTo, sellingEntity } from '../mapping';
import { adoptRecord, type RecordReply, type RecordWire, removeOrInactivate } from '../written-record';

const STEP = 'the project is created in NetSuite';

export interface ProjectReply extends RecordReply {
  /** Project number, as NetSuite shows it. */
  number: string;
}

/** One project (record type job) per project of the deal, below its customer. */
export const upsertProject = defineOperation<NetSuiteClient, Draft<Project>, RecordWire, ProjectReply>({
  entity: 'project',
  verb: 'upsert',
  recordType: 'job',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: ({ project }) => (project ? [project] : []),

  toSystem: (project, context) => ({
    externalId: externalIdOf(context, project.id),
    body: projectBody(project, context),
  }),

  async call(client, { externalId, body }, { signal }) {
    const id = await client.records.upsert('job', externalId, body, { signal });
    // An account that numbers projects itself does not take our code.
    const read = () => client.records.read('job', id, { fields: 'entityId' }, signal);
    const { entityId } = await afterWrite(read);
    return { id, number: String(entityId ?? body.entityId) };
  },

  fromSystem({ id, number }, project, context) {
    return {
      refs: [refTo(context, { id: project.id, entity: 'project', type: 'job', recordId: id })],
      merge: { project: { id: project.id, externalRefs: project.externalRefs, number } },
      evidence: { id, number },
    };
  },

  async probe(client, { externalId }, { signal }) {
    const record = await client.records.find('job', externalId, ['entityId'], signal);
    return record && { id: record.id, number: String(record.entityId ?? '') };
  },

  async adopt(client, id, { externalId }, context) {
    const record = await adoptRecord(client, 'job', id, externalId, ['entityId'], context);
    return record && { id: record.id, number: String(record.entityId ?? '') };
  },

  compensate: (client, _wire, { id }, { signal }) => removeOrInactivate(client, 'job', id, signal),
});

function projectBody(project: Draft<Project>, context: MappingContext): JsonObject {
  const { deal } = context;
  const { contract, customer } = deal;
  const currency = contract?.currency ?? customer?.defaultCurrency;
  return defined({
    entityId: required(project.code, 'Project code', STEP),
    companyName: required(project.name, 'Project name', STEP),
    parent: reference(context.refId(customer, 'customer', 'the customer')),
    // Of its customer, also when another legal entity delivers.
    subsidiary: reference(context.lookup('subsidiary', sellingEntity(deal, STEP))),
    currency: reference(context.lookup('currency', required(currency, 'Currency of the contract', STEP))),
    jobBillingType: reference(context.lookup('jobBillingType', billingTypeOf(deal))),
    projectExpenseType: reference(context.lookup('projectExpenseType', 'regular')),
    entityStatus: reference(context.lookup('jobStatus', statusKeyOf(project))),
    startDate: (project.period ?? contract?.effective)?.from,
    projectedEndDate: (project.period ?? contract?.effective)?.to,
    jobPrice: projectPrice(deal),
  });
}

/** Key in the firm's table `jobStatus`. */
function statusKeyOf({ status }: Draft<Project>): 'pending' | 'in_progress' | 'closed' {
  if (status === 'active' || status === 'on_hold') return 'in_progress';
  return status === 'completed' || status === 'closed' || status === 'cancelled' ? 'closed' : 'pending';
}

function projectPrice(deal: DealDocument): number | undefined {
  const amounts = liveLines(deal).flatMap((line) => fixedAmount(line, deal)?.amount ?? []);
  return amounts.length > 0 ? jsonNumberOf(add(...amounts), 'NetSuite', 'Price of the project') : undefined;
}
