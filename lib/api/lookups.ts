import { sql } from 'kysely';
import * as z from 'zod';
import { type CanonicalId, decimalSchema, type Instant, type JsonObject, localDateSchema } from '../model';
import { open, type Store } from '../store';
import { findDeals } from './deal-index';
import { dealReport } from './deals';
import { type ApiContext, component, defineRoute, type Route } from './route';
import { instant, json, money } from './schemas/common';
import { waitsFor } from './schemas/deals';
import { refSummary } from './schemas/runs';
import { concealDeal } from './step-views';
import type { TokenScope } from './tokens';
import { refsByExternalId } from './xrefs';

/**
 * Read-only lookups for other programs, such as a portal or a bot: what the flows know, as they saw it last. No call to a
 * system is made for them. Each needs a token with its scope; nothing else of the interface takes tokens.
 */

export interface Lookup {
  route: Route;
  scope: TokenScope;
}

const common = { method: 'get', tag: 'Lookups', permission: 'q2c.read' } as const;
const ID = 'By canonical id, or the id in any system';

/** @returns the canonical id that an id of any system stands for, of this kind of record */
async function canonicalId(store: Store, id: string, entity: string): Promise<CanonicalId> {
  const refs = await refsByExternalId(store.db, id);
  return refs.find((ref) => ref.entity === entity)?.canonical_id ?? id;
}

const dealStatus = defineRoute({
  ...common,
  path: '/deals/:id',
  id: 'getDealStatus',
  summary:
    'How far a deal is: its records in every system, and what it waits for. By any id or number of the deal',
  reply: {
    kind: 'json',
    schema: component(
      'DealStatus',
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.string(),
        waitsFor: z.array(waitsFor.pick({ kind: true, who: true, what: true, since: true, until: true })),
        records: z.array(
          refSummary.pick({ entity: true, system: true, type: true, externalId: true, url: true }),
        ),
        asOf: instant,
      }),
    ),
  },
  handle: async ({ params }, context) => {
    const { store } = context.engine;
    const report = await dealReport(store, await dealId(context, params.id ?? ''));
    if (report === null) return null;
    await concealDeal(context, report.id);
    return {
      id: report.id,
      title: report.title,
      state: report.state,
      waitsFor: report.waitsFor.map(({ kind, who, what, since, until }) => ({
        kind,
        who,
        what,
        since,
        until,
      })),
      records: report.entities.flatMap(({ refs }) =>
        refs.map(({ entity, system, type, externalId, url }) => ({ entity, system, type, externalId, url })),
      ),
      asOf: store.now(),
    };
  },
});

/** A name is not enough: it must be one deal that is meant. */
async function dealId({ engine: { store }, services }: ApiContext, id: string): Promise<string> {
  const canonical = await canonicalId(store, id, 'opportunity');
  if (canonical !== id) return canonical;
  await services.dealIndex.catchUp();
  const exact = (await findDeals(store.db, id)).filter(
    ({ by, value }) => by !== 'name' && value === id.toLowerCase(),
  );
  return exact.length === 1 ? (exact[0]?.correlationId ?? id) : id;
}

/** The latest state of a record that an event has brought, with the time it was of. */
async function latestState(
  { db }: Store,
  subject: CanonicalId,
): Promise<{ data: JsonObject; asOf: Instant } | null> {
  // Through the run of the event, which there is an index for.
  const row = await db
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .select(['event.source', 'event.event_id', 'event.data', 'event.time', 'event.stamp'])
    .where('run.correlation_id', '=', subject)
    .where('event.subject', '=', subject)
    .orderBy('run.seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { data: JSON.parse(open(db, 'event', 'data', row)) as JsonObject, asOf: row.stamp ?? row.time };
}

const invoiceStatus = defineRoute({
  ...common,
  path: '/invoices/:id',
  id: 'getInvoiceStatus',
  summary: `Status of an invoice and of its payment, as the ERP last told. ${ID}`,
  reply: {
    kind: 'json',
    schema: component(
      'InvoiceStatus',
      z.object({
        id: z.string(),
        number: z.string().nullable(),
        documentStatus: z.string().nullable(),
        settlementStatus: z.string().nullable(),
        dueDate: z.string().nullable(),
        currency: z.string().nullable(),
        totals: json.nullable(),
        asOf: instant,
      }),
    ),
  },
  handle: async ({ params }, { engine: { store } }) => {
    const id = await canonicalId(store, params.id ?? '', 'invoice');
    const latest = await latestState(store, id);
    if (latest === null) return null;
    const { data, asOf } = latest;
    return {
      id,
      number: textOf(data.number),
      documentStatus: textOf(data.documentStatus),
      settlementStatus: textOf(data.settlementStatus),
      dueDate: textOf(data.dueDate),
      currency: textOf(data.currency),
      totals: data.totals ?? null,
      asOf,
    };
  },
});

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const creditStatus = defineRoute({
  ...common,
  path: '/customers/:id/credit',
  id: 'getCreditStatus',
  summary: `Credit status of a customer, as the flows last read it; \`hold\` also while a credit hold stops a deal. ${ID}`,
  reply: {
    kind: 'json',
    schema: component(
      'CreditStatus',
      z.object({
        id: z.string(),
        creditStatus: z.enum(['ok', 'review', 'hold', 'unknown']),
        creditLimit: money.nullable(),
        heldDeals: z.number(),
        asOf: instant.nullable(),
      }),
    ),
  },
  handle: async ({ params }, { engine: { store } }) => {
    const id = await canonicalId(store, params.id ?? '', 'customer');
    const known = await store.db
      .selectFrom('xref')
      .select('entity')
      .where('canonical_id', '=', id)
      .executeTakeFirst();
    if (known === undefined) return null;
    const read = await customerAsRead(store, id);
    const heldDeals = await holdsOf(store, id);
    const { creditStatus: status, creditLimit } = read?.customer ?? {};
    return {
      id,
      creditStatus: heldDeals > 0 ? 'hold' : (status ?? 'unknown'),
      creditLimit: creditLimit ?? null,
      heldDeals,
      asOf: read?.asOf ?? null,
    };
  },
});

const creditPart = z
  .object({ creditStatus: z.enum(['ok', 'review', 'hold']), creditLimit: money })
  .partial()
  .catch({});

/** Steps of one record that are looked at: the latest say what it is now. */
const LATEST = 20;

async function customerAsRead({ db }: Store, id: CanonicalId) {
  const steps = await db
    .selectFrom('step')
    .select(['key', 'result', 'ended_at'])
    .where('canonical_id', '=', id)
    .where('state', '=', 'confirmed')
    // What an earlier run was told is as old as that one.
    .where((where) => where.or([where('origin', 'is', null), where('origin', '!=', 'earlier_run')]))
    .orderBy('seq', 'desc')
    .limit(LATEST)
    .execute();
  for (const step of steps) {
    const result = JSON.parse(open(db, 'step', 'result', step) ?? '{}') as { merge?: { customer?: unknown } };
    const customer = creditPart.parse(result.merge?.customer ?? {});
    if (customer.creditStatus !== undefined) return { customer, asOf: step.ended_at };
  }
  return null;
}

async function holdsOf({ db }: Store, customer: CanonicalId): Promise<number> {
  const row = await db
    .selectFrom('exception_case')
    .select((each) => each.fn.countAll<number>().as('count'))
    .where('code', '=', 'CREDIT_HOLD')
    .where('state', 'not in', [sql.lit('resolved' as const), sql.lit('waived' as const)])
    .where('subject', '=', customer)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

const projectTemplates = defineRoute({
  ...common,
  path: '/project-templates',
  id: 'getProjectTemplates',
  summary:
    "Service lines of the firm, and the project template that each system has for them in the firm's set-up",
  query: z.strictObject({ serviceLine: z.string().optional() }),
  reply: {
    kind: 'json',
    schema: z.array(
      component(
        'ProjectTemplates',
        z.object({
          serviceLine: z.string(),
          name: z.string(),
          isAvailable: z.boolean(),
          templates: z.array(z.object({ system: z.string(), id: z.string() })),
        }),
      ),
    ),
  },
  handle: async ({ query }, { host }) =>
    host.firms().flatMap((firm) =>
      Object.entries(firm.serviceLines)
        .filter(([serviceLine]) => query.serviceLine === undefined || query.serviceLine === serviceLine)
        .map(([serviceLine, { name }]) => {
          const templates = entriesOf(firm.lookups, 'projectTemplate').filter(
            ({ key }) => key === serviceLine,
          );
          return {
            serviceLine,
            name,
            isAvailable: templates.length > 0,
            templates: templates.map(({ system, id }) => ({ system, id })),
          };
        }),
    ),
});

const rateFields = {
  amount: decimalSchema,
  unit: z.string(),
  validFrom: localDateSchema,
  validTo: localDateSchema.nullable(),
};

const rates = defineRoute({
  ...common,
  path: '/rates',
  id: 'getRates',
  summary:
    "Rate cards that systems bill a legal entity's work by in a currency, from the firm's set-up, with the rates of each role as the flows last read them",
  query: z.strictObject({
    legalEntity: z.string().optional(),
    currency: z.string().optional(),
    role: z.string().optional(),
    on: localDateSchema.optional().meta({ description: 'Only rates that are valid on this day' }),
  }),
  reply: {
    kind: 'json',
    schema: z.array(
      component(
        'RateCardRates',
        z.object({
          legalEntity: z.string(),
          currency: z.string(),
          system: z.string(),
          rateCard: z.string(),
          rates: z.array(
            z.object({
              role: z.string().nullable().meta({
                description: "As the firm's set-up names it; null for every role that the card does not name",
              }),
              ...rateFields,
            }),
          ),
          asOf: instant.nullable().meta({ description: 'Null when no flow has read the rates' }),
        }),
      ),
    ),
  },
  handle: async ({ query }, { host, engine: { store } }) => {
    const read = await ratesAsRead(store);
    return host.firms().flatMap((firm) => {
      const roles = entriesOf(firm.lookups, 'role');
      return entriesOf(firm.lookups, 'rateCard')
        .map(({ system, key, id }) => {
          const [legalEntity = '', currency = ''] = key.split(':');
          const known = read.find((each) => each.system === system);
          const rates = (known?.rates ?? [])
            .filter((rate) => rate.rateCard === id)
            .map(({ rateCard: _, currency: __, role, ...rate }) => ({
              role: roles.find((each) => each.system === system && each.id === role)?.key ?? role,
              ...rate,
            }))
            .filter(
              ({ role, validFrom, validTo }) =>
                (query.role ?? role) === role &&
                (query.on === undefined || (validFrom <= query.on && query.on <= (validTo ?? query.on))),
            );
          return { legalEntity, currency, system, rateCard: id, rates, asOf: known?.asOf ?? null };
        })
        .filter(
          (card) =>
            (query.legalEntity ?? card.legalEntity) === card.legalEntity &&
            (query.currency ?? card.currency) === card.currency,
        );
    });
  },
});

const rateRows = z.array(
  z.object({ rateCard: z.string(), role: z.string().nullable(), currency: z.string(), ...rateFields }),
);

/** What an operation that reads rate cards of a system names as their record. */
const ALL_RATE_CARDS = 'rate_cards';

/** The rates of each system as a flow last read them. */
async function ratesAsRead({ db }: Store) {
  const steps = await db
    .selectFrom('step')
    .select(['key', 'system', 'result', 'ended_at'])
    .where('canonical_id', '=', ALL_RATE_CARDS)
    .where('state', '=', 'confirmed')
    .orderBy('seq', 'desc')
    .limit(LATEST)
    .execute();
  return steps.map((step) => {
    const { rows } = JSON.parse(open(db, 'step', 'result', step) ?? '{}') as { rows?: unknown };
    return { system: step.system, rates: rateRows.parse(rows ?? []), asOf: step.ended_at };
  });
}

/** Entries of a lookup table of this name, over all systems. */
const entriesOf = (
  lookups: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>,
  table: string,
) =>
  Object.entries(lookups).flatMap(([system, tables]) =>
    Object.entries(tables[table] ?? {}).map(([key, id]) => ({ system, key, id })),
  );

export const lookups: readonly Lookup[] = [
  { route: dealStatus, scope: 'deal_status' },
  { route: invoiceStatus, scope: 'invoice_status' },
  { route: creditStatus, scope: 'credit_status' },
  { route: projectTemplates, scope: 'project_templates' },
  { route: rates, scope: 'rates' },
];
