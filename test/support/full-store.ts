import type { Insertable } from 'kysely';
import { type CanonicalId, exceptionCodes, newId, newUlid, type Role } from '../../lib/model';
import type { Schema } from '../../lib/store';
import { appendAudit, type CaseRow, type RunState, type Store, seal, type Tx } from '../../lib/store';

/** Fills a store as years of work would: to see how fast it still answers, and what pages look like with much in them. */

export interface Filling {
  runs: number;
  /** Open ones, of the latest runs that have failed. */
  cases: number;
}

const ADJECTIVES = [
  'Northern',
  'Blue',
  'Rapid',
  'Golden',
  'Silent',
  'Grand',
  'Alpine',
  'Coastal',
  'Urban',
  'Prime',
];
const NOUNS = [
  'Foods',
  'Logistics',
  'Bank',
  'Energy',
  'Robotics',
  'Clinics',
  'Press',
  'Steel',
  'Airlines',
  'Insurance',
];
const PROJECTS = ['ERP rollout', 'Data platform', 'Audit', 'Cloud migration', 'Managed service', 'Training'];
const CODES = [
  'TAX_REGISTRATION_MISSING',
  'TARGET_REJECTED',
  'DUPLICATE_SUSPECTED',
  'CREDIT_HOLD',
  'OUTCOME_UNKNOWN',
] as const;
const OWNERS: Role[] = ['finance_ops', 'project_ops', 'data_steward', 'finance_ops', 'integration_ops'];
const CURRENCIES = ['EUR', 'USD', 'GBP'];
const SYSTEMS = [
  { system: 'netsuite', operation: 'customer.upsert', entity: 'customer', type: 'customer' },
  { system: 'netsuite', operation: 'project.upsert', entity: 'project', type: 'job' },
  { system: 'kantata', operation: 'project.create', entity: 'project', type: 'Workspace' },
] as const;

/** Runs of one transaction. */
const BATCH = 250;
const MINUTE_MS = 60_000;

type Rows<T extends keyof Schema> = Insertable<Schema[T]>[];

/** @param now when the latest run ended */
export async function fillStore(store: Store, { runs, cases }: Filling, now = new Date()): Promise<void> {
  for (let from = 0; from < runs; from += BATCH) {
    const count = Math.min(BATCH, runs - from);
    await store.write((tx) => fillBatch(tx, { from, count, runs, cases, now }), 'committed');
  }
}

interface Batch extends Filling {
  from: number;
  count: number;
  now: Date;
}

async function fillBatch(tx: Tx, { from, count, runs, cases, now }: Batch): Promise<void> {
  const rows = {
    event: [] as Rows<'event'>,
    run: [] as Rows<'run'>,
    step: [] as Rows<'step'>,
    xref: [] as Rows<'xref'>,
    exception_case: [] as Rows<'exception_case'>,
    case_history: [] as Rows<'case_history'>,
  };
  for (let index = from; index < from + count; index++) {
    const at = (minutes: number) =>
      new Date(now.getTime() - (runs - index) * MINUTE_MS + minutes * 1_000).toISOString();
    const deal = newId('opportunity');
    const hasFailed = runs - index <= cases;
    const title = titleOf(index);
    const run = `run_${newUlid()}`;
    rows.event.push({
      source: '/q2c/main/salesforce',
      event_id: `evt-${index}`,
      type: 'q2c.opportunity.won.v1',
      subject: deal,
      time: at(0),
      received_at: at(1),
      data: seal(tx, 'event', 'data', { source: '/q2c/main/salesforce', event_id: `evt-${index}` }, '{}'),
      duplicates: 0,
      version: null,
      stamp: null,
      disposition: hasFailed ? 'case' : 'applied',
    });
    rows.run.push({
      id: run,
      event_seq: index + 1,
      source_node: 'source',
      ordering_key: deal,
      correlation_id: deal,
      title,
      state: stateOf(index, hasFailed),
      attempt: 1,
      retry_at: null,
      lease_owner: null,
      lease_until: null,
      created_at: at(1),
      started_at: at(2),
      ended_at: at(9),
      at_nodes: null,
    });
    const customer = newId('customer');
    const project = newId('project');
    for (const [place, { system, operation, entity, type }] of SYSTEMS.entries()) {
      const isLast = place === SYSTEMS.length - 1;
      const isRefused = hasFailed && isLast;
      const canonicalId = entity === 'customer' ? customer : project;
      const externalId = `${system === 'netsuite' ? '' : 'k'}${place}${100_000 + index}`;
      const key = `${run}:${newUlid()}`;
      rows.step.push(
        stepOf(tx, { key, run, system, operation, canonicalId, externalId, isRefused, title, at, place }),
      );
      if (isRefused) continue;
      rows.xref.push({
        system,
        instance: 'main',
        type,
        external_id: externalId,
        canonical_id: canonicalId,
        entity,
        role: 'copy',
        url: `https://${system}.example/records/${externalId}`,
        created_at: at(3 + place),
      });
      await appendAudit(tx, {
        at: at(3 + place),
        actor: 'engine',
        action: 'step.confirmed',
        subject: canonicalId,
        runId: run,
        detail: {
          system,
          instance: 'main',
          operation,
          refs: [`${type}/${externalId}`],
          evidence: { id: externalId, number: `CUST-${index}` },
        },
      });
    }
    if (hasFailed) {
      const found = caseOf(tx, { index, deal, run, project, step: rows.step.at(-1)?.key ?? null, title, at });
      rows.exception_case.push(found.row);
      rows.case_history.push(found.history);
      await appendAudit(tx, {
        at: at(9),
        actor: 'engine',
        action: 'case.opened',
        subject: found.row.id,
        runId: run,
        detail: { code: found.row.code },
      });
    }
  }
  for (const [table, all] of Object.entries(rows) as [keyof typeof rows, Rows<'run'>][]) {
    for (let begin = 0; begin < all.length; begin += 100) {
      await tx
        .insertInto(table as 'run')
        .values(all.slice(begin, begin + 100))
        .execute();
    }
  }
}

const pick = <T>(values: readonly T[], index: number): T => values[index % values.length] as T;

const titleOf = (index: number): string =>
  `${pick(ADJECTIVES, index)} ${pick(NOUNS, Math.floor(index / 10))} ${Math.floor(index / 100)}: ${pick(PROJECTS, index)}`;

function stateOf(index: number, hasFailed: boolean): RunState {
  if (hasFailed) return 'failed';
  return index % 5_000 === 0 ? 'cancelled' : 'completed';
}

interface FilledStep {
  key: string;
  run: string;
  system: string;
  operation: string;
  canonicalId: CanonicalId;
  externalId: string;
  isRefused: boolean;
  title: string;
  place: number;
  at(minutes: number): string;
}

function stepOf(tx: Tx, step: FilledStep): Insertable<Schema['step']> {
  const { key, place, at, isRefused, externalId } = step;
  const sealed = (column: 'wire' | 'reply' | 'result', value: unknown) =>
    seal(tx, 'step', column, { key }, JSON.stringify(value));
  return {
    key,
    run_id: step.run,
    run_attempt: 1,
    node_id: `node-${place}`,
    node_name: pick(['Customer', 'Project', 'Workspace'], place),
    system: step.system,
    instance: 'main',
    operation: step.operation,
    canonical_id: step.canonicalId,
    fingerprint: key.slice(-26),
    idempotency_key: key.slice(-26),
    state: isRefused ? 'rejected' : 'confirmed',
    calls: 1,
    probes: 0,
    origin: isRefused ? null : 'call',
    wire: sealed('wire', {
      externalId: step.canonicalId,
      body: { companyName: step.title, vatRegNumber: `DE${200_000_000 + place}`, memo: 'x'.repeat(300) },
    }),
    reply: isRefused ? null : sealed('reply', { id: externalId }),
    result: isRefused
      ? null
      : sealed('result', { refs: [{ id: step.canonicalId }], evidence: { id: externalId } }),
    error_code: isRefused ? 'TARGET_REJECTED' : null,
    error_message: isRefused
      ? seal(
          tx,
          'step',
          'error_message',
          { key },
          'The field "template" holds a value that is not in the list.',
        )
      : null,
    started_at: at(2 + place),
    ended_at: at(3 + place),
    duration_ms: 100 + ((place * 37) % 400),
    undo: 'call',
    undoes: null,
  };
}

interface FilledCase {
  index: number;
  deal: CanonicalId;
  run: string;
  project: CanonicalId;
  step: string | null;
  title: string;
  at(minutes: number): string;
}

function caseOf(tx: Tx, { index, deal, run, project, step, title, at }: FilledCase) {
  const id = newId('exceptionCase');
  const code = pick(CODES, index);
  const whole = 10_000 + ((index * 7_919) % 400_000);
  const row: Insertable<Schema['exception_case']> & Pick<CaseRow, 'id' | 'code'> = {
    id,
    dedupe_key: `${deal}|${index}`,
    code,
    message: seal(
      tx,
      'exception_case',
      'message',
      { id },
      `Kantata refused project ${title}: the template is not known.`,
    ),
    owner_role: pick(OWNERS, index),
    severity: exceptionCodes[code].severity,
    state: index % 3 === 0 ? 'assigned' : 'open',
    correlation_id: deal,
    subject: project,
    run_id: run,
    run_attempt: 1,
    step_key: step,
    node_id: 'node-2',
    node_name: 'Workspace',
    amount_at_risk: `${whole}.00`,
    currency: pick(CURRENCIES, index),
    detail: seal(
      tx,
      'exception_case',
      'detail',
      { id },
      JSON.stringify({ system: 'kantata', operation: 'project.create' }),
    ),
    occurrences: 1,
    reopened: 0,
    opened_at: at(9),
    updated_at: at(9),
    resolved_at: null,
    assignee: index % 3 === 0 ? 'kim' : null,
    sla_due_at: at(9 + 480 * 60),
    cause: `cause-${index % 40}`,
    system: 'kantata',
    instance: 'main',
    entity: 'project',
    legal_entity: pick(['DE', 'US', 'UK'], index),
    region: pick(['EMEA', 'AMER'], index),
    amount_whole: whole,
  };
  const line = { case_id: id, at: at(9), action: 'opened' };
  const history = { ...line, actor: 'engine', detail: seal(tx, 'case_history', 'detail', line, '{}') };
  return { row, history };
}
