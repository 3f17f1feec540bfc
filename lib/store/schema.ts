import type { CaseApprovalTable, CaseHistoryTable, CasePolicyTable, CaseTable } from './tables/cases';
import type { CheckedDocumentTable, RecordCorrectionTable } from './tables/corrections';
import type {
  EncryptionKeyTable,
  LeaseTable,
  MaintenanceTable,
  RateBudgetTable,
  TokenTable,
} from './tables/hosts';
import type { AggregateTable, CursorTable, EventTable, RejectedEventTable } from './tables/intake';
import type { AuditTable, KpiDayTable, KpiSourceTable } from './tables/observed';
import type { OutboxDeliveryTable, OutboxReceiverTable, OutboxTable } from './tables/outbox';
import type { ApiRequestTable, ApiTokenTable } from './tables/programs';
import type { DealTermTable, MappingVersionTable, NaturalKeyTable, XrefTable } from './tables/records';
import type { BulkRetryRunTable, BulkRetryTable, CancellationTable, RunTable } from './tables/runs';
import type { StepDecisionTable, StepTable } from './tables/steps';
import type { PassageTable, SignalTable, SuspensionTable } from './tables/waiting';

/**
 * The durable tables (DESIGN §7), the same on every dialect: text, integers and JSON as text only.
 * Instants are ISO-8601 UTC text, so that their text order is their time order.
 */
export interface Schema {
  kpi_source: KpiSourceTable;
  kpi_day: KpiDayTable;
  event: EventTable;
  run: RunTable;
  step: StepTable;
  step_decision: StepDecisionTable;
  record_correction: RecordCorrectionTable;
  checked_document: CheckedDocumentTable;
  cancellation: CancellationTable;
  bulk_retry: BulkRetryTable;
  bulk_retry_run: BulkRetryRunTable;
  xref: XrefTable;
  natural_key: NaturalKeyTable;
  exception_case: CaseTable;
  case_history: CaseHistoryTable;
  case_policy: CasePolicyTable;
  case_approval: CaseApprovalTable;
  audit: AuditTable;
  outbox: OutboxTable;
  outbox_receiver: OutboxReceiverTable;
  outbox_delivery: OutboxDeliveryTable;
  rejected_event: RejectedEventTable;
  cursor: CursorTable;
  lease: LeaseTable;
  token: TokenTable;
  rate_budget: RateBudgetTable;
  encryption_key: EncryptionKeyTable;
  maintenance: MaintenanceTable;
  suspension: SuspensionTable;
  signal: SignalTable;
  passage: PassageTable;
  aggregate: AggregateTable;
  deal_term: DealTermTable;
  api_request: ApiRequestTable;
  api_token: ApiTokenTable;
  mapping_version: MappingVersionTable;
}
