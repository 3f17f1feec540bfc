import fc from 'fast-check';
import {
  allowedTransitions,
  type Guard,
  guards,
  type MachineName,
  stateMachines,
  statesOf,
  transition,
} from '../../../lib/model';

/** The transitions of the domain guide (§6), in its own notation. */
const guide: Record<MachineName, string[]> = {
  'customer.status': [
    'prospect → pending_validation → active',
    'active ⇄ on_hold',
    'active|on_hold → inactive',
    'inactive|rejected → pending_validation',
    'pending_validation → rejected',
  ],
  'opportunity.stage': ['open → committed → won | lost', 'won → open', 'lost → open'],
  'quote.status': [
    'draft → in_review → approved → sent → accepted | rejected | expired',
    'in_review → draft',
    'draft|in_review|approved|sent → superseded',
  ],
  'contract.status': [
    'draft → in_approval → approved → active → completed → closed',
    'active ⇄ suspended',
    'draft|in_approval|approved → cancelled',
    'active|suspended → terminated → closed',
    'in_approval → draft',
  ],
  'changeOrder.status': [
    'draft → submitted → approved → applying → applied',
    'submitted → rejected',
    'draft|submitted → withdrawn',
    'applying ⇄ blocked',
    'blocked → rolled_back',
    'rolled_back → draft',
    'approved → stale → draft',
  ],
  'project.status': [
    'draft → provisioning → ready → active',
    'active ⇄ on_hold',
    'active → completed → closed',
    'provisioning ⇄ provisioning_failed',
    'draft|provisioning|provisioning_failed|ready|active|on_hold → cancelled',
    'completed → active',
  ],
  'assignment.status': [
    'requested → proposed → confirmed → active → ended',
    'requested|proposed|confirmed → cancelled',
  ],
  approvalStatus: [
    'draft → submitted → approved | returned',
    'returned → draft',
    'submitted → recalled → draft',
    'approved → recall_requested → draft',
  ],
  billingStatus: [
    'not_ready → unbilled → reserved → invoiced → credited',
    'not_ready|unbilled ⇄ not_billable',
    'unbilled ⇄ on_hold',
    'unbilled|on_hold → written_off',
    'reserved → unbilled',
    'credited → unbilled',
  ],
  'milestone.status': [
    'planned → in_progress → completed → accepted',
    'completed → rejected → in_progress',
    'planned|in_progress|completed|rejected → cancelled',
  ],
  'billingScheduleLine.status': [
    'planned → eligible → event_created → invoiced',
    'planned|eligible ⇄ on_hold',
    'planned|eligible|on_hold → superseded | cancelled',
  ],
  'billingEvent.status': [
    'draft → ready → approved → transferred → accepted → invoiced',
    'ready|approved ⇄ on_hold',
    'transferred → rejected → ready',
    'transferred → unknown → accepted | rejected',
    'draft|ready|approved|on_hold|rejected → voided',
    'invoiced → reversed',
  ],
  'invoice.documentStatus': [
    'draft → submitted → approved → released → transferred → posted',
    'submitted → draft',
    'released → approved',
    'transferred → transfer_rejected → approved',
    'draft|submitted|approved → voided',
    'posted → cancelled',
  ],
  'invoice.settlementStatus': [
    'open → partially_paid → paid',
    'partially_paid → open',
    'paid → open|partially_paid',
    'open|partially_paid → written_off',
  ],
  'payment.status': [
    'received → partially_applied | applied',
    'partially_applied ⇄ applied',
    'partially_applied → received',
    'received|partially_applied|applied → reversed',
  ],
  'revenueEvent.status': ['calculated → approved → posted → reversed', 'calculated → superseded'],
  'exceptionCase.status': [
    'open → assigned → in_repair → ready_to_replay → replaying → resolved',
    'replaying → in_repair',
    'open|assigned|in_repair → waived',
    'open|assigned → resolved',
    'resolved → open',
  ],
};

/** `a|b → c ⇄ d` as pairs. */
function pairsOf(chain: string): string[] {
  const [first = '', ...rest] = chain.split(/\s*([→⇄])\s*/);
  let from = first.split('|').map((state) => state.trim());
  const pairs: string[] = [];
  for (let index = 0; index < rest.length; index += 2) {
    const to = (rest[index + 1] ?? '').split('|').map((state) => state.trim());
    for (const a of from)
      for (const b of to) pairs.push(`${a} → ${b}`, ...(rest[index] === '⇄' ? [`${b} → ${a}`] : []));
    from = to;
  }
  return pairs;
}

const machineNames = Object.keys(stateMachines) as MachineName[];
const everyGuard = Object.fromEntries(Object.keys(guards).map((guard) => [guard, true])) as Record<
  Guard,
  boolean
>;

const accepts = (name: MachineName, from: string, to: string, checked = everyGuard): boolean => {
  try {
    return transition(name, from, to, checked) === to;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ILLEGAL_TRANSITION' });
    return false;
  }
};

describe.each(machineNames)('%s', (name) => {
  test('allows the pairs of the guide and no other', () => {
    const states: string[] = statesOf(name);
    const accepted = states.flatMap((from) =>
      states.filter((to) => accepts(name, from, to)).map((to) => `${from} → ${to}`),
    );
    expect(accepted.toSorted()).toEqual([...new Set(guide[name].flatMap(pairsOf))].toSorted());
  });

  test('refuses a guarded transition until its guard holds', () => {
    for (const from of statesOf(name)) {
      for (const { to, guard } of allowedTransitions(name, from)) {
        expect(accepts(name, from, to, { ...everyGuard, ...(guard && { [guard]: false }) })).toBe(
          guard === undefined,
        );
      }
    }
  });

  test('reaches every state from the initial one', () => {
    const reached = new Set<string>([stateMachines[name].initial]);
    for (const state of reached) for (const { to } of allowedTransitions(name, state)) reached.add(to);
    expect([...reached].toSorted()).toEqual(statesOf(name).toSorted());
  });
});

test('states that no machine knows are refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...machineNames), fc.string(), fc.string(), (name, from, to) => {
      const states: string[] = statesOf(name);
      fc.pre(!states.includes(from) || !states.includes(to));
      expect(accepts(name, from, to)).toBe(false);
    }),
  );
});

test('a refusal names machine, states and what is needed', () => {
  expect(() => transition('contract.status', 'approved', 'active')).toThrow(
    /contract\.status cannot go from approved to active: needs .*evidence.*\(contractEnforceable\)/,
  );
  expect(() => transition('project.status', 'closed', 'active')).toThrow(
    'project.status cannot go from closed to active.',
  );
});
