import { post } from './client';
import type { BulkJob, CancelReport, CaseAction, GatedRequest, GatedResult } from './types';

/** What is done about cases. */

/** Actions that change records or money: at once, or when a second person has agreed. */
export const gatedActions = ['retry', 'correct', 'complete', 'skip', 'cancel', 'waive'] as const;
export type GatedAction = (typeof gatedActions)[number];

export const isGated = (action: CaseAction): action is GatedAction =>
  gatedActions.some((gated) => gated === action);

/** @param etag of the case as the viewer saw it: the host refuses when somebody has changed it since */
export const changeCase = (
  id: string,
  action: CaseAction,
  body: object,
  etag: string | null = null,
): Promise<unknown> => post(`cases/${id}/${action.replaceAll('_', '-')}`, body, etag);

export const actOnCase = (
  id: string,
  request: GatedRequest,
  reason: string,
  etag: string | null,
): Promise<GatedResult> => post(`cases/${id}/act`, { request, reason }, etag);

export const decideApproval = (
  id: string,
  verb: 'approve' | 'reject' | 'withdraw',
  note: string,
): Promise<unknown> => post(`approvals/${id}/${verb}`, { note });

/** @param stepKey of the undo that has stopped */
export const settleUndo = (
  stepKey: string,
  outcome: 'removed' | 'kept',
  reason: string,
): Promise<CancelReport> => post(`steps/${encodeURIComponent(stepKey)}/settle-undo`, { outcome, reason });

export const startBulk = (body: object): Promise<BulkJob> => post('bulk', body);
export const stopBulk = (id: string): Promise<BulkJob> => post(`bulk/${id}/cancel`, {});
