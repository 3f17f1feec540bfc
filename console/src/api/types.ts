import type * as z from 'zod';
import type {
  approval,
  caseGroup,
  caseLine,
  caseView,
  gatedRequest,
  gatedResult,
  queueCount,
} from '../../../lib/api/schemas/cases';
import type { correctionForm } from '../../../lib/api/schemas/corrections';
import type { dealReport, dealSummary, timelineEntry, waitsFor } from '../../../lib/api/schemas/deals';
import type {
  auditCheck,
  auditLine,
  bulkJob,
  change,
  connectionChecks,
  connectionView,
  session,
} from '../../../lib/api/schemas/operations';
import type {
  dryRunReport,
  runReport,
  runSummary,
  stepDetail,
  stepInput,
} from '../../../lib/api/schemas/runs';
import type { JsonValue } from '../../../lib/model';
import type { KpiFigures } from '../../../lib/observe';

/** Replies of the API, as its schemas have them; nothing of the server gets into the page. */

export type Approval = z.infer<typeof approval>;
export type CaseGroup = z.infer<typeof caseGroup>;
export type CaseLine = z.infer<typeof caseLine>;
export type CaseView = z.infer<typeof caseView>;
export type CaseAction = CaseView['actions'][number];
export type CorrectionForm = z.infer<typeof correctionForm>;
export type GatedRequest = z.infer<typeof gatedRequest>;
export type GatedResult = z.infer<typeof gatedResult>;
export type QueueCount = z.infer<typeof queueCount>;
export type DealReport = z.infer<typeof dealReport>;
export type DealSummary = z.infer<typeof dealSummary>;
export type TimelineEntry = z.infer<typeof timelineEntry>;
export type WaitsFor = z.infer<typeof waitsFor>;
export type AuditCheck = z.infer<typeof auditCheck>;
export type AuditLine = z.infer<typeof auditLine>;
export type Change = z.infer<typeof change>;
export type BulkJob = z.infer<typeof bulkJob>;
export type Connection = z.infer<typeof connectionView>;
export type ConnectionChecks = z.infer<typeof connectionChecks>;
export type Session = z.infer<typeof session>;
export type DryRunReport = z.infer<typeof dryRunReport>;
export type RunReport = z.infer<typeof runReport>;
export type RunSummary = z.infer<typeof runSummary>;
export type StepSummary = RunReport['steps'][number];
export type StepDetail = z.infer<typeof stepDetail>;
export type StepInput = z.infer<typeof stepInput>;

export type { KpiFigures };
export interface KpiReport {
  from: string;
  to: string;
  countedUntil: string | null;
  figures: KpiFigures[];
}

export type Money = { amount: string; currency: string };

/** Content of a system. */
export type Json = JsonValue;
