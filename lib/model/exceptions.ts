import type { EntityName } from './ids';

/** Who may own cases and approve (guides §13). */
export const roles = [
  'sales',
  'sales_ops',
  'project_manager',
  'project_ops',
  'finance_ops',
  'finance_controller',
  'data_steward',
  'integration_ops',
  'auditor',
  'admin',
] as const;
export type Role = (typeof roles)[number];

/** What people call those who have a role. */
const roleNames: Record<Role, string> = {
  sales: 'sales',
  sales_ops: 'sales operations',
  project_manager: 'the project manager',
  project_ops: 'project operations',
  finance_ops: 'finance',
  finance_controller: 'the finance controller',
  data_steward: 'the data steward',
  integration_ops: 'integration operations',
  auditor: 'the auditor',
  admin: 'the administrator',
};

/** A role in words that can follow others: waiting for `finance`. One that is not known says so itself. */
export const roleInWords = (role: string): string =>
  Object.hasOwn(roleNames, role) ? roleNames[role as Role] : role.replaceAll('_', ' ');

/** How urgent a case is: `critical` stops money or risks a duplicate, `warning` can wait. */
export type Severity = 'critical' | 'error' | 'warning';

export interface ExceptionDefinition {
  /** A few words for lists. */
  title: string;
  /** Message for business readers; `{placeholders}` are filled by `exceptionMessage`. */
  pattern: string;
  /** The role that repairs it; `by_entity` = the role that owns the record (`ownerRole`). */
  owner: Role | 'by_entity';
  /** True when the owner needs the role of the record's domain beside it. */
  withDomainRole?: boolean;
  severity: Severity;
  /** True = retried by itself; `probe` = the target is asked before anything is repeated. */
  autoRetry: boolean | 'probe';
}

const define = <C extends string>(codes: Record<C, ExceptionDefinition>) => codes;

/**
 * Every reason for which work waits (guides §13). Codes that the guides do not list are explained in
 * docs/decisions/0002-exception-codes.md.
 */
export const exceptionCodes = define({
  TAX_REGISTRATION_MISSING: {
    title: 'Tax registration missing',
    pattern: 'Project for {customer} cannot start: the tax registration for {country} is missing.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  TAX_CODE_UNRESOLVED: {
    title: 'Tax code unresolved',
    pattern: 'Tax for {document} cannot be determined.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  TAX_MISMATCH: {
    title: 'Tax differs from the ERP',
    pattern: 'Tax for {document} differs from the ERP by {amount}.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  LEGAL_ENTITY_UNMAPPED: {
    title: 'No selling entity',
    pattern: 'No selling entity is mapped for {region}/{serviceLine}.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  MANDATORY_FIELD_MISSING: {
    title: 'Required field missing',
    pattern: '{field} is required before {step}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  AMOUNT_INVALID: {
    title: 'Amount not valid',
    pattern: '{field} of {document} is not a valid amount: {reason}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  CURRENCY_INVALID: {
    title: 'Currency unknown',
    pattern: '{currency} in {document} is not a currency of ISO 4217.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  CURRENCY_MISMATCH: {
    title: 'Currencies differ',
    pattern: '{document} is in {a}, but {other} is in {b}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  SUM_MISMATCH: {
    title: 'Sums do not match',
    pattern: '{parts} of {document} add up to {sum}, not to {total}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  VALUE_INVALID: {
    title: 'Value not valid',
    pattern: '{field} of {document} is not valid: {reason}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  DUPLICATE_SUSPECTED: {
    title: 'Possible duplicate',
    pattern: '{customer} looks like existing {candidate} ({score}).',
    owner: 'data_steward',
    severity: 'error',
    autoRetry: false,
  },
  CREDIT_HOLD: {
    title: 'Credit hold',
    pattern: '{customer} is on credit hold; provisioning waits.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  RATE_MISSING: {
    title: 'Rate missing',
    pattern: 'No rate for {role} on {date}.',
    owner: 'project_ops',
    severity: 'error',
    autoRetry: false,
  },
  CAP_EXCEEDED: {
    title: 'Cap exceeded',
    pattern: '{amount} exceeds the cap of {line}.',
    owner: 'project_ops',
    severity: 'error',
    autoRetry: false,
  },
  MILESTONE_NOT_IN_CONTRACT: {
    title: 'Milestone without billing line',
    pattern: 'Completed milestone {name} has no billing line.',
    owner: 'project_ops',
    severity: 'error',
    autoRetry: false,
  },
  CHANGE_ORDER_STALE: {
    title: 'Change order outdated',
    pattern: 'The contract changed since {number} was written.',
    owner: 'project_ops',
    severity: 'error',
    autoRetry: false,
  },
  CHANGE_ORDER_REVIEW: {
    title: 'Change order needs review',
    pattern: 'Change order {number} needs review: {why}.',
    owner: 'project_ops',
    severity: 'error',
    autoRetry: false,
  },
  PERIOD_CLOSED: {
    title: 'Period closed',
    pattern: '{date} is in a closed period of {entity}.',
    owner: 'finance_ops',
    severity: 'error',
    autoRetry: false,
  },
  FX_RATE_MISSING: {
    title: 'Exchange rate missing',
    pattern: 'No rate {from}/{to} for {date}.',
    owner: 'finance_ops',
    severity: 'warning',
    autoRetry: true,
  },
  OWNERSHIP_VIOLATION: {
    title: 'Not the owner of the field',
    pattern: '{system} may not change {field}.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  ILLEGAL_TRANSITION: {
    title: 'Status change not allowed',
    pattern: '{entity} cannot go from {a} to {b}.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  IDEMPOTENCY_MISMATCH: {
    title: 'Same request, other content',
    pattern: 'The same request arrived with different content.',
    owner: 'integration_ops',
    severity: 'critical',
    autoRetry: false,
  },
  IDEMPOTENCY_IN_PROGRESS: {
    title: 'Same request in progress',
    pattern: 'The same request is already in progress; waiting for its result.',
    owner: 'integration_ops',
    severity: 'warning',
    autoRetry: true,
  },
  OUTCOME_UNKNOWN: {
    title: 'Outcome unknown',
    pattern: '{system} did not confirm {operation}; checking before repeating.',
    owner: 'integration_ops',
    severity: 'critical',
    autoRetry: 'probe',
  },
  TARGET_REJECTED: {
    title: 'Refused by the target',
    pattern: '{system} refused {document}: {reason}.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  TARGET_UNAVAILABLE: {
    title: 'Target not reachable',
    pattern: '{system} is not reachable.',
    owner: 'integration_ops',
    severity: 'warning',
    autoRetry: true,
  },
  RATE_LIMITED: {
    title: 'Slowed down by the target',
    pattern: '{system} asked us to slow down.',
    owner: 'integration_ops',
    severity: 'warning',
    autoRetry: true,
  },
  AUTH_EXPIRED: {
    title: 'Credentials refused',
    pattern: 'The connection to {system} needs new credentials.',
    owner: 'integration_ops',
    severity: 'critical',
    autoRetry: false,
  },
  SEQUENCE_GAP: {
    title: 'Change missing',
    pattern: 'A change of {entity} is missing; waiting for it.',
    owner: 'integration_ops',
    severity: 'warning',
    autoRetry: true,
  },
  DRIFT_DETECTED: {
    title: 'Systems disagree',
    pattern: '{field} is {a} in {system1} and {b} in {system2}; {owner} owns it.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  COMPENSATION_FAILED: {
    title: 'Undo failed',
    pattern: 'Undo of {step} failed; manual action needed.',
    owner: 'integration_ops',
    withDomainRole: true,
    severity: 'critical',
    autoRetry: true,
  },
  SCHEMA_CHANGED: {
    title: 'Unexpected shape',
    pattern: '{system} sent or expects a new shape for {object}.',
    owner: 'integration_ops',
    severity: 'critical',
    autoRetry: false,
  },
  NODE_FAILED: {
    title: 'Node failed',
    pattern: '{node} failed: {reason}',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  RUN_STALLED: {
    title: 'Run stalled',
    pattern: '{node} received {document} and never finished it.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  LOOKUP_VALUE_UNKNOWN: {
    title: 'Value not in the lookup table',
    pattern: '"{value}" is not in the lookup table {table}; {field} cannot be mapped.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  MAPPING_FAILED: {
    title: 'Mapping failed',
    pattern: 'Mapping {mapping} cannot fill {field}: {reason}.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  MAPPING_NOT_CONSERVING: {
    title: 'Mapping changes amounts',
    pattern: 'Mapping {mapping} changes {what} from {before} to {after}.',
    owner: 'integration_ops',
    severity: 'critical',
    autoRetry: false,
  },
  WAIT_TIMED_OUT: {
    title: 'Waited in vain',
    pattern: '{document} waits for {event}, which has not come in time.',
    owner: 'by_entity',
    severity: 'error',
    autoRetry: false,
  },
  BRANCH_MISSING: {
    title: 'Branch did not arrive',
    pattern: '{document} waits at {node} for {missing}, which has sent nothing on.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  BRANCHES_DISAGREE: {
    title: 'Branches disagree',
    pattern: '{document} cannot go on at {node}: {reason}.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
  NODE_MISSING: {
    title: 'Node no longer in the flow',
    pattern: '{document} waits at {node}, which is no longer in the flow.',
    owner: 'integration_ops',
    severity: 'error',
    autoRetry: false,
  },
});

export type ExceptionCode = keyof typeof exceptionCodes;

export function isExceptionCode(value: unknown): value is ExceptionCode {
  return typeof value === 'string' && Object.hasOwn(exceptionCodes, value);
}

/**
 * The business message of a code. A placeholder without a value reads "unknown <placeholder in words>", so
 * that a message is always a sentence and building one never fails on top of the error it reports.
 */
export function exceptionMessage(
  code: ExceptionCode,
  params: Readonly<Record<string, string | number | undefined>> = {},
): string {
  return exceptionCodes[code].pattern.replace(/\{(\w+)\}(\.?)/g, (_, name: string, stop: string) => {
    const value = params[name];
    const text = value === undefined || value === '' ? `unknown ${words(name)}` : String(value);
    // A reason may be a sentence that brings its own full stop.
    return stop !== '' && text.endsWith('.') ? text : text + stop;
  });
}

const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Role that answers for a record, by the default system of record of its data (guides §7). */
const entityOwners: Record<EntityName, Role> = {
  legalEntity: 'finance_ops',
  customer: 'finance_ops',
  contact: 'sales_ops',
  opportunity: 'sales_ops',
  quote: 'sales_ops',
  contract: 'sales_ops',
  contractLine: 'sales_ops',
  rateCard: 'sales_ops',
  changeOrder: 'project_ops',
  project: 'project_ops',
  task: 'project_ops',
  resource: 'project_ops',
  assignment: 'project_ops',
  timeEntry: 'project_ops',
  expenseItem: 'project_ops',
  milestone: 'project_ops',
  usageRecord: 'project_ops',
  billingScheduleLine: 'finance_ops',
  billingEvent: 'finance_ops',
  invoice: 'finance_ops',
  creditNote: 'finance_ops',
  payment: 'finance_ops',
  paymentAllocation: 'finance_ops',
  revenueSchedule: 'finance_ops',
  revenueEvent: 'finance_ops',
  postingAck: 'integration_ops',
  exceptionCase: 'integration_ops',
};

/**
 * The role that owns a case. Codes owned `by_entity` go to the owner of the record they are about,
 * to integration operations when the record is not known.
 */
export function ownerRole(code: ExceptionCode, entity?: EntityName): Role {
  const { owner } = exceptionCodes[code];
  if (owner !== 'by_entity') return owner;
  return entity === undefined ? 'integration_ops' : entityOwners[entity];
}

const ADVICE = {
  repeats: 'It is tried again by itself. If the case stays open, look at the connection.',
  asks: 'The system is asked again by itself. If the case stays open, say in the console whether the record is there.',
  waits:
    'Put right what the message names, in the system or in the set-up, and retry the case in the console.',
};

/** What the owner of a case does about it, in a sentence. A code that is no exception is treated as one that waits. */
export function whatToDo(code: string): string {
  const { autoRetry }: { autoRetry: ExceptionDefinition['autoRetry'] } = Object.hasOwn(exceptionCodes, code)
    ? exceptionCodes[code as ExceptionCode]
    : { autoRetry: false };
  return autoRetry === 'probe' ? ADVICE.asks : autoRetry ? ADVICE.repeats : ADVICE.waits;
}
