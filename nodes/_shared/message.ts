import type { NodeMessage } from 'node-red';
import type { DispatchedRun } from '../../lib/engine';
import {
  type CanonicalId,
  type DealDocument,
  dealDocumentParts,
  dealDocumentSchema,
  idPrefixes,
  Q2cError,
} from '../../lib/model';
import './extensions';

/** The run as a message carries it. Nothing secret, and small: it is cloned on every wire. */
export interface RunEnvelope {
  run: string;
  /** Which passage of the run through the flow: a deploy may break one off and begin another. */
  dispatch: number;
  correlationId: CanonicalId;
  /** Changes of the record are missing for good: read it from its master. */
  catchUp?: true;
  /** Span of the run's passage (W3C Trace Context), where traces are on. */
  traceparent?: string;
  /** The suspension that the message went through last. */
  waited?: number;
  /** The mapping that the deal went through last: its configuration node, and the version that was used. */
  mapping?: { set: string; version: string };
  /** Where the message has parted into branches, the first fork first (`Branches`). Only where branches come together. */
  forks?: number[];
  /** The last node that it came through and that does more than lead on, as `stableId` names it. Only on its way to a join. */
  via?: string;
  event?: { id: string; type: string; source: string; subject: CanonicalId; time: string };
  /** Who has to act before the deal goes on, where its message comes from a Catch node. */
  waitingFor?: string;
  /** What a message from a Catch node waits in. */
  case?: StuckCase;
  /** Only a look at what the run would write: nothing may be changed on its way. */
  dryRun?: true;
}

/** The case that a node has opened, as Catch nodes get it in `msg.q2c.case`. */
export interface StuckCase {
  id: string;
  /** As `msg.error.code`. */
  code: string;
  /** Name of the system that the node works on, where it does. */
  system?: string;
  /** What its owner does about it, in a sentence. */
  whatToDo: string;
}

/** The deal document of a message that may carry something else. */
export const dealOrNone = (value: unknown): DealDocument => (isDealDocument(value) ? value : {});

export interface Q2cMessage extends NodeMessage {
  q2c?: RunEnvelope;
  /** The call of an http-in node. */
  req?: { headers?: Record<string, unknown> };
  /** Rows of a query. */
  result?: unknown;
}

/** The run as the first message of its passage carries it. */
export function envelopeOf(run: DispatchedRun): RunEnvelope {
  const { id, dispatch, correlationId, catchUp, dryRun, traceparent } = run;
  const { data: _, ...event } = run.event;
  return {
    run: id,
    dispatch,
    correlationId,
    event,
    ...(traceparent && { traceparent }),
    ...(catchUp && { catchUp }),
    ...(dryRun && { dryRun }),
  };
}

/**
 * The deal document of a message.
 * @throws Q2cError `DEAL_DOCUMENT_INVALID` naming what is wrong: a change node in between broke it.
 */
export function readDeal(value: unknown): DealDocument {
  if (isDealDocument(value)) return value;
  const parsed = dealDocumentSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data as DealDocument;
  const places = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'the payload'}: ${issue.message}`);
  throw new Q2cError(
    'DEAL_DOCUMENT_INVALID',
    `The message does not carry a deal document (${places.join('; ')}). Wire the node behind one that reads a deal.`,
  );
}

/**
 * Quick check of what every node does with a document on the message path: parts are where they belong and carry
 * ids and cross-references. The schema behind it, a hundred times slower, is asked only to say what is wrong.
 */
function isDealDocument(value: unknown): value is DealDocument {
  if (!isObject(value)) return false;
  for (const { part, prefix, many } of PARTS) {
    const content = value[part];
    if (content === undefined) continue;
    if (!(many ? areDrafts(content, prefix) : isDraft(content, prefix))) return false;
  }
  return true;
}

const PARTS = Object.entries(dealDocumentParts).map(([part, { entity, many }]) => ({
  part,
  prefix: idPrefixes[entity],
  many,
}));

function areDrafts(value: unknown, prefix: string): boolean {
  if (!Array.isArray(value)) return false;
  for (const element of value) if (!isDraft(element, prefix)) return false;
  return true;
}

function isDraft(value: unknown, prefix: string): boolean {
  return (
    isObject(value) &&
    typeof value.id === 'string' &&
    value.id.startsWith(prefix) &&
    Array.isArray(value.externalRefs)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
