export { type AuditFilter, searchAudit } from './audit-search';
export { evidenceOf } from './evidence';
export { evidenceHtml } from './evidence-html';
export type { ConnectionState } from './gauges';
export { observability } from './observability';
