export { type AuditFilter, type AuditLine, type AuditPage, searchAudit } from './audit-search';
export { type EvidenceCheck, type EvidencePack, evidenceOf, verifyEvidence } from './evidence';
export { evidenceHtml } from './evidence-html';
export type { ConnectionState } from './gauges';
export {
  countWork,
  type OpenExceptions,
  openExceptions,
  type WorkItem,
  type WorkList,
  workList,
  workLists,
} from './kpi/open';
export { type KpiFigures, type KpiFilter, type KpiGroup, kpiGroups, kpiReport } from './kpi/report';
export type { Durations } from './kpi/samples';
export { countedUntil, keepKpis, updateKpis } from './kpi/update';
export { type ZoneOf, type Zones, zoneIn } from './kpi/zones';
export { observability } from './observability';
