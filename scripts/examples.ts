import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DealDocument,
  type EntityName,
  idPrefixes,
  type JsonObject,
  type JsonValue,
} from '../lib/model';
import { type Firm, lookup, parseFirm } from '../lib/rules';
import { loadSystem, manifests, type SystemId } from '../lib/systems';
import { memoryTokens } from '../lib/systems/kit/tokens';
import type { Operation, OperationResult, SystemClient, SystemModule } from '../lib/systems/kit/types';
import { mergeResults } from '../nodes/_shared/merge-result';
import { sampleDeal } from '../nodes/q2c-mapping/sample-deal';
import { type RunningSimulator, startSimulator } from '../simulator';

/**
 * `npm run examples`: carries every operation out on the sample deal against the simulated vendors, and keeps what it read
 * of the deal and what it added to it in `lib/systems/<id>/examples.json`. Forms show it beside the operation.
 */

export interface OperationExample {
  /** The parts of the deal document that the operation reads; one element of each list. */
  input: JsonObject;
  /** The parts that it changed, or the rows of `msg.result`. */
  output: JsonObject;
}

/** In an order in which each finds what it needs. */
const ORDER: Record<SystemId, readonly string[]> = {
  salesforce: ['deal.read', 'customer.upsert', 'contact.upsert', 'opportunity.update', 'records.query'],
  netsuite: [
    'customer.upsert',
    'customer.find',
    'contact.upsert',
    'project.upsert',
    'task.upsert',
    'billingSchedule.create',
    'charge.create',
    'salesOrder.create',
    'invoice.read',
    'payment.read',
    'records.query',
  ],
  kantata: [
    'project.create',
    'project.upsert',
    'project.find',
    'task.create',
    'billingSchedule.create',
    'staffingRequest.create',
    'timeEntry.read',
    'rateCard.read',
  ],
};

const PARAMETERS: Readonly<Record<string, string>> = {
  soql: "SELECT Id, Name FROM Account WHERE BillingCountry = 'DE' ORDER BY Name LIMIT 2",
  query: 'SELECT id, name FROM subsidiary ORDER BY id',
};

async function main(): Promise<void> {
  const firm = parseFirm(readFileSync(join(__dirname, '../nodes/q2c-firm/default-firm.json'), 'utf8'));
  const simulator = await startSimulator({ port: 0 });
  try {
    for (const id of Object.keys(manifests) as SystemId[]) {
      const examples = await new Session(simulator, firm, id).run();
      const file = join(__dirname, '../lib/systems', id, 'examples.json');
      writeFileSync(file, `${JSON.stringify(examples, null, 2)}\n`);
      console.log(`lib/systems/${id}/examples.json: ${Object.keys(examples).length} operations`);
    }
  } finally {
    await simulator.close();
  }
}

class Session {
  private deal: DealDocument = sampleDeal();
  private ids = 0;

  constructor(
    private readonly simulator: RunningSimulator,
    private readonly firm: Firm,
    private readonly id: SystemId,
  ) {}

  async run(): Promise<Record<string, OperationExample>> {
    const module = await loadSystem(this.id);
    const client = this.connect(module);
    const examples: Record<string, OperationExample> = {};
    try {
      for (const key of ORDER[this.id]) {
        await this.personActs(key);
        examples[key] = await this.carryOut(module, client, key);
      }
    } finally {
      await client.close();
    }
    return examples;
  }

  private connect(module: SystemModule): SystemClient {
    const auth = module.manifest.auth[0]?.id ?? '';
    const endpoint = this.simulator.systems[this.id];
    const values = { baseUrl: endpoint?.url ?? '', ...endpoint?.credentials[auth] };
    return module.createClient(
      { environment: 'simulator', auth, values },
      { tokens: memoryTokens(), log: () => undefined },
    );
  }

  private async carryOut(
    { manifest, operations }: SystemModule,
    client: SystemClient,
    key: string,
  ): Promise<OperationExample> {
    const operation = operations.find(({ entity, verb }) => `${entity}.${verb}` === key);
    if (operation === undefined) throw new Error(`${this.id} has no operation ${key}`);
    const declared = manifest.entities[operation.entity]?.operations[operation.verb]?.parameters ?? [];
    const parameters = Object.fromEntries(
      declared.map(({ id, default: preset }) => [id, PARAMETERS[id] ?? preset ?? '']),
    );
    const read = new Set<string>();
    const watched = watch(this.deal, read);
    const items = operation.select(watched, parameters);
    if (items.length === 0) throw new Error(`${this.id} ${key}: the sample deal has nothing for it`);
    const before = this.deal;
    const touched = new Set<string>();
    let rows: JsonValue | undefined;
    for (const item of items) {
      const result = await this.step(operation, client, item, watch(this.deal, read), parameters);
      for (const part of Object.keys(result.merge ?? {})) touched.add(part);
      rows = result.rows ?? rows;
      this.deal = mergeResults(this.deal, [result]);
    }
    const after = Object.entries(this.deal);
    for (const [part, value] of after) {
      if (value !== before[part as keyof DealDocument]) touched.add(part);
    }
    // A query needs a deal for its run only.
    const input = operation.verb === 'query' ? {} : pick(before, read);
    const output = { ...pick(this.deal, touched), ...(rows !== undefined && { result: shortened(rows) }) };
    return { input, output };
  }

  private async step(
    operation: Operation,
    client: SystemClient,
    item: Parameters<Operation['toSystem']>[0],
    deal: DealDocument,
    parameters: Readonly<Record<string, string>>,
  ): Promise<OperationResult> {
    const find = (table: string, key: string) => lookup(this.firm, this.id, table, key);
    const context = {
      deal,
      system: client.system,
      instance: client.instance,
      settings: client.settings,
      parameters,
      lookupOptional: find,
      lookup: (table: string, key: string) => find(table, key) ?? missing(`${table} ${key}`),
      refId: (
        entity: { externalRefs?: { system: string; type: string; id: string }[] } | undefined,
        type: string,
      ) =>
        entity?.externalRefs?.find((ref) => ref.system === client.system && ref.type === type)?.id ??
        missing(type),
    };
    const wire = operation.toSystem(item, context);
    const call = { idempotencyKey: item.id, attempt: 1, signal: new AbortController().signal };
    const reply = await operation.call(client, wire, call);
    const known = new Map<string, string>();
    return operation.fromSystem(reply, item, {
      ...context,
      idOf: (entity, type, externalId) => {
        const key = `${type} ${externalId}`;
        const id = known.get(key) ?? this.knownId(entity, externalId) ?? this.newId(entity);
        known.set(key, id);
        return id;
      },
    });
  }

  /** Records that are in the deal already keep their ids. */
  private knownId(entity: EntityName, externalId: string): string | undefined {
    const all = Object.values(this.deal).flat() as { id?: string; externalRefs?: { id: string }[] }[];
    return all.find(
      ({ id, externalRefs }) =>
        id?.startsWith(`${idPrefixes[entity]}_`) && externalRefs?.some((ref) => ref.id === externalId),
    )?.id;
  }

  private newId(entity: EntityName): string {
    this.ids += 1;
    return `${idPrefixes[entity]}_01KASY4Q8G3M6Z0V5T9R2B${String(this.ids).padStart(4, '0')}`;
  }

  /** What people do in the vendor before the operation has something to read. */
  private async personActs(key: string): Promise<void> {
    if (key === 'deal.read') {
      const [deal] = await this.control<{ opportunityId: string }[]>('deals/close', { count: 1 });
      const ref = {
        system: 'salesforce',
        instance: 'simulator',
        type: 'Opportunity',
        role: 'master' as const,
      };
      const { opportunity } = this.deal;
      if (deal === undefined || opportunity === undefined) throw new Error('there is no deal');
      const externalRefs = [{ ...ref, id: deal.opportunityId }];
      this.deal = { opportunity: { ...opportunity, externalRefs } } as DealDocument;
    } else if (key === 'opportunity.update') {
      this.deal = { ...this.deal, project: sampleDeal().project };
    } else if (key === 'salesOrder.create') {
      // Orders that nobody has to approve can be billed at once.
      await this.control('netsuite/records/account/1', { defaultOrderStatus: 'B' }, 'PATCH');
    } else if (key === 'invoice.read') {
      const order = this.refOf('salesOrder');
      const invoice = await this.control<{ id: string }>('netsuite/records/invoice', { createdFrom: order });
      await this.control('netsuite/records/customerPayment', { createdFrom: invoice.id });
    } else if (key === 'timeEntry.read') {
      const time = { date_performed: '2026-02-02', time_in_minutes: 450, notes: 'Workshop' };
      await this.control('kantata/records/time_entries', { workspace_id: this.refOf('Workspace'), ...time });
    }
  }

  /** This vendor's id of whatever in the deal has one of that type. */
  private refOf(type: string): string {
    const refs = JSON.stringify(this.deal).matchAll(/"type":"(\w+)","id":"([^"]+)"/g);
    for (const [, found, id] of refs) if (found === type) return String(id);
    return missing(type);
  }

  private async control<T>(path: string, body: object, method = 'POST'): Promise<T> {
    const response = await fetch(`${this.simulator.url}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** The deal, noting which parts of it are read. */
function watch(deal: DealDocument, read: Set<string>): DealDocument {
  return new Proxy(deal, {
    get(target, part, receiver) {
      if (typeof part === 'string') read.add(part);
      return Reflect.get(target, part, receiver);
    },
  });
}

function pick(deal: DealDocument, parts: ReadonlySet<string>): JsonObject {
  const entries = Object.entries(deal).filter(([part, value]) => parts.has(part) && value !== undefined);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(entries.map(([part, value]) => [part, shortened(value as JsonValue)]))),
  );
}

/** One element says what the others look like; of rows two do. */
const shortened = (value: JsonValue): JsonValue => (Array.isArray(value) ? value.slice(0, 1) : value);

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
