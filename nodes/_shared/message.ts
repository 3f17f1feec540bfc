import type { NodeMessage } from 'node-red';
import { type CanonicalId, type DealDocument, dealDocumentSchema, Q2cError } from '../../lib/model';

/** The run as a message carries it. Nothing secret, and small: it is cloned on every wire. */
export interface RunEnvelope {
  run: string;
  correlationId: CanonicalId;
  event?: { id: string; type: string; source: string; subject: CanonicalId; time: string };
}

export interface Q2cMessage extends NodeMessage {
  q2c?: RunEnvelope;
  /** Rows of a query. */
  result?: unknown;
}

/**
 * The deal document of a message.
 * @throws Q2cError `DEAL_DOCUMENT_INVALID` naming what is wrong: a change node in between broke it.
 */
export function readDeal(value: unknown): DealDocument {
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
