export type { ExpectedBranch } from './branches';
export type { CancelReport, UndoneStep } from './cancel';
export {
  type CaseDesk,
  type CaseFact,
  type CaseFacts,
  type CaseNote,
  type CaseRoute,
  governCases,
  type RouteRequest,
} from './case-desk';
export { CaseOpened, ENGINE, recordOnCase } from './cases';
export { type CorrectionView, correctionViews } from './correction-rows';
export { isCorrectable } from './correction-rules';
export { correctedDeal, type RecordInput } from './corrections';
export type { Author, Correction, DecisionMade } from './decisions';
export {
  DryRunBlocked,
  type DryRunReport,
  type DryStep,
  PLACEHOLDER_ID,
  type ProposedCorrection,
  type Verdict,
} from './dry-run';
export { Engine } from './engine';
export {
  type Beginning,
  type EngineObserver,
  observers,
  type RunEnding,
  type TakenUp,
} from './observer';
export type { EngineOptions } from './options';
export type { Admitted } from './order';
export type { StepInput } from './repair';
export { hasFailedIn, hasOpenCase, type RetryFilter } from './retry-filter';
export type { BulkRetries, BulkRetry, RetryManyOptions, RetryProgress } from './retry-many';
export type { ConnectedTarget, Target, TargetOperation, UndoEffect } from './targets';
export { type ActiveRun, type FlowError, isInterrupted } from './tracker';
export * from './types';
