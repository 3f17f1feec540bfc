import * as z from 'zod';
import { component } from '../route';
import { failure, instant, json } from './common';

/** Replies about connections, the audit, work on many records, tokens, and who asks. */

export const connectionView = component(
  'Connection',
  z.object({
    id: z.string(),
    name: z.string(),
    system: z.string(),
    label: z.string(),
    environment: z.enum(['simulator', 'sandbox', 'production']),
    instance: z.string().nullable(),
    health: z
      .object({ breaker: z.enum(['closed', 'open', 'half-open']), inFlight: z.number(), waiting: z.number() })
      .nullable()
      .meta({ description: 'Null until it was used for the first time' }),
    limits: z.object({
      concurrency: z.number(),
      requestsPerSecond: z.number().optional(),
      timeoutMs: z.number(),
    }),
    /** Of all connections to the same instance. */
    openCases: z.number(),
    lastErrors: z.array(
      failure.extend({ at: instant, operation: z.string(), stepKey: z.string(), runId: z.string() }),
    ),
  }),
);

export const connectionChecks = component(
  'ConnectionChecks',
  z.object({
    checks: z.array(
      z.object({
        id: z.string(),
        label: z.string(),
        ok: z.boolean(),
        /** `unchecked`: it could not be found out, or there was no use in trying. */
        state: z.enum(['ok', 'failed', 'unchecked']),
        message: z.string(),
        /** What to do about it; empty when there is nothing to do. */
        advice: z.string(),
      }),
    ),
  }),
);

export const auditLine = component(
  'AuditLine',
  z.object({
    seq: z.number(),
    at: instant,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    runId: z.string().nullable(),
    detail: json,
    hash: z.string(),
  }),
);

export const auditCheck = component(
  'AuditCheck',
  z.object({
    lines: z.number().meta({ description: 'Lines that fit, from the first one on' }),
    brokenAt: z.number().nullable().meta({ description: 'First line that does not fit; null = intact' }),
    head: z.string().meta({ description: 'Hash of the last line that fits' }),
  }),
);

export const bulkJob = component(
  'BulkJob',
  z.object({
    id: z.string(),
    action: z.string(),
    actor: z.string(),
    reason: z.string(),
    state: z.enum(['running', 'completed', 'cancelled', 'failed']),
    startedAt: instant,
    endedAt: instant.nullable(),
    total: z.number(),
    done: z.number(),
    failed: z.number(),
    underWay: z.number(),
    pendingApproval: z.number(),
    passedOver: z.number().meta({ description: 'Not to be done any more when their turn came' }),
    lastError: failure.extend({ id: z.string().nullable() }).nullable(),
  }),
);
export type BulkJob = z.infer<typeof bulkJob>;

export const tokenSummary = component(
  'Token',
  z.object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdBy: z.string(),
    createdAt: instant,
    expiresAt: instant.nullable(),
    lastUsedAt: instant.nullable(),
  }),
);
export type TokenSummary = z.infer<typeof tokenSummary>;

export const session = component(
  'Session',
  z.object({
    user: z.string(),
    isAnonymous: z.boolean(),
    permissions: z.object({
      read: z.boolean(),
      write: z.boolean(),
      approve: z.boolean(),
      unmask: z.boolean(),
    }),
    roles: z.array(z.string()).meta({ description: 'Roles whose cases the user may act on' }),
    version: z.string(),
  }),
);

export const change = component(
  'Change',
  z.object({
    id: z.number().meta({ description: 'Number of the audit line; 0 for changes that leave none' }),
    at: instant,
    what: z.enum(['run', 'step', 'case', 'bulk', 'other']),
    action: z.string(),
    subject: z.string(),
    runId: z.string().nullable(),
  }),
);
