import type {
  AuditLine,
  CaseGroup,
  CaseLine,
  CaseView,
  Connection,
  DealReport,
  DealSummary,
  KpiFigures,
  QueueCount,
  RunReport,
  RunSummary,
  Session,
  StepDetail,
  StepInput,
} from '../../console/src/api/types';

/** What the API may say at its worst: many rows, long words of other systems, markup in names, every state. */

export const MARKUP = '<img src=x onerror="window.stolen=1"><b>Müller & Söhne</b>';
const LONG =
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. KGaA';

const instant = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000).toISOString();
const ulid = (prefix: string, number: number) => `${prefix}_01J9${String(number).padStart(22, '0')}`;

export const session: Session = {
  user: 'fiona',
  isAnonymous: false,
  permissions: { read: true, write: true, approve: true, unmask: true },
  roles: ['all'],
  version: '0.1.0',
};

const RUN_STATES = [
  'completed',
  'failed',
  'running',
  'waiting',
  'queued',
  'parked',
  'superseded',
  'cancelling',
  'cancelled',
] as const;

const names = ['Contoso rollout', LONG, MARKUP, 'Northwind managed services 2027', 'Fabrikam ERP phase 2'];
const nameOf = (number: number) => `${names[number % names.length] ?? ''} ${number}`;

export const runs: RunSummary[] = Array.from({ length: 400 }, (_, number) => ({
  id: ulid('run', number),
  title: nameOf(number),
  state: RUN_STATES[number % RUN_STATES.length] ?? 'completed',
  attempt: (number % 3) + 1,
  correlationId: ulid('opp', number),
  sourceNode: 'node-1',
  createdAt: instant(number * 7),
  startedAt: instant(number * 7),
  endedAt: number % 9 === 0 ? instant(number * 7 - 0.07) : null,
  retryAt: number % 9 === 1 ? instant(-12) : null,
}));

const CODES = [
  'TAX_REGISTRATION_MISSING',
  'TARGET_REJECTED',
  'OUTCOME_UNKNOWN',
  'DUPLICATE_SUSPECTED',
] as const;
const MESSAGES = [
  `Project for ${MARKUP} cannot start: the tax registration for DE is missing.`,
  `NetSuite refused customer ${LONG}: The field externalid contained more than the maximum number ( 60 ) of characters allowed. Invalid value: ${'x'.repeat(90)}.`,
  'Kantata did not confirm project create; checking before repeating.',
  'Contoso GmbH looks like existing Contoso Deutschland GmbH (0.93).',
];
const ROLES = ['finance_ops', 'integration_ops', 'project_ops', 'data_steward'] as const;
const CASE_STATES = ['open', 'assigned', 'in_repair', 'ready_to_replay', 'replaying'] as const;
const SEVERITIES = ['error', 'critical', 'warning'] as const;

export const cases: CaseLine[] = Array.from({ length: 300 }, (_, number) => ({
  id: ulid('exc', number),
  version: 3,
  code: CODES[number % 4] ?? 'NODE_FAILED',
  title: 'Tax registration missing',
  message: MESSAGES[number % 4] ?? '',
  status: CASE_STATES[number % 5] ?? 'open',
  severity: SEVERITIES[number % 3] ?? 'error',
  ownerRole: ROLES[number % 4] ?? 'finance_ops',
  assignee: number % 5 === 1 ? 'fiona.finance-operations@a-very-long-domain.example' : null,
  correlationId: ulid('opp', number),
  subject: ulid('cus', number),
  deal: nameOf(number),
  runId: ulid('run', number),
  stepKey: `${ulid('run', number)}:abc`,
  node: { id: 'n1', name: 'Create customer' },
  system: 'netsuite',
  entity: 'customer',
  legalEntity: 'DE01',
  region: 'EMEA',
  amountAtRisk:
    number % 7 === 6 ? null : { amount: `${123456 + number * 997}.50`, currency: number % 3 ? 'EUR' : 'USD' },
  sla: { due: instant(300 - number * 20), breachedAt: number < 15 ? instant(10) : null },
  snoozedUntil: null,
  escalations: 0,
  occurrences: (number % 4) + 1,
  reopened: number % 2,
  openedAt: instant(number * 31),
  updatedAt: instant(number * 30),
  resolvedAt: null,
  cause: `cause-${number % 4}`,
  policyVersion: '1',
  approvalPending: number % 11 === 0,
}));

export const counts: QueueCount[] = ROLES.map((ownerRole, index) => ({
  ownerRole,
  open: 140 - index * 30,
  breached: index === 0 ? 15 : 0,
  snoozed: 2,
  amountAtRisk: [
    { amount: '12345678.90', currency: 'EUR' },
    { amount: '234567.00', currency: 'USD' },
  ].slice(0, 2 - (index % 2)),
}));

const wire = {
  entityId: 'C-1001',
  companyName: MARKUP,
  externalId: 'cus_01J9',
  taxRegistration: null,
  isPerson: false,
  creditLimit: 50000,
  defaultAddress: { addr1: 'Hauptstraße 1', city: 'München', country: 'DE', zip: '80331' },
  contacts: [{ email: '•••@example.com' }],
};

const corrections: CaseView['corrections'] = [
  {
    id: 'cor_1',
    record: ulid('cus', 1),
    path: 'taxProfile.registrationNumber',
    before: { id: ulid('cus', 1) },
    after: { id: ulid('cus', 1), taxProfile: { registrationNumber: '•••' } },
    caseId: ulid('exc', 1),
    runId: 'run_1',
    actor: 'fiona',
    reason: 'As the customer has told us',
    at: instant(10),
    endedAt: null,
    endedAs: null,
  },
  {
    id: 'cor_2',
    record: ulid('cus', 1),
    path: 'billingAddress.city',
    before: { id: ulid('cus', 1), billingAddress: { city: 'Muenchen' } },
    after: { id: ulid('cus', 1), billingAddress: { city: MARKUP } },
    caseId: ulid('exc', 1),
    runId: 'run_1',
    actor: 'otto',
    reason: LONG,
    at: instant(30),
    endedAt: instant(20),
    endedAs: 'overruled',
  },
];

export function caseView(): CaseView {
  const [line] = cases;
  if (line === undefined) throw new Error('no case');
  return {
    ...line,
    detail: {
      field: 'taxRegistration',
      country: 'DE',
      customer: MARKUP,
      proposed: { source: 'CRM', value: null },
    },
    history: [
      { at: instant(90), by: 'system', action: 'opened', detail: { code: 'TAX_REGISTRATION_MISSING' } },
      { at: instant(60), by: 'system', action: 'sla_breached', detail: {} },
      { at: instant(40), by: 'otto', action: 'assigned', detail: { assignee: 'fiona', before: null } },
      {
        at: instant(20),
        by: 'fiona',
        action: 'commented',
        detail: { comment: `Called the customer. ${LONG}` },
      },
    ],
    approvals: [
      {
        id: 'apr_1',
        caseId: line.id,
        request: { action: 'waive' },
        because: 'A waiver above EUR 10,000 needs a second person.',
        state: 'pending',
        requestedBy: 'otto',
        reason: 'The customer pays in advance.',
        requestedAt: instant(15),
        decidedBy: null,
        decidedAt: null,
        note: null,
        amountAtRisk: line.amountAtRisk,
        policyVersion: '1',
      },
    ],
    corrections,
    blocked: {
      nodes: ['Create project', 'Create tasks', 'Billing schedule'].map((name, id) => ({
        id: `b${id}`,
        name,
        type: 'q2c-kantata',
      })),
      runs: [{ id: ulid('run', 7), title: nameOf(7) }],
      cases: [
        { id: ulid('exc', 9), code: 'TARGET_REJECTED', message: MESSAGES[1] ?? '', ownerRole: 'finance_ops' },
      ],
    },
    actions: [
      'assign',
      'comment',
      'snooze',
      'escalate',
      'start_repair',
      'resolve',
      'retry',
      'correct',
      'complete',
      'skip',
      'cancel',
      'waive',
    ],
  };
}

const SYSTEMS = [
  'salesforce',
  'netsuite',
  'netsuite',
  'netsuite',
  'kantata',
  'kantata',
  'kantata',
  'salesforce',
];
const OPERATIONS = [
  'opportunity.get',
  'customer.upsert',
  'contract.create',
  'project.create',
  'project.create',
  'task.create',
  'billingScheduleLine.create',
  'opportunity.update',
];
const STEP_STATES = [
  'confirmed',
  'confirmed',
  'unknown',
  'confirmed',
  'skipped',
  'undone',
  'rejected',
  'intent',
] as const;

const steps: RunReport['steps'] = OPERATIONS.map((operation, number) => ({
  key: `run:${number}`,
  node: number === 3 ? LONG : `Step ${number + 1}: ${operation}`,
  nodeId: `n${number}`,
  system: SYSTEMS[number] ?? '',
  instance: 'org-1',
  operation,
  canonicalId: ulid('cus', number),
  state: STEP_STATES[number] ?? 'confirmed',
  origin: number < 2 ? 'call' : number === 2 ? 'probe' : null,
  calls: (number % 3) + 1,
  probes: number % 2,
  runAttempt: 1,
  startedAt: new Date(Date.now() - 60_000 + number * 400).toISOString(),
  endedAt: new Date(Date.now() - 60_000 + number * 400 + 350 + number * 40).toISOString(),
  durationMs: 350 + number * 40,
  error: number === 6 ? { code: 'TARGET_REJECTED', message: MESSAGES[1] ?? '' } : null,
  undoes: null,
  mappingVersion: null,
  decision: null,
}));

const refs: RunReport['refs'] = ['opportunity', 'customer', 'project', 'billingScheduleLine'].map(
  (entity, number) => ({
    canonicalId: ulid('cus', number),
    entity,
    system: SYSTEMS[number] ?? '',
    instance: 'org-1',
    type: entity,
    externalId: number === 2 ? 'x'.repeat(70) : `00${number}5g00000AbCdE`,
    role: number === 0 ? 'master' : 'copy',
    url: number === 1 ? 'https://example.com/record/1' : number === 2 ? 'javascript:alert(1)' : null,
    createdAt: instant(number),
  }),
);

const caseSummaries: RunReport['cases'] = cases.slice(0, 2).map((line) => ({
  id: line.id,
  code: line.code,
  message: line.message,
  ownerRole: line.ownerRole,
  severity: line.severity,
  state: line.status,
  node: line.node.name,
  nodeId: line.node.id,
  subject: line.subject,
  runId: line.runId,
  stepKey: line.stepKey,
  amountAtRisk: line.amountAtRisk,
  occurrences: 1,
  openedAt: line.openedAt,
}));

export function runReport(): RunReport {
  const run = runs[1];
  if (run === undefined) throw new Error('no run');
  return {
    ...run,
    event: {
      source: 'salesforce:org-1',
      id: 'evt-1',
      type: 'q2c.opportunity.won.v1',
      time: instant(9),
      receivedAt: instant(9),
    },
    steps,
    waits: [
      {
        node: 'Wait for signature',
        event: 'q2c.contract.approved.v1',
        key: ulid('ctr', 1),
        since: instant(5),
        deadline: instant(-600),
      },
    ],
    refs,
    cases: caseSummaries,
    corrections,
    cancellation: null,
  };
}

export function stepDetail(): StepDetail {
  const step = steps[6];
  if (step === undefined) throw new Error('no step');
  return {
    ...step,
    runId: ulid('run', 1),
    title: nameOf(1),
    correlationId: ulid('opp', 1),
    fingerprint: 'f'.repeat(64),
    idempotencyKey: 'a'.repeat(64),
    wire,
    reply: null,
    result: { refs: [], evidence: { status: 400, probe: 'externalId eq cus_01J9', found: 0 } },
    masked: ['wire.contacts.0.email'],
  };
}

export const stepInput: StepInput = {
  runId: ulid('run', 1),
  operation: 'customer.upsert',
  wire,
  error: { code: 'TARGET_REJECTED', message: MESSAGES[1] ?? '' },
  decision: null,
  masked: [],
};

export const deals: DealSummary[] = runs.map(({ correlationId, title, state, createdAt }, number) => ({
  id: correlationId,
  title,
  state,
  runs: 1,
  openCases: number % 4 === 1 ? 2 : 0,
  ownerRoles: number % 4 === 1 ? ['finance_ops', 'integration_ops'] : [],
  amountAtRisk: number % 4 === 1 ? { amount: '98765.43', currency: 'EUR' } : null,
  startedAt: createdAt,
  updatedAt: createdAt,
  matched: null,
}));

export function dealReport(): DealReport {
  return {
    id: ulid('opp', 2),
    title: nameOf(2),
    state: 'failed',
    runs: runs.slice(0, 3),
    entities: refs.map((ref, number) => ({
      canonicalId: ref.canonicalId,
      entity: ref.entity,
      refs: [ref],
      systems: [
        {
          system: ref.system,
          operation: `${ref.entity}.upsert`,
          state: (['confirmed', 'failed', 'in_progress', 'skipped'] as const)[number] ?? 'confirmed',
          at: instant(number),
          stepKey: `run:${number}`,
        },
      ],
    })),
    cases: caseSummaries,
    waits: [],
    waitsFor: [
      {
        kind: 'person',
        who: 'finance_ops',
        what: 'TAX_REGISTRATION_MISSING',
        since: instant(90),
        until: null,
        caseId: ulid('exc', 0),
        runId: ulid('run', 1),
      },
      {
        kind: 'event',
        who: null,
        what: 'q2c.contract.approved.v1',
        since: instant(30),
        until: instant(-600),
        caseId: null,
        runId: ulid('run', 1),
      },
    ],
    corrections,
    timeline: [
      {
        at: instant(92),
        kind: 'event_received',
        runId: null,
        system: 'salesforce',
        subject: 'evt-1',
        what: 'q2c.opportunity.won.v1',
        state: null,
        actor: null,
        message: null,
        durationMs: null,
      },
      {
        at: instant(91),
        kind: 'run_started',
        runId: ulid('run', 1),
        system: null,
        subject: ulid('run', 1),
        what: 'attempt 1',
        state: 'running',
        actor: null,
        message: null,
        durationMs: null,
      },
      {
        at: instant(90.9),
        kind: 'step',
        runId: ulid('run', 1),
        system: 'netsuite',
        subject: 'run:1',
        what: 'customer.upsert',
        state: 'confirmed',
        actor: null,
        message: null,
        durationMs: 430,
      },
      {
        at: instant(90),
        kind: 'case_opened',
        runId: ulid('run', 1),
        system: null,
        subject: ulid('exc', 0),
        what: 'TAX_REGISTRATION_MISSING',
        state: 'open',
        actor: null,
        message: MESSAGES[0] ?? '',
        durationMs: null,
      },
      {
        at: instant(40),
        kind: 'decision',
        runId: ulid('run', 1),
        system: 'netsuite',
        subject: 'run:6',
        what: 'correct',
        state: null,
        actor: 'fiona',
        message: 'VAT id from the contract',
        durationMs: null,
      },
    ],
  };
}

export const systems: Connection[] = ['Salesforce', 'NetSuite', 'Kantata'].map((label, number) => ({
  id: `c${number}`,
  name: number === 1 ? `NetSuite ${LONG}` : `${label} production`,
  system: label.toLowerCase(),
  label,
  environment: (['production', 'sandbox', 'simulator'] as const)[number] ?? 'simulator',
  instance: `org-${number}`,
  health:
    number === 2
      ? null
      : { breaker: number === 1 ? 'open' : 'closed', inFlight: number, waiting: 3 * number },
  limits: { concurrency: 10, ...(number === 1 && { requestsPerSecond: 5 }), timeoutMs: 30_000 },
  openCases: number * 4,
  lastErrors:
    number === 1
      ? [
          {
            code: 'TARGET_REJECTED',
            message: MESSAGES[1] ?? '',
            at: instant(4),
            operation: 'customer.upsert',
            stepKey: 'run:6',
            runId: ulid('run', 1),
          },
        ]
      : [],
}));

const ACTIONS = ['step.confirmed', 'case.assigned', 'run.retried', 'step.corrected', 'case.waived'];
export const audit: AuditLine[] = Array.from({ length: 300 }, (_, number) => ({
  seq: 300 - number,
  at: instant(number * 3),
  actor: number % 3 ? 'fiona' : 'engine',
  action: ACTIONS[number % ACTIONS.length] ?? '',
  subject: ulid('cus', number),
  runId: ulid('run', number),
  detail: { before: 'a'.repeat(64), after: 'b'.repeat(64), reason: MARKUP },
  hash: 'c'.repeat(64),
}));

export function groups(): CaseGroup[] {
  return MESSAGES.map((example, number) => ({
    cause: `cause-${number}`,
    code: CODES[number] ?? '',
    title: '',
    example,
    ownerRole: ROLES[number] ?? 'finance_ops',
    system: number % 2 ? 'netsuite' : null,
    severity: SEVERITIES[number % 3] ?? 'error',
    cases: 75,
    deals: 60,
    amountAtRisk: [{ amount: '1234567.89', currency: 'EUR' }],
    oldestOpenedAt: instant(5000),
    nextDue: instant(number * 60 - 90),
  }));
}

export function kpis(query: URLSearchParams): { figures: KpiFigures[] } {
  const durations = (medianMs: number) => ({ count: 120, meanMs: medianMs, medianMs, p95Ms: medianMs * 3 });
  const figures = (group: string | null, size: number): KpiFigures => ({
    group,
    projectSetup: durations(8_000 + size * 900),
    writes: {
      attempted: 1000 + size,
      confirmed: 990,
      success: 990 / (1000 + size),
      latency: durations(700 + size * 10),
    },
    duplicatesPrevented: { events: size, lostReplies: 2, earlierRuns: 1, naturalKeys: 0 },
    exceptions: { opened: size, resolved: size - 1, timeToResolve: durations(7_200_000) },
  });
  if (query.get('by') === null) return { figures: [figures(null, 10)] };
  const days = Array.from({ length: 30 }, (_, day) => `2026-10-${String(day + 1).padStart(2, '0')}`);
  return { figures: days.map((day, size) => figures(day, (size * 7) % 13)) };
}
