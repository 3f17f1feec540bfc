import { Q2cError } from './errors';

/**
 * A condition that a caller must have checked before a transition. The values say what to check (guides §6);
 * the machines only insist that somebody did.
 */
export const guards = {
  tradeDataComplete:
    'address, known tax profile, payment terms and legal-entity mapping, and no unresolved duplicate candidate',
  noContractBeyondDraft: 'no contract of the opportunity is beyond draft',
  discountAuthorised: 'the discount is within authority or has an approval record',
  contractEnforceable:
    'signature or approval evidence, an active customer, and line sums that match the contract value',
  allStepsCompensated: 'every step that was done is compensated',
  baseRevisionOutdated: 'the contract is at another revision than the base revision',
  requiredSystemsConfirmed: 'a confirmed record in every required system',
  periodOpen: 'the accounting period is open',
  notBilled: 'the billing status is unbilled',
  approvedOrAccepted: 'the item is approved, or accepted by the client',
  audited: 'the change is recorded in the audit trail with a reason',
  billingEventVoided: 'the billing event that reserved the item is voided',
  rebillIntended: 'the item is to be billed again',
  fullyCredited: 'a credit note covers the whole invoice',
  waiverAuthorised: 'a reason is given, and a second person agrees if money is concerned',
} as const;
export type Guard = keyof typeof guards;

/** Pairs of states; the third element names the guard. What is not listed is illegal. */
type Transitions = readonly (readonly [from: string, to: string, guard?: Guard])[];

export interface StateMachine<T extends Transitions = Transitions> {
  /** State of a new record. */
  readonly initial: T[number][0];
  readonly transitions: T;
}

const machine = <const T extends Transitions>(initial: T[number][0], transitions: T): StateMachine<T> => ({
  initial,
  transitions,
});

/** Every status axis of guides §6. The key names the field; a status shared by several entities stands alone. */
export const stateMachines = {
  'customer.status': machine('prospect', [
    ['prospect', 'pending_validation'],
    ['pending_validation', 'active', 'tradeDataComplete'],
    ['pending_validation', 'rejected'],
    ['active', 'on_hold'],
    ['on_hold', 'active', 'tradeDataComplete'],
    ['active', 'inactive'],
    ['on_hold', 'inactive'],
    ['inactive', 'pending_validation'],
    ['rejected', 'pending_validation'],
  ]),
  'opportunity.stage': machine('open', [
    ['open', 'committed'],
    ['committed', 'won'],
    ['committed', 'lost'],
    ['won', 'open', 'noContractBeyondDraft'],
    ['lost', 'open'],
  ]),
  'quote.status': machine('draft', [
    ['draft', 'in_review'],
    ['in_review', 'approved', 'discountAuthorised'],
    ['in_review', 'draft'],
    ['approved', 'sent'],
    ['sent', 'accepted'],
    ['sent', 'rejected'],
    ['sent', 'expired'],
    ['draft', 'superseded'],
    ['in_review', 'superseded'],
    ['approved', 'superseded'],
    ['sent', 'superseded'],
  ]),
  'contract.status': machine('draft', [
    ['draft', 'in_approval'],
    ['in_approval', 'approved'],
    ['in_approval', 'draft'],
    ['approved', 'active', 'contractEnforceable'],
    ['active', 'suspended'],
    ['suspended', 'active', 'contractEnforceable'],
    ['active', 'completed'],
    ['completed', 'closed'],
    ['draft', 'cancelled'],
    ['in_approval', 'cancelled'],
    ['approved', 'cancelled'],
    ['active', 'terminated'],
    ['suspended', 'terminated'],
    ['terminated', 'closed'],
  ]),
  'changeOrder.status': machine('draft', [
    ['draft', 'submitted'],
    ['submitted', 'approved'],
    ['submitted', 'rejected'],
    ['draft', 'withdrawn'],
    ['submitted', 'withdrawn'],
    ['approved', 'applying'],
    ['approved', 'stale', 'baseRevisionOutdated'],
    ['stale', 'draft'],
    ['applying', 'applied'],
    ['applying', 'blocked'],
    ['blocked', 'applying'],
    ['blocked', 'rolled_back', 'allStepsCompensated'],
    ['rolled_back', 'draft'],
  ]),
  'project.status': machine('draft', [
    ['draft', 'provisioning'],
    ['provisioning', 'ready', 'requiredSystemsConfirmed'],
    ['provisioning', 'provisioning_failed'],
    ['provisioning_failed', 'provisioning'],
    ['ready', 'active'],
    ['active', 'on_hold'],
    ['on_hold', 'active'],
    ['active', 'completed'],
    ['completed', 'active', 'periodOpen'],
    ['completed', 'closed'],
    ['draft', 'cancelled'],
    ['provisioning', 'cancelled'],
    ['provisioning_failed', 'cancelled'],
    ['ready', 'cancelled'],
    ['active', 'cancelled'],
    ['on_hold', 'cancelled'],
  ]),
  'assignment.status': machine('requested', [
    ['requested', 'proposed'],
    ['proposed', 'confirmed'],
    ['confirmed', 'active'],
    ['active', 'ended'],
    ['requested', 'cancelled'],
    ['proposed', 'cancelled'],
    ['confirmed', 'cancelled'],
  ]),
  /** Time, expense, usage. */
  approvalStatus: machine('draft', [
    ['draft', 'submitted'],
    ['submitted', 'approved'],
    ['submitted', 'returned'],
    ['submitted', 'recalled'],
    ['returned', 'draft'],
    ['recalled', 'draft'],
    ['approved', 'recall_requested', 'notBilled'],
    ['recall_requested', 'draft', 'notBilled'],
  ]),
  /** Time, expense, milestone, usage. */
  billingStatus: machine('not_ready', [
    ['not_ready', 'unbilled', 'approvedOrAccepted'],
    ['unbilled', 'reserved'],
    ['reserved', 'invoiced'],
    ['reserved', 'unbilled', 'billingEventVoided'],
    ['invoiced', 'credited'],
    ['credited', 'unbilled', 'rebillIntended'],
    ['not_ready', 'not_billable', 'audited'],
    ['unbilled', 'not_billable', 'audited'],
    ['not_billable', 'not_ready', 'audited'],
    ['not_billable', 'unbilled', 'audited'],
    ['unbilled', 'on_hold'],
    ['on_hold', 'unbilled'],
    ['unbilled', 'written_off'],
    ['on_hold', 'written_off'],
  ]),
  'milestone.status': machine('planned', [
    ['planned', 'in_progress'],
    ['in_progress', 'completed'],
    ['completed', 'accepted'],
    ['completed', 'rejected'],
    ['rejected', 'in_progress'],
    ['planned', 'cancelled'],
    ['in_progress', 'cancelled'],
    ['completed', 'cancelled'],
    ['rejected', 'cancelled'],
  ]),
  'billingScheduleLine.status': machine('planned', [
    ['planned', 'eligible'],
    ['eligible', 'event_created'],
    ['event_created', 'invoiced'],
    ['planned', 'on_hold'],
    ['eligible', 'on_hold'],
    ['on_hold', 'planned'],
    ['on_hold', 'eligible'],
    ['planned', 'superseded'],
    ['eligible', 'superseded'],
    ['on_hold', 'superseded'],
    ['planned', 'cancelled'],
    ['eligible', 'cancelled'],
    ['on_hold', 'cancelled'],
  ]),
  'billingEvent.status': machine('draft', [
    ['draft', 'ready'],
    ['ready', 'approved'],
    ['approved', 'transferred'],
    ['transferred', 'accepted'],
    ['transferred', 'rejected'],
    ['transferred', 'unknown'],
    ['unknown', 'accepted'],
    ['unknown', 'rejected'],
    ['rejected', 'ready'],
    ['accepted', 'invoiced'],
    ['invoiced', 'reversed'],
    ['ready', 'on_hold'],
    ['approved', 'on_hold'],
    ['on_hold', 'ready'],
    ['on_hold', 'approved'],
    ['draft', 'voided'],
    ['ready', 'voided'],
    ['approved', 'voided'],
    ['on_hold', 'voided'],
    ['rejected', 'voided'],
  ]),
  'invoice.documentStatus': machine('draft', [
    ['draft', 'submitted'],
    ['submitted', 'approved'],
    ['submitted', 'draft'],
    ['approved', 'released'],
    ['released', 'approved'],
    ['released', 'transferred'],
    ['transferred', 'posted'],
    ['transferred', 'transfer_rejected'],
    ['transfer_rejected', 'approved'],
    ['draft', 'voided'],
    ['submitted', 'voided'],
    ['approved', 'voided'],
    ['posted', 'cancelled', 'fullyCredited'],
  ]),
  /** A reversal that leaves a balance between the two keeps `partially_paid`: no transition. */
  'invoice.settlementStatus': machine('open', [
    ['open', 'partially_paid'],
    ['partially_paid', 'paid'],
    ['partially_paid', 'open'],
    ['paid', 'open'],
    ['paid', 'partially_paid'],
    ['open', 'written_off'],
    ['partially_paid', 'written_off'],
  ]),
  'payment.status': machine('received', [
    ['received', 'partially_applied'],
    ['received', 'applied'],
    ['partially_applied', 'applied'],
    ['applied', 'partially_applied'],
    ['partially_applied', 'received'],
    ['received', 'reversed'],
    ['partially_applied', 'reversed'],
    ['applied', 'reversed'],
  ]),
  /** Revenue schedules and revenue events. */
  'revenueEvent.status': machine('calculated', [
    ['calculated', 'approved'],
    ['approved', 'posted'],
    ['posted', 'reversed'],
    ['calculated', 'superseded'],
  ]),
  'exceptionCase.status': machine('open', [
    ['open', 'assigned'],
    ['assigned', 'in_repair'],
    ['in_repair', 'ready_to_replay'],
    ['ready_to_replay', 'replaying'],
    ['replaying', 'resolved'],
    ['replaying', 'in_repair'],
    ['open', 'waived', 'waiverAuthorised'],
    ['assigned', 'waived', 'waiverAuthorised'],
    ['in_repair', 'waived', 'waiverAuthorised'],
    ['open', 'resolved'],
    ['assigned', 'resolved'],
    ['resolved', 'open'],
  ]),
} as const;

export type MachineName = keyof typeof stateMachines;
type PairOf<M extends MachineName> = (typeof stateMachines)[M]['transitions'][number];
/** The states of a machine. */
export type StateOf<M extends MachineName> = PairOf<M>[0] | PairOf<M>[1];

/** Which guards the caller has checked and found true. */
export type GuardResults = Partial<Record<Guard, boolean>>;

/** All states of a machine, in the order of their first mention. */
export function statesOf<M extends MachineName>(name: M): [StateOf<M>, ...StateOf<M>[]] {
  const { initial, transitions } = stateMachines[name];
  const states = new Set<string>([initial, ...transitions.flatMap((pair) => pair.slice(0, 2))]);
  return [...states] as [StateOf<M>, ...StateOf<M>[]];
}

/** Where a record may go from here, with the guard to check for each. */
export function allowedTransitions<M extends MachineName>(
  name: M,
  from: string,
): { to: StateOf<M>; guard: Guard | undefined }[] {
  const transitions: Transitions = stateMachines[name].transitions;
  return transitions
    .filter(([start]) => start === from)
    .map(([, to, guard]) => ({ to: to as StateOf<M>, guard }));
}

/**
 * The new state of a status axis.
 *
 * @param checked the guards that hold; a guarded transition needs its own to be true.
 * @returns `to`.
 * @throws Q2cError `ILLEGAL_TRANSITION` for a pair that is not listed, a guard that does not hold, or a state
 * the machine does not know. Staying in a state is not a transition and is refused too.
 */
export function transition<M extends MachineName>(
  name: M,
  from: string,
  to: string,
  checked: GuardResults = {},
): StateOf<M> {
  const found = allowedTransitions(name, from).find((candidate) => candidate.to === to);
  if (found === undefined) {
    throw new Q2cError('ILLEGAL_TRANSITION', `${name} cannot go from ${from} to ${to}.`);
  }
  if (found.guard !== undefined && checked[found.guard] !== true) {
    throw new Q2cError(
      'ILLEGAL_TRANSITION',
      `${name} cannot go from ${from} to ${to}: needs ${guards[found.guard]} (${found.guard}).`,
    );
  }
  return found.to;
}
