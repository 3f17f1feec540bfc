import { correctedDeal, type Engine } from '../../../lib/engine';
import { correctionsOf } from '../../../lib/engine/correction-rows';
import { newId } from '../../../lib/model';
import { type Store, verifyAudit } from '../../../lib/store';
import { startEngine } from '../../support/engine';
import { CheckedFlow, TYPED } from './correction-support';
import { AUTHOR, inState, openCases, runRow, Vendor, win } from './repair-support';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let vendor: Vendor;
let deal: CheckedFlow;

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine({ retry: { maxRunRetries: 0 } }));
  vendor = new Vendor();
  deal = new CheckedFlow(engine, vendor);
});
afterEach(async () => {
  expect(await verifyAudit(store)).toBeNull();
  await stop();
});

const corrections = async () =>
  correctionsOf(
    store.db,
    (await store.db.selectFrom('run').select('correlation_id').executeTakeFirstOrThrow()).correlation_id,
  );
const audit = async (action: string) =>
  (await store.db.selectFrom('audit').selectAll().where('action', '=', action).execute()).map((line) => ({
    ...line,
    detail: JSON.parse(line.detail),
  }));
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

test('what was typed in goes to the vendor, and the case and the audit say who has corrected what', async () => {
  const { runId, caseId } = await deal.stuck();
  expect(await engine.repairs.records.input(caseId)).toEqual({
    record: deal.customerId,
    entity: 'customer',
    fields: ['taxProfile.registrationNumber'],
    content: deal.master.customer,
  });
  await engine.repairs.records.correct(caseId, TYPED, AUTHOR);
  await inState(store, runId, 'completed');

  expect(vendor.records.map(({ content }) => content)).toEqual([{ name: 'ACME', tax: 'DE136695976' }]);
  expect(await openCases(store)).toEqual([]);
  const [correction] = await corrections();
  expect(correction).toMatchObject({
    record: deal.customerId,
    path: 'taxProfile.registrationNumber',
    before: null,
    after: 'DE136695976',
    runId,
    caseId,
    endedAt: null,
    ...AUTHOR,
  });
  // What is classified does not stand in the audit, which is kept for ever.
  expect(await audit('record.corrected')).toMatchObject([
    {
      actor: 'kim',
      subject: deal.customerId,
      run_id: runId,
      detail: {
        correction: correction?.id,
        caseId,
        field: 'taxProfile.registrationNumber',
        before: null,
        after: '•••',
        reason: AUTHOR.reason,
      },
    },
  ]);
  expect(await audit('case.corrected')).toMatchObject([
    { actor: 'kim', detail: { fields: ['taxProfile.registrationNumber'], reason: AUTHOR.reason } },
  ]);
  expect((await runRow(store, runId)).attempt).toBe(2);
});

test('before and after of what is not classified stand in the audit', async () => {
  deal.say({ taxProfile: { status: 'registered', registrationNumber: 'DE1' }, paymentTerms: undefined });
  const { runId, caseId } = await deal.stuck();
  await engine.repairs.records.correct(
    caseId,
    { patch: { paymentTerms: 'net_30', legalName: 'ACME SE' } },
    AUTHOR,
  );
  await inState(store, runId, 'completed');
  expect(
    (await audit('record.corrected')).map(({ detail }) => [detail.field, detail.before, detail.after]),
  ).toEqual([
    ['legalName', 'ACME GmbH', 'ACME SE'],
    ['paymentTerms', null, 'net_30'],
  ]);
});

test('it holds for later runs of the deal, while the master says the same as before', async () => {
  const { runId, caseId } = await deal.stuck();
  await engine.repairs.records.correct(caseId, TYPED, AUTHOR);
  await inState(store, runId, 'completed');
  deal.say({ legalName: 'ACME SE' });
  const later = await win(engine, 'opp-1');
  await inState(store, later, 'completed');
  expect(
    deal.passed.map((customer) => [customer?.legalName, customer?.taxProfile?.registrationNumber]),
  ).toEqual([
    ['ACME GmbH', 'DE136695976'],
    ['ACME SE', 'DE136695976'],
  ]);
  const seen = await correctedDeal(store.db, later, deal.master);
  expect(seen.customer?.taxProfile?.registrationNumber).toBe('DE136695976');
  // Another deal is not corrected.
  const other = await win(engine, 'opp-2');
  await inState(store, other, 'failed');
});

test.each<[string, string, 'fulfilled' | 'overruled']>([
  ['the same', 'DE136695976', 'fulfilled'],
  ['something else', 'DE999999999', 'overruled'],
])('it ends when the master says %s', async (_, number, endedAs) => {
  const { runId, caseId } = await deal.stuck();
  await engine.repairs.records.correct(caseId, TYPED, AUTHOR);
  await inState(store, runId, 'completed');
  deal.say({ taxProfile: { status: 'unknown', registrationNumber: number } });
  const later = await win(engine, 'opp-1');
  await inState(store, later, 'completed');

  expect(deal.passed.at(-1)?.taxProfile?.registrationNumber).toBe(number);
  expect(await corrections()).toMatchObject([{ endedAs, endedAt: expect.any(String) }]);
  expect(await audit(`record.correction_${endedAs}`)).toMatchObject([
    {
      actor: 'engine',
      subject: deal.customerId,
      run_id: later,
      detail: { caseId, before: '•••', after: '•••' },
    },
  ]);
  expect(await audit(`case.correction_${endedAs}`)).toHaveLength(1);
  // It does not come back.
  deal.say({ taxProfile: { status: 'unknown' } });
  const last = await win(engine, 'opp-1');
  await inState(store, last, 'failed');
  expect(await audit(`record.correction_${endedAs}`)).toHaveLength(1);
});

test('a second correction goes on from the first; another value of a field takes its place; one is taken back', async () => {
  deal.say({ paymentTerms: undefined });
  const { runId, caseId } = await deal.stuck();
  await engine.repairs.records.correct(
    caseId,
    { patch: { taxProfile: { registrationNumber: 'DE1' } } },
    AUTHOR,
  );
  await inState(store, runId, 'failed');
  const { content, fields } = await engine.repairs.records.input(caseId);
  expect(content).toMatchObject({ taxProfile: { registrationNumber: 'DE1' } });
  expect(fields).toEqual(['paymentTerms']);
  const patch = { paymentTerms: 'net_30', legalName: 'ACME SE', taxProfile: { registrationNumber: 'DE2' } };
  // The CRM never said DE1, so it is not what DE2 takes the place of.
  await engine.repairs.records.correct(caseId, { patch }, AUTHOR);
  await inState(store, runId, 'completed');
  expect(deal.passed.at(-1)).toMatchObject(patch);
  const byPath = (await corrections()).map(({ path, before, after, endedAs }) => [
    path,
    before,
    after,
    endedAs,
  ]);
  expect(byPath.sort()).toEqual([
    ['legalName', 'ACME GmbH', 'ACME SE', null],
    ['paymentTerms', null, 'net_30', null],
    ['taxProfile.registrationNumber', null, 'DE1', 'replaced'],
    ['taxProfile.registrationNumber', null, 'DE2', null],
  ]);
});

test('a correction that is taken back ends, and the audit says so', async () => {
  deal.say({ paymentTerms: undefined });
  const { runId, caseId } = await deal.stuck();
  await engine.repairs.records.correct(caseId, { patch: { legalName: 'ACME SE' } }, AUTHOR);
  await inState(store, runId, 'failed');
  await engine.repairs.records.correct(
    caseId,
    { patch: { legalName: 'ACME GmbH', paymentTerms: 'net_30', ...TYPED.patch } },
    AUTHOR,
  );
  await inState(store, runId, 'completed');
  expect(deal.passed.at(-1)).toMatchObject({ legalName: 'ACME GmbH', paymentTerms: 'net_30' });
  expect(await audit('record.correction_withdrawn')).toMatchObject([
    { actor: 'kim', detail: { field: 'legalName', before: 'ACME SE', after: 'ACME GmbH' } },
  ]);
});

test('sent twice it counts once', async () => {
  const { runId, caseId } = await deal.stuck();
  await Promise.all([
    engine.repairs.records.correct(caseId, TYPED, AUTHOR),
    engine.repairs.records.correct(caseId, TYPED, AUTHOR),
  ]);
  await inState(store, runId, 'completed');
  expect((await runRow(store, runId)).attempt).toBe(2);
  expect(await audit('record.corrected')).toHaveLength(1);
});

test('a dry run says what would be written if it were saved, and saves nothing', async () => {
  const { runId, caseId } = await deal.stuck();
  const seen = deal.passed.length;
  expect((await engine.repairs.dryRun(runId, 'kim')).steps).toMatchObject([{ verdict: 'blocked', caseId }]);
  const report = await engine.repairs.dryRun(runId, 'kim', { caseId, correction: TYPED });
  expect(report.steps).toMatchObject([
    { verdict: 'would_create', operation: 'customer.create', wire: { name: 'ACME', tax: 'DE136695976' } },
  ]);
  expect(deal.passed).toHaveLength(seen + 1);
  expect(vendor.records).toEqual([]);
  expect(await corrections()).toEqual([]);
  const refused = { patch: { id: newId('customer') } };
  expect(await code(engine.repairs.dryRun(runId, 'kim', { caseId, correction: refused }))).toBe(
    'CORRECTION_REFUSED',
  );
  expect(
    await code(engine.repairs.dryRun(runId, 'kim', { caseId: newId('exceptionCase'), correction: TYPED })),
  ).toBe('CASE_UNKNOWN');
});

test('is refused without a reason, for what is not there, for nothing, and while somebody works on the run', async () => {
  const { runId, caseId } = await deal.stuck();
  const attempt = (
    id: string,
    correction: Parameters<typeof engine.repairs.records.correct>[1],
    reason = 'why',
  ) => code(engine.repairs.records.correct(id, correction, { actor: 'kim', reason }));
  expect(await attempt(caseId, TYPED, ' ')).toBe('REASON_MISSING');
  expect(await attempt(newId('exceptionCase'), TYPED)).toBe('CASE_UNKNOWN');
  expect(await attempt(caseId, { patch: {} })).toBe('CORRECTION_REFUSED');
  expect(await attempt(caseId, { wire: {} })).toBe('CORRECTION_REFUSED');
  expect(await attempt(caseId, { patch: { creditStatus: 'ok' } })).toBe('CORRECTION_REFUSED');
  await store.db.updateTable('run').set({ state: 'running' }).where('id', '=', runId).execute();
  expect(await attempt(caseId, TYPED)).toBe('RUN_NOT_RETRIABLE');
  await store.db.updateTable('exception_case').set({ fields: null }).execute();
  expect(await attempt(caseId, TYPED)).toBe('RECORD_NOT_KEPT');
  expect(await corrections()).toEqual([]);
});

test('a deal without corrections costs no look at the store', async () => {
  deal.say({ taxProfile: { status: 'registered', registrationNumber: 'DE1' } });
  const reads = jest.spyOn(store.db, 'selectFrom');
  const runId = await win(engine, 'opp-1');
  await inState(store, runId, 'completed');
  expect(deal.passed).toEqual([deal.master.customer]);
  expect(reads.mock.calls.flat()).not.toContain('record_correction');
});
