import type { CaseSubject, Engine, Failure, NodeInfo, Step, StepReply } from '../../lib/engine';
import {
  type CanonicalId,
  type DealDocument,
  type EntityName,
  type ExceptionCode,
  isExceptionCode,
  type JsonValue,
  ownerRole,
  personNames,
  Q2cError,
  shortened,
} from '../../lib/model';
import { type Firm, lookup } from '../../lib/rules';
import { MappingError, SystemError } from '../../lib/systems/kit/errors';
import type {
  Item,
  MappingContext,
  Operation,
  OperationResult,
  Reference,
  SystemClient,
  SystemManifest,
} from '../../lib/systems/kit/types';
import { amountAtRisk } from './amount-at-risk';
import { caseFacts } from './case-facts';
import type { MappingInUse } from './mapping-node';
import { mergeResults } from './merge-result';
import { vendorFields } from './vendor-fields';

/** Joins a vendor's operation with the engine's write protocol, one journaled step per item. */

export interface OperationRequest {
  engine: Engine;
  runId: string;
  node: NodeInfo;
  manifest: SystemManifest;
  client: SystemClient;
  operation: Operation;
  firm: Firm | null;
  deal: DealDocument;
  parameters: Record<string, string>;
  /** Of the mapping that the deal went through: its version, and its lookup tables, which go before the firm's. */
  mapping?: MappingInUse;
}

/** What all items of a message have in common. */
interface Work extends OperationRequest {
  context: MappingContext;
  withVendorFields: ReturnType<typeof vendorFields>;
}

/** Items of one message under way at once; the connection's own budget still rules. */
const PARALLEL_ITEMS = 4;

/**
 * Runs an operation for every item of the deal.
 * @returns the deal with what the system returned, and rows of queries
 * @throws CaseOpened when something is stuck; items that came through stay journaled.
 */
export async function runOperation(
  request: OperationRequest,
): Promise<{ deal: DealDocument; rows?: JsonValue }> {
  const items = request.operation.select(request.deal, request.parameters);
  const work: Work = {
    ...request,
    context: mappingContext(request),
    withVendorFields: vendorFields(request),
  };
  const results: OperationResult[] = new Array(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item === undefined) continue;
      try {
        results[index] = await runItem(work, item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_ITEMS, items.length) }, worker));
  if (failures.length > 0) throw failures[0];

  const rows = results.map((result) => result.rows).filter((row) => row !== undefined);
  return {
    deal: mergeResults(request.deal, results),
    ...(rows.length > 0 ? { rows: rows.length === 1 ? rows[0] : rows } : {}),
  };
}

async function runItem(work: Work, item: Item): Promise<OperationResult> {
  const { engine, runId, operation, context } = work;
  let wire: JsonValue;
  try {
    wire = work.withVendorFields(operation.toSystem(item, context) as JsonValue, item);
  } catch (error) {
    const { manifest, node } = work;
    const failure = failureOf(error, { manifest, operation, node: node.name });
    const about = aboutOf(work, item);
    return engine.fail(runId, [
      {
        node,
        code: failure.code,
        message: failure.message,
        subject: item.id,
        about: { ...about, params: { ...about.params, ...failure.params } },
      },
    ]);
  }
  // An empty list of records, such as the tasks of a project that has them from its template.
  if (Array.isArray(wire) && wire.length === 0) return { refs: [] };
  const outcome = await engine.step(runId, stepOf(work, item, wire));
  return outcome as OperationResult;
}

function stepOf(work: Work, item: Item, wire: JsonValue): Step {
  const { client, operation, node, manifest, mapping } = work;
  const finish = (reply: unknown): Promise<StepReply> => finishReply(work, item, reply);
  const { probe, adopt } = operation;
  return {
    node,
    system: client.system,
    instance: client.instance,
    operation: `${operation.entity}.${operation.verb}`,
    updates: operation.verb === 'upsert' || operation.verb === 'update',
    readOnly: operation.duplicateSafety === 'read-only',
    probeFirst: operation.duplicateSafety === 'probe-first',
    canonicalId: item.id,
    recordType: operation.recordType,
    businessVersion: String('version' in item ? item.version : 1),
    wire,
    visibleAfterMs: operation.visibleAfterMs,
    undo: undoKindOf(operation),
    ...(mapping === undefined ? {} : { mappingVersion: mapping.version }),
    call: async (sent, info) => finish(await operation.call(client, sent, info)),
    ...(probe === undefined
      ? {}
      : {
          probe: async (sent, info) => {
            const reply = await probe.call(operation, client, sent, info);
            return reply === null ? null : finish(reply);
          },
        }),
    ...(adopt === undefined
      ? {}
      : {
          adopt: async (externalId, sent, info) => {
            const reply = await adopt.call(operation, client, externalId, sent, info);
            return reply === null ? null : finish(reply);
          },
        }),
    classify: (error) => failureOf(error, { manifest, operation, node: node.name }),
    about: () => aboutOf(work, item),
  };
}

/** An update has no record of its own to take away. */
function undoKindOf({ duplicateSafety, verb, compensate }: Operation): Step['undo'] {
  if (duplicateSafety === 'read-only' || verb === 'update') return 'none';
  return compensate === undefined ? 'person' : 'call';
}

/** From the vendor's reply to the step's result: canonical ids first, then the pure mapping. */
async function finishReply(work: Work, item: Item, reply: unknown): Promise<StepReply> {
  const { engine, client, operation, runId } = work;
  const references: Reference[] = operation.references?.(reply) ?? [];
  const ids =
    references.length === 0 ? [] : await engine.identify(client.system, client.instance, references, runId);
  const idByRecord = new Map(references.map(({ type, id }, index) => [`${type}|${id}`, ids[index]]));
  const result = operation.fromSystem(reply, item, {
    ...work.context,
    idOf(entity: EntityName, type: string, externalId: string): CanonicalId {
      const id = idByRecord.get(`${type}|${externalId}`);
      if (id === undefined) {
        throw new Q2cError(
          'SCHEMA_CHANGED',
          `${client.system} ${type} ${externalId} (${entity}) was not named as a reference.`,
        );
      }
      return id;
    },
  });
  const kept = operation.compensate === undefined ? null : reply;
  return { reply: (kept ?? null) as JsonValue, result: result as StepReply['result'] };
}

function mappingContext(request: OperationRequest): MappingContext {
  const { client, deal, firm, parameters, manifest, mapping } = request;
  const lookupOptional = (table: string, key: string) =>
    mapping?.lookUp(deal, client.system, table, key) ??
    (firm === null ? undefined : lookup(firm, client.system, table, key));
  return {
    deal,
    system: client.system,
    instance: client.instance,
    settings: client.settings,
    parameters,
    lookupOptional,
    lookup(table, key) {
      const value = lookupOptional(table, key);
      if (value !== undefined) return value;
      throw new MappingError(
        'MANDATORY_FIELD_MISSING',
        `The firm's lookup table "${table}" for ${manifest.label} has no entry for "${key}".`,
        {
          field: `An entry for "${key}" in the lookup table "${table}" of ${manifest.label}`,
          step: 'the record can be written',
        },
      );
    },
    refId(entity, type, what) {
      const ref = entity?.externalRefs?.find(
        (candidate) =>
          candidate.system === client.system &&
          candidate.instance === client.instance &&
          candidate.type === type,
      );
      if (ref !== undefined) return ref.id;
      throw new MappingError('MANDATORY_FIELD_MISSING', `${what} is not in ${manifest.label} yet.`, {
        field: `${what} in ${manifest.label}`,
        step: 'this record can be written',
      });
    },
  };
}

/** What an error means for the write protocol. Errors of code, not of vendors, are not retried. */
export function failureOf(
  error: unknown,
  { manifest, operation, node }: { manifest: SystemManifest; operation: Operation; node: string },
): Failure {
  const params = { system: manifest.label, object: operation.recordType };
  if (error instanceof SystemError) {
    return {
      kind: error.kind,
      code: error.code as ExceptionCode,
      reason: error.reason,
      params: { ...params, ...error.params },
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    };
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof MappingError) {
    return {
      kind: 'rejected',
      code: error.code as ExceptionCode,
      reason,
      params: { ...params, ...error.params },
    };
  }
  if (error instanceof Q2cError && error.code === 'SCHEMA_CHANGED') {
    // The call itself may have been processed: only a probe can tell.
    const kind = operation.duplicateSafety === 'read-only' ? 'rejected' : 'unknown';
    return { kind, code: 'SCHEMA_CHANGED', reason, params };
  }
  const code = error instanceof Q2cError && isExceptionCode(error.code) ? error.code : 'NODE_FAILED';
  return {
    kind: 'rejected',
    code,
    reason,
    params: { ...params, node },
    // Patterns of other codes have placeholders that only the rules can fill; the error's own sentence is better.
    ...(code === 'NODE_FAILED' ? {} : { message: reason }),
  };
}

/** Who answers for records of a family of systems, where a code leaves it to the domain. */
const ENTITY_OF_FAMILY = {
  crm: 'opportunity',
  erp: 'customer',
  psa: 'project',
  delivery: 'project',
} as const;

function aboutOf(request: OperationRequest, item: Item): CaseSubject {
  const { deal, manifest, operation, client, firm } = request;
  const name = nameOf(item) ?? deal.opportunity?.name ?? item.id;
  const document = `${inWords(operation.entity)} ${shortened(name, NAME_LENGTH)}`;
  return {
    params: {
      system: manifest.label,
      operation: document,
      object: operation.recordType,
      document,
      customer: deal.customer?.legalName ?? name,
      node: request.node.name,
    },
    ownerRole: ownerRole('TARGET_REJECTED', ENTITY_OF_FAMILY[manifest.family]),
    ...amountAtRisk(deal),
    ...caseFacts(deal, firm, { system: client.system, entity: operation.entity }),
    personal: () => personNames([deal, item]),
  };
}

/** `salesOrder` → `sales order`. */
const inWords = (entity: string): string => entity.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** A name as long as this says which record is meant; all of a long one would hide the rest of the message. */
const NAME_LENGTH = 60;

function nameOf(item: object): string | undefined {
  for (const field of ['legalName', 'name', 'title', 'number', 'description']) {
    const value = (item as Record<string, unknown>)[field];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
