import type { CanonicalId, ExceptionCode, Instant, JsonObject, Money, Severity } from '../model';
import type { Tx } from '../store';

/**
 * Who says where cases go, and hears of them. The engine opens, refreshes and closes cases; whose they are and until
 * when is a matter of policy (`lib/governance`), which it does not know.
 */

/** What a case is routed by, beside its code and amount. Plain data: it may be stored with a message that waits. */
export type CaseFacts = {
  /** Version of the policy to go by; absent = that of the only firm, else the default. */
  policy?: string;
  /** System as its connector calls it. */
  system?: string;
  entity?: string;
  /** Key of the legal entity in the firm's set-up. */
  legalEntity?: string;
  region?: string;
};

export interface RouteRequest {
  code: ExceptionCode;
  facts: CaseFacts;
  amountAtRisk: Money | null;
  /** Owner and severity as the code and the step's domain have them. */
  ownerRole: string;
  severity: Severity;
}

export interface CaseRoute {
  ownerRole: string;
  severity: Severity;
  slaDueAt: Instant;
  policyVersion: string;
}

/** Something that has happened to a case; past tense, as in its history. */
export interface CaseFact {
  caseId: CanonicalId;
  action: string;
  actor: string;
  at: Instant;
  /** Fields of the case that it changed. */
  changed: readonly string[];
}

export interface CaseDesk {
  route(tx: Tx, request: RouteRequest, at: Instant): Promise<CaseRoute>;
  /** Part of the transaction that makes it true. */
  happened(tx: Tx, fact: CaseFact): Promise<void>;
}

/** What stands in the history, and what of it may stand in the audit, which is kept for ever. */
export interface CaseNote {
  action: string;
  detail: JsonObject;
  changed?: readonly string[];
}

/** By the adapter of their store, which its transactions share. */
const desks = new WeakMap<object, CaseDesk>();

/** From now on the desk routes the cases of this store. @returns takes it away again */
export function governCases(db: Tx, desk: CaseDesk): () => void {
  const { adapter } = db.getExecutor();
  desks.set(adapter, desk);
  return () => {
    if (desks.get(adapter) === desk) desks.delete(adapter);
  };
}

export const deskOf = (tx: Tx): CaseDesk | undefined => desks.get(tx.getExecutor().adapter);
