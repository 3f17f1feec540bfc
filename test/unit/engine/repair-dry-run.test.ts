import { type DryRunReport, type Engine, PLACEHOLDER_ID, type Step } from '../../../lib/engine';
import { type Decision, saveDecision } from '../../../lib/engine/decisions';
import { businessEvent, newId } from '../../../lib/model';
import { type Store, verifyAudit } from '../../../lib/store';
import { fail, startEngine, until } from '../../support/engine';
import { AUTHOR, flow, ids, inState, openCases, refuse, runRow, Vendor, win } from './repair-support';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let vendor: Vendor;
let deal: ReturnType<typeof ids>;
let steps: () => Step[];
let release: () => void;

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine({ retry: { maxRunRetries: 0 } }));
  vendor = new Vendor();
  deal = ids();
  engine.repairs.registerTarget('n-project', vendor.target());
  steps = () => [
    vendor.step('customer', deal.customer),
    vendor.step('project', deal.project),
    vendor.step('order', deal.order),
  ];
  release = flow(engine, () => steps());
});
afterEach(async () => {
  expect(await verifyAudit(store)).toBeNull();
  await stop();
});

async function stuck(): Promise<string> {
  vendor.twist('create project', refuse);
  const runId = await win(engine);
  await inState(store, runId, 'failed');
  return runId;
}

/** Everything in the store but the audit, and everything in the vendor. */
async function traces(): Promise<unknown> {
  const tables = [
    'event',
    'run',
    'step',
    'xref',
    'natural_key',
    'exception_case',
    'case_history',
    'outbox',
  ] as const;
  const rows = await Promise.all(tables.map((table) => store.db.selectFrom(table).selectAll().execute()));
  return structuredClone({ rows, records: vendor.records, calls: vendor.log });
}

const verdicts = ({ steps: found }: DryRunReport) =>
  found.map(({ verdict, operation }) => [operation, verdict]);

test('says what a retry would write, with the wire of each, and writes nothing but a line of the audit', async () => {
  const runId = await stuck();
  const before = await traces();
  const report = await engine.repairs.dryRun(runId, 'kim');
  expect(await traces()).toEqual(before);

  expect(report).toMatchObject({ runId, isComplete: true, halts: [], errors: [] });
  expect(report.steps).toMatchObject([
    { verdict: 'already_done', operation: 'customer.create', canonicalId: deal.customer },
    { verdict: 'would_create', operation: 'project.create', system: 'erp', wire: { name: 'ACME' } },
    { verdict: 'would_create', operation: 'order.create' },
  ]);
  const audit = await store.db.selectFrom('audit').selectAll().where('action', '=', 'run.dry_run').execute();
  expect(audit).toMatchObject([{ actor: 'kim', run_id: runId }]);

  // What it said is what the retry does.
  await engine.retryRun(runId, 'kim');
  await inState(store, runId, 'completed');
  expect(vendor.log.slice(-2)).toEqual(['create project', 'create order']);
});

test('the flow goes on with a stand-in for what would be created', async () => {
  const runId = await stuck();
  const seen: unknown[] = [];
  flow(engine, () => []);
  engine.registerSource('source', 1, (run) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error('not under way');
    engine.messageEntered(active);
    void engine
      .step(run.id, vendor.step('project', deal.project))
      .then((outcome) => seen.push(run.dryRun, outcome))
      .finally(() => engine.messageLeft(active));
  });
  await engine.repairs.dryRun(runId, 'kim');
  expect(seen).toMatchObject([
    true,
    { origin: 'dry_run', refs: [{ id: deal.project, ref: { type: 'project', id: PLACEHOLDER_ID } }] },
  ]);
});

test('reads are made, and records seen for the first time leave no trace', async () => {
  const runId = await stuck();
  const found: string[][] = [];
  let reads = 0;
  const provisioned = businessEvent('q2c.project.provisioned.v1', {
    tenant: 'test',
    component: 'flow',
    id: 'x',
    correlationId: newId('opportunity'),
    data: { project: { id: deal.project, externalRefs: [] }, changed: [] },
  });
  const read = vendor.step('deal', newId('opportunity'), {
    operation: 'deal.read',
    readOnly: true,
    undo: 'none',
    call: async () => {
      reads++;
      return { reply: null, result: { refs: [] } };
    },
  });
  steps = () => [read];
  release();
  engine.registerSource('source', 1, (run) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error('not under way');
    engine.messageEntered(active);
    const look = async () => {
      await engine.step(run.id, read);
      const contact = [{ entity: 'contact' as const, type: 'Contact', id: '003' }];
      for (let times = 0; times < 2; times++)
        found.push(await engine.identify('crm', 'org', contact, run.id));
      const claim = { entity: 'customer' as const, key: 'tax|DE|1', id: deal.customer, name: 'ACME' };
      expect(await engine.claimNaturalKeys([claim], run.id)).toMatchObject([{ id: deal.customer }]);
      await engine.announce(provisioned, { runId: run.id });
    };
    void look().finally(() => engine.messageLeft(active));
  });
  const before = await traces();
  const report = await engine.repairs.dryRun(runId, 'kim');
  expect(await traces()).toEqual(before);
  expect(reads).toBe(1);
  expect(found[0]).toEqual(found[1]);
  expect(report).toMatchObject({ steps: [], events: ['q2c.project.provisioned.v1'] });
});

describe('verdicts', () => {
  test('an upsert that finds a record would update it, a create takes it for done', async () => {
    const runId = await stuck();
    vendor.records.push(
      { id: '9', key: deal.project, content: {} },
      { id: '10', key: deal.order, content: {} },
    );
    steps = () => [
      vendor.step('project', deal.project, { operation: 'project.upsert', updates: true }),
      vendor.step('order', deal.order),
    ];
    expect(verdicts(await engine.repairs.dryRun(runId, 'kim'))).toEqual([
      ['project.upsert', 'would_update'],
      ['order.create', 'already_done'],
    ]);
  });

  test('other content than what was confirmed: an upsert would update, a create is blocked', async () => {
    const runId = await stuck();
    const wire = { name: 'ACME 2' };
    steps = () => [vendor.step('customer', deal.customer, { wire, updates: true })];
    expect(verdicts(await engine.repairs.dryRun(runId, 'kim'))).toEqual([
      ['customer.create', 'would_update'],
    ]);
    steps = () => [vendor.step('customer', deal.customer, { wire })];
    expect((await engine.repairs.dryRun(runId, 'kim')).steps).toMatchObject([
      { verdict: 'blocked', code: 'IDEMPOTENCY_MISMATCH', caseId: null, wire },
    ]);
  });

  test('what would fail is blocked by the case that is open, and nothing behind it is judged', async () => {
    const runId = await stuck();
    const [open] = await openCases(store);
    const about = { params: { system: 'ERP', document: 'project ACME' }, ownerRole: 'finance_ops' };
    release();
    engine.registerSource('source', 1, (run) => {
      const active = engine.activeRun(run.id);
      if (active === undefined) throw new Error('not under way');
      engine.messageEntered(active);
      const node = { id: 'n-project', name: 'Make the project' };
      const request = { node, code: 'TARGET_REJECTED' as const, subject: deal.project, about };
      void engine
        .fail(run.id, [request])
        .catch(() => undefined)
        .finally(() => engine.messageLeft(active));
    });
    expect((await engine.repairs.dryRun(runId, 'kim')).steps).toMatchObject([
      { verdict: 'blocked', code: 'TARGET_REJECTED', caseId: open?.id, node: { id: 'n-project' } },
    ]);
    expect((await openCases(store))[0]?.occurrences).toBe(1);
  });

  test('decisions of people count', async () => {
    const runId = await stuck();
    const place = {
      runId,
      nodeId: 'n-project',
      operation: 'project.create',
      canonicalId: deal.project,
    };
    const decide = (decision: Decision) =>
      store.write((tx) =>
        saveDecision(tx, place, { ...decision, ...AUTHOR, at: '2026-01-05T10:00:00.000Z' }),
      );

    await decide({ kind: 'skip' });
    expect(verdicts(await engine.repairs.dryRun(runId, 'kim'))[1]).toEqual(['project.create', 'would_skip']);
    await decide({ kind: 'correct', correction: { patch: { name: 'right' } } });
    expect((await engine.repairs.dryRun(runId, 'kim')).steps[1]).toMatchObject({
      verdict: 'would_create',
      wire: { name: 'right' },
    });
    const id = vendor.byHand();
    await decide({ kind: 'complete', externalId: id });
    expect(verdicts(await engine.repairs.dryRun(runId, 'kim'))[1]).toEqual(['project.create', 'would_adopt']);
    expect(vendor.records.at(-1)?.key).toBeNull();
  });

  test('a target that does not answer blocks', async () => {
    const runId = await stuck();
    steps = () => [
      vendor.step('project', deal.project, {
        probe: () => {
          throw fail('transient');
        },
      }),
    ];
    expect((await engine.repairs.dryRun(runId, 'kim')).steps).toMatchObject([
      { verdict: 'blocked', code: 'TARGET_UNAVAILABLE' },
    ]);
  });
});

describe('life', () => {
  test('asked twice at a time it is done once; asked later, anew', async () => {
    const runId = await stuck();
    const [one, two] = await Promise.all([
      engine.repairs.dryRun(runId, 'kim'),
      engine.repairs.dryRun(runId, 'lee'),
    ]);
    expect(one).toBe(two);
    expect(await engine.repairs.dryRun(runId, 'kim')).toEqual(one);
  });

  test('only what could be retried, and whose source is deployed', async () => {
    const runId = await stuck();
    await expect(engine.repairs.dryRun('run_none', 'kim')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    release();
    await expect(engine.repairs.dryRun(runId, 'kim')).rejects.toMatchObject({ code: 'SOURCE_NOT_DEPLOYED' });
    await store.db.updateTable('run').set({ state: 'completed' }).where('id', '=', runId).execute();
    await expect(engine.repairs.dryRun(runId, 'kim')).rejects.toMatchObject({ code: 'RUN_NOT_RETRIABLE' });
  });

  test('a deploy in the middle breaks it off: it tells what it has seen, and the run is as before', async () => {
    const runId = await stuck();
    let isReached = false;
    const answer = Promise.withResolvers<null>();
    steps = () => [
      vendor.step('customer', deal.customer),
      vendor.step('project', deal.project, {
        probe: () => {
          isReached = true;
          return answer.promise;
        },
      }),
    ];
    const asked = engine.repairs.dryRun(runId, 'kim');
    await until('the probe', () => isReached);
    engine.interrupt();
    const report = await asked;
    answer.resolve(null);
    expect([report.isComplete, verdicts(report)]).toEqual([false, [['customer.create', 'already_done']]]);
    expect(await runRow(store, runId)).toMatchObject({ state: 'failed', attempt: 1 });
    engine.resume();
  });
});

test('a correction of a failed step that is only proposed is in the report, and nowhere else', async () => {
  const runId = await stuck();
  const [found] = await openCases(store);
  const before = await traces();
  const proposal = { caseId: found?.id ?? '', correction: { patch: { name: 'ACME 2' } } };
  const report = await engine.repairs.dryRun(runId, 'kim', proposal);
  expect(report.steps).toMatchObject([
    { verdict: 'already_done', operation: 'customer.create' },
    { verdict: 'would_create', operation: 'project.create', wire: { name: 'ACME 2' } },
    { verdict: 'would_create', operation: 'order.create', wire: { name: 'ACME' } },
  ]);
  expect(await traces()).toEqual(before);
  expect(await store.db.selectFrom('step_decision').selectAll().execute()).toEqual([]);
});
