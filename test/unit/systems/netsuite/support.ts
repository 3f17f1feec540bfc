import type { DealDocument, Draft, EntityName, JsonValue } from '../../../../lib/model';
import { idPrefixes } from '../../../../lib/model';
import type { ReadContext } from '../../../../lib/systems/kit';
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  MappingError,
} from '../../../../lib/systems/kit';
import { NETSUITE_LISTS } from '../../../../simulator/seed/world';

export const INSTANCE = '1234567_SB1';

/** Canonical id number `n` of an entity. */
export const id = (entity: EntityName, n = 1): string =>
  `${idPrefixes[entity]}_01KASY4Q8G3M6Z0V5T9R2B${String(n).padStart(4, '0')}`;

const LEGAL_ENTITY = id('legalEntity');

/** The firm's tables as they are for the simulated account. */
const TABLES: Record<string, Readonly<Record<string, string>>> = {
  ...NETSUITE_LISTS,
  subsidiary: { [LEGAL_ENTITY]: '2' },
};

export function contextOf(deal: DealDocument, settings: Record<string, string> = {}): ReadContext {
  const own = { externalIdPrefix: 'q2c:', customerTaxField: 'vatRegNumber', ...settings };
  const lookupOptional = (table: string, key: string) => TABLES[table]?.[key];
  return {
    deal,
    system: 'netsuite',
    instance: INSTANCE,
    settings: own,
    parameters: {},
    lookupOptional,
    lookup(table, key) {
      const value = lookupOptional(table, key);
      if (value !== undefined) return value;
      throw new MappingError('MANDATORY_FIELD_MISSING', `${table} has no entry for ${key}`, {
        field: table,
        step: key,
      });
    },
    refId(entity, type, what) {
      const ref = entity?.externalRefs?.find((each) => each.type === type);
      if (ref) return ref.id;
      throw new MappingError('MANDATORY_FIELD_MISSING', `${what} is not in NetSuite yet`, {
        field: what,
        step: type,
      });
    },
    idOf: (entity, _type, externalId) => id(entity, Number(externalId)),
  };
}

/** The entity with a record of the given type in NetSuite. */
export function inNetSuite<T extends { externalRefs: unknown[] }>(
  entity: T,
  type: string,
  recordId: string,
): T {
  const ref = { system: 'netsuite', instance: INSTANCE, type, id: recordId, role: 'copy' };
  return { ...entity, externalRefs: [...entity.externalRefs, ref] };
}

const common = { externalRefs: [], legalEntityId: LEGAL_ENTITY };
const eur = (amount: string) => ({ amount, currency: 'EUR' });

const line = (n: number, fields: Partial<Draft<NonNullable<DealDocument['contractLines']>[number]>>) => ({
  ...common,
  id: id('contractLine', n),
  contractId: id('contract'),
  lineNo: n,
  dimensions: { serviceLine: 'implementation' },
  ...fields,
});

/** Contract C of guides §12: milestones 150,000, capped time 60,000, retainer 12 × 2,500; euro. */
export function workedExample(): Required<
  Pick<
    DealDocument,
    | 'customer'
    | 'contacts'
    | 'contract'
    | 'contractLines'
    | 'project'
    | 'tasks'
    | 'milestones'
    | 'billingSchedule'
  >
> {
  const amounts = ['45000.00', '75000.00', '30000.00'];
  const dates = ['2026-02-28', '2026-05-31', '2026-08-31'];
  return {
    customer: {
      ...common,
      id: id('customer'),
      legalName: 'Nordwind Maschinenbau GmbH',
      country: 'DE',
      billingAddress: {
        lines: ['Hafenstr. 12', 'Haus B'],
        city: 'Bonn',
        region: 'DE-NW',
        postalCode: '53111',
        country: 'DE',
      },
      taxProfile: { registrationNumber: 'DE136695976', status: 'registered' },
      defaultCurrency: 'EUR',
      paymentTerms: 'net_30',
      website: 'https://nordwind.example',
    },
    contacts: [
      {
        ...common,
        id: id('contact'),
        customerId: id('customer'),
        name: 'Ada Lindqvist',
        firstName: 'Ada',
        lastName: 'Lindqvist',
        email: 'Ada@nordwind.example',
        title: 'CFO',
      },
    ],
    contract: {
      ...common,
      id: id('contract'),
      customerId: id('customer'),
      number: 'C-2026-0001',
      title: 'ERP rollout',
      effective: { from: '2026-01-05', to: '2026-12-31' },
      currency: 'EUR',
      totalValue: eur('240000.00'),
      paymentTerms: 'net_30',
      poNumber: 'PO-4711',
    },
    contractLines: [
      line(1, { description: 'Rollout', commercialModel: 'milestone', amount: eur('150000.00') }),
      line(2, {
        description: 'Consulting',
        commercialModel: 'time_and_materials',
        capAmount: eur('60000.00'),
      }),
      line(3, { description: 'Support', commercialModel: 'retainer', amount: eur('30000.00') }),
    ],
    project: {
      ...common,
      id: id('project'),
      contractId: id('contract'),
      customerId: id('customer'),
      code: 'P-C-2026-0001',
      name: 'Nordwind ERP rollout',
      serviceLine: 'implementation',
      period: { from: '2026-01-05', to: '2026-12-31' },
      status: 'provisioning',
    },
    tasks: [
      {
        ...common,
        id: id('task', 1),
        projectId: id('project'),
        name: 'Rollout',
        contractLineId: id('contractLine', 1),
        billable: true,
        budgetHours: '120.5',
        status: 'planned',
      },
    ],
    milestones: amounts.map((amount, index) => ({
      ...common,
      id: id('milestone', index + 1),
      contractLineId: id('contractLine', 1),
      name: `M${index + 1}`,
      plannedDate: dates[index],
      amount: eur(amount),
      status: 'planned',
    })),
    billingSchedule: [
      ...amounts.map((amount, index) => ({
        ...common,
        id: id('billingScheduleLine', index + 1),
        contractLineId: id('contractLine', 1),
        seq: index + 1,
        description: `M${index + 1}`,
        trigger: 'milestone' as const,
        triggerRef: id('milestone', index + 1),
        plannedDate: dates[index],
        amount: eur(amount),
        status: 'planned' as const,
      })),
      ...Array.from({ length: 12 }, (_, index) => ({
        ...common,
        id: id('billingScheduleLine', 100 + index),
        contractLineId: id('contractLine', 3),
        seq: index + 1,
        description: `Support ${index + 1}`,
        trigger: 'period_start' as const,
        plannedDate: `2026-${String(index + 1).padStart(2, '0')}-01`,
        amount: eur('2500.00'),
        status: 'planned' as const,
      })),
    ],
  };
}

/** Only the milestones of the worked example: a fixed-bid project. */
export function fixedBid(): ReturnType<typeof workedExample> {
  const deal = workedExample();
  return {
    ...deal,
    contractLines: deal.contractLines.filter(({ commercialModel }) => commercialModel === 'milestone'),
    billingSchedule: deal.billingSchedule.filter(({ trigger }) => trigger === 'milestone'),
  };
}

/** The deal after customer and project have been written. */
export function provisioned<D extends DealDocument>(deal: D): D {
  return {
    ...deal,
    customer: deal.customer && inNetSuite(deal.customer, 'customer', '107'),
    project: deal.project && inNetSuite(deal.project, 'job', '328'),
  };
}

export type Answer = Partial<HttpResponse> | Error;

/** An HTTP client that records what is asked and answers from the list, in order. */
export function scriptedHttp(answers: Answer[]): HttpClient & { requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    async request(request) {
      requests.push(request);
      const answer = answers.shift();
      if (answer === undefined) throw new Error(`Nothing scripted for ${request.method} ${request.path}`);
      if (answer instanceof Error) throw answer;
      return { status: 200, headers: {}, body: null, ...answer };
    },
    health: () => ({ breaker: 'closed', inFlight: 0, waiting: 0 }),
    close: async () => {},
  };
}

export const json = (body: JsonValue): Answer => ({ body });
