import { type DealDocument, type Draft, deriveId, type ExternalRef } from '../../../../lib/model';
import { createKantataClient, type KantataClient } from '../../../../lib/systems/kantata/client';
import {
  type ClientDependencies,
  type Limits,
  MappingError,
  memoryTokens,
  type ReadContext,
} from '../../../../lib/systems/kit';
import { KANTATA_LISTS } from '../../../../simulator/seed/world';

type Lookups = Record<string, Record<string, string>>;

const LEGAL_ENTITY = 'len_01JZX5M8Q0000000000000000A';
const PROJECT = 'prj_01JZX5M8Q0000000000000000B';
const CONTRACT = 'ctr_01JZX5M8Q0000000000000000C';
const LINE = 'ctl_01JZX5M8Q0000000000000000D';

const common = {
  version: 1,
  externalRefs: [],
  createdAt: '2026-01-02T08:00:00.000Z',
  updatedAt: '2026-01-02T08:00:00.000Z',
  sourceSystem: 'salesforce',
  extensions: {},
  legalEntityId: LEGAL_ENTITY,
};

export const ids = {
  project: PROJECT,
  discovery: deriveId('task', PROJECT, 'discovery'),
  interviews: deriveId('task', PROJECT, 'interviews'),
  goLive: deriveId('milestone', PROJECT, 'go-live'),
  acceptance: deriveId('milestone', PROJECT, 'acceptance'),
  first: deriveId('billingScheduleLine', PROJECT, '1'),
  second: deriveId('billingScheduleLine', PROJECT, '2'),
};

/** A planned deal: EUR 30,000.50 in two milestones, two tasks of which one stands in the other. */
export function sampleDeal(): DealDocument & { project: Draft<NonNullable<DealDocument['project']>> } {
  const task = (id: string, name: string, parentId?: string) => ({
    ...common,
    id,
    name,
    parentId,
    projectId: PROJECT,
    contractLineId: LINE,
    billable: true,
    budgetHours: '37.5',
    period: { from: '2026-01-05', to: '2026-03-31' },
  });
  const milestone = (id: string, name: string, plannedDate: string, amount: string) => ({
    ...common,
    id,
    name,
    plannedDate,
    contractLineId: LINE,
    projectId: PROJECT,
    amount: { amount, currency: 'EUR' },
    status: 'planned' as const,
    billingStatus: 'not_ready' as const,
  });
  const line = (id: string, seq: number, triggerRef: string, plannedDate: string, amount: string) => ({
    ...common,
    id,
    seq,
    triggerRef,
    plannedDate,
    contractLineId: LINE,
    projectId: PROJECT,
    trigger: 'milestone' as const,
    amount: { amount, currency: 'EUR' },
    revision: 1,
    status: 'planned' as const,
  });
  return {
    contract: {
      ...common,
      id: CONTRACT,
      number: 'C-1001',
      title: 'CRM rollout',
      currency: 'EUR',
      poNumber: 'PO-77',
      totalValue: { amount: '30000.50', currency: 'EUR' },
    },
    contractLines: [{ ...common, id: LINE, lineNo: 1, description: 'Rollout', commercialModel: 'milestone' }],
    project: {
      ...common,
      id: PROJECT,
      contractId: CONTRACT,
      code: 'P-1001',
      name: 'ACME – CRM rollout',
      serviceLine: 'implementation',
      period: { from: '2026-01-05', to: '2026-06-30' },
      status: 'provisioning',
    },
    tasks: [task(ids.interviews, 'Interviews', ids.discovery), task(ids.discovery, 'Discovery')],
    milestones: [
      milestone(ids.goLive, 'Go-live', '2026-04-30', '20000.25'),
      milestone(ids.acceptance, 'Acceptance', '2026-06-30', '10000.25'),
    ],
    billingSchedule: [
      line(ids.first, 1, ids.goLive, '2026-04-30', '20000.25'),
      line(ids.second, 2, ids.acceptance, '2026-06-30', '10000.25'),
    ],
  };
}

/** The firm's tables for the simulated Kantata account. */
export const firmTables: Lookups = {
  projectTemplate: KANTATA_LISTS.projectTemplate,
  role: KANTATA_LISTS.role,
  rateCard: { [`${LEGAL_ENTITY}:EUR`]: KANTATA_LISTS.rateCard['meridian-de:EUR'] },
};

export function contextOf(
  deal: DealDocument,
  { tables = firmTables, parameters = {} }: { tables?: Lookups; parameters?: Record<string, string> } = {},
): ReadContext {
  const missing = (what: string) =>
    new MappingError('MANDATORY_FIELD_MISSING', `${what} is missing`, { field: what });
  const lookupOptional = (table: string, key: string) => tables[table]?.[key];
  const matches = (type: string) => (ref: ExternalRef) =>
    ref.system === 'kantata' && ref.instance === 'meridian' && ref.type === type;
  return {
    deal,
    parameters,
    system: 'kantata',
    instance: 'meridian',
    settings: { serviceName: 'q2c' },
    lookupOptional,
    lookup(table, key) {
      const value = lookupOptional(table, key);
      if (value === undefined) throw missing(`${table} of ${key}`);
      return value;
    },
    refId(entity, type, what) {
      const ref = entity?.externalRefs?.find(matches(type));
      if (!ref) throw missing(`${type} of ${what}`);
      return ref.id;
    },
    idOf: (entity, type, id) => deriveId(entity, PROJECT, `${type}:${id}`),
  };
}

/** The deal as it is after its project was created in Kantata. */
export function withProject(
  deal: DealDocument & { project: Draft<NonNullable<DealDocument['project']>> },
  id: string,
) {
  const ref: ExternalRef = { system: 'kantata', instance: 'meridian', type: 'Workspace', id, role: 'master' };
  return { ...deal, project: { ...deal.project, externalRefs: [ref] } };
}

export const callContext = () => ({
  idempotencyKey: 'key',
  attempt: 1,
  signal: new AbortController().signal,
});

const dependencies: ClientDependencies = {
  tokens: memoryTokens(),
  log: () => {},
};

export function clientOf(values: Record<string, string>, limits: Partial<Limits> = {}): KantataClient {
  return createKantataClient(
    {
      environment: 'simulator',
      auth: 'access-token',
      values: { accountName: 'meridian', ...values },
      limits,
    },
    dependencies,
  );
}
