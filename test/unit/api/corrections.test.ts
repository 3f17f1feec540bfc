import type { Caller } from '../../../lib/api';
import type { CaseView } from '../../../lib/governance';
import { type JsonObject, MASK } from '../../../lib/model';
import { jsonOf, kim, user } from '../../support/api';
import { until } from '../../support/engine';
import { NUMBER, TYPED } from '../engine/correction-support';
import { inState } from '../engine/repair-support';
import { Site } from './support';

/** Records that a check has refused: the form of their correction, who may send it, and who sees what. */

let site: Site;
beforeEach(async () => {
  site = await Site.open();
});
afterEach(() => site.close());

interface Form {
  record: string;
  suggested: string[];
  fields: { path: string; kind: string; isRequired: boolean; choices?: string[] }[];
  content: JsonObject;
  masked: string[];
}

const finance = user('fiona', 'q2c.read', 'q2c.role.finance_ops');
const readOnly = user('ron', 'q2c.read');
const projects = user('paul', 'q2c.read', 'q2c.role.project_ops');

const act = (caseId: string, correction: unknown, as: Caller = kim, headers: Record<string, string> = {}) =>
  site.api.ask('POST', `/cases/${caseId}/act`, {
    body: { request: { action: 'correct', correction }, reason: 'as the customer has told us' },
    as,
    headers,
  });

const problemOf = async (answer: ReturnType<typeof act>) => {
  const { status, body } = await answer;
  return { status, ...(body !== null && 'json' in body ? (body.json as object) : {}) };
};

test('the form has the fields that would cure the case, and behind them all that may be corrected', async () => {
  const { caseId } = await site.stuckAtCheck();
  const form = await site.api.get<Form>(`/cases/${caseId}/correction`, {}, { as: finance });
  expect(form.suggested).toEqual(['taxProfile.registrationNumber']);
  const byPath = new Map(form.fields.map(({ path, ...field }) => [path, field]));
  expect(byPath.get('taxProfile.registrationNumber')).toEqual({ kind: 'text', isRequired: false });
  expect(byPath.get('taxProfile.status')).toEqual({
    kind: 'choice',
    isRequired: true,
    choices: ['registered', 'not_registered', 'exempt', 'unknown'],
  });
  expect(byPath.get('country')).toEqual({ kind: 'country', isRequired: true });
  expect(byPath.get('paymentTerms')).toEqual({ kind: 'payment_terms', isRequired: true });
  expect(byPath.get('billingAddress.lines')).toMatchObject({ kind: 'list' });
  expect(byPath.get('purchaseOrderRequired')).toMatchObject({ kind: 'flag', isRequired: false });
  for (const path of ['id', 'version', 'status', 'creditStatus', 'legalEntityId', 'createdAt', 'parentId'])
    expect([path, byPath.has(path)]).toEqual([path, false]);
  expect(form.content).toMatchObject({ id: form.record, legalName: 'ACME GmbH' });
});

test('what is typed in is sent by the owner of the case, and its views mask what is classified', async () => {
  const { caseId, runId } = await site.stuckAtCheck();
  const view = await site.api.get<CaseView>(`/cases/${caseId}`, {}, { as: finance });
  expect(view.actions).toContain('correct');
  expect(view.actions).not.toContain('skip');
  expect(jsonOf(await act(caseId, TYPED, finance))).toMatchObject({ status: 'done' });
  await inState(site.api.engine.store, runId, 'completed');
  expect(site.vendor.records.map(({ content }) => content)).toContainEqual({ name: 'ACME', tax: NUMBER });

  for (const path of [`/cases/${caseId}`, `/runs/${runId}`, `/deals/${runId}`]) {
    const { corrections } = await site.api.get<Pick<CaseView, 'corrections'>>(path);
    expect(corrections).toMatchObject([
      {
        path: 'taxProfile.registrationNumber',
        before: { id: site.checked.customerId },
        after: { id: site.checked.customerId, taxProfile: { registrationNumber: MASK } },
        actor: 'fiona',
        reason: 'as the customer has told us',
        endedAs: null,
      },
    ]);
  }
  const shown = await site.api.get<Pick<CaseView, 'corrections'>>(`/cases/${caseId}`, { unmask: 'true' });
  expect(shown.corrections).toMatchObject([{ after: { taxProfile: { registrationNumber: NUMBER } } }]);
  const form = await site.api.get<Form>(`/cases/${caseId}/correction`);
  expect(form.content).toMatchObject({ taxProfile: { registrationNumber: MASK } });
  expect(form.masked).toContain('content.taxProfile.registrationNumber');
});

test('a dry run takes it into account, and what is only thought of is masked too', async () => {
  const { caseId, runId } = await site.stuckAtCheck();
  const dry = (body: object) => site.api.ask('POST', `/runs/${runId}/dry-run`, { body });
  expect(jsonOf(await dry({}))).toMatchObject({ steps: [{ verdict: 'blocked', caseId }] });
  expect(jsonOf(await dry({ proposal: { caseId, correction: TYPED } }))).toMatchObject({
    steps: [{ verdict: 'would_create', operation: 'customer.create' }],
  });
  expect(await problemOf(dry({ proposal: { caseId, correction: { patch: { id: 'x' } } } }))).toMatchObject({
    status: 422,
    code: 'CORRECTION_REFUSED',
  });
  expect(site.vendor.records).toEqual([]);
});

test('is refused to others, for a case as it is not any more, for a mask, and where there is no record', async () => {
  const { caseId } = await site.stuckAtCheck();
  expect(await problemOf(act(caseId, TYPED, readOnly))).toMatchObject({ status: 401 });
  expect(await problemOf(act(caseId, TYPED, projects))).toMatchObject({ status: 403, code: 'NOT_PERMITTED' });
  const seen = { 'if-match': String((await site.api.ask('GET', `/cases/${caseId}`)).headers.etag) };
  await site.api.ask('POST', `/cases/${caseId}/start-repair`, { body: {} });
  const form = (as: Caller) => site.api.ask('GET', `/cases/${caseId}/correction`, { as });
  expect(await problemOf(form(readOnly))).toMatchObject({ status: 401 });
  expect(await problemOf(form(projects))).toMatchObject({ status: 403 });
  expect(await problemOf(act(caseId, TYPED, kim, seen))).toMatchObject({
    status: 412,
    code: 'CASE_CHANGED',
  });
  const mask = { patch: { taxProfile: { registrationNumber: MASK } } };
  expect(await problemOf(act(caseId, mask))).toMatchObject({ status: 400, code: 'VALUE_INVALID' });
  expect(await problemOf(act(caseId, { patch: { country: 'Germany' } }))).toMatchObject({
    status: 422,
    code: 'CORRECTION_REFUSED',
    detail: expect.stringContaining('country'),
  });
  const ofStep = await site.stuck();
  expect(await problemOf(site.api.ask('GET', `/cases/${ofStep.caseId}/correction`))).toMatchObject({
    status: 409,
    code: 'RECORD_NOT_KEPT',
  });
});

test('what waits for a second person is masked, and done when that one agrees; the repairer cannot', async () => {
  const amountAtRisk = { amount: '240000.00', currency: 'EUR' };
  site.checked.about = { ...site.checked.about, amountAtRisk, facts: { entity: 'invoice' } };
  const { caseId, runId } = await site.stuckAtCheck();
  const asked = jsonOf<{ status: string; approval: { id: string; request: unknown } }>(
    await act(caseId, TYPED, finance),
  );
  expect(asked.status).toBe('pending_approval');
  const request = { action: 'correct', correction: { patch: { taxProfile: { registrationNumber: MASK } } } };
  expect(asked.approval.request).toMatchObject(request);
  const { approvals } = await site.api.get<CaseView>(`/cases/${caseId}`);
  expect(approvals).toMatchObject([{ request }]);
  const approve = (as: Caller) =>
    site.api.ask('POST', `/approvals/${asked.approval.id}/approve`, { body: {}, as });
  expect(await problemOf(approve(user('fiona', '*')))).toMatchObject({ status: 403, code: 'NOT_PERMITTED' });
  expect(jsonOf(await approve(kim))).toMatchObject({ status: 'done' });
  await inState(site.api.engine.store, runId, 'completed');
  expect(site.vendor.records.map(({ content }) => content)).toContainEqual({ name: 'ACME', tax: NUMBER });
});

test('who has corrected something of the run is no second person', async () => {
  const { caseId, runId } = await site.stuckAtCheck();
  const { about } = site.checked;
  const amountAtRisk = { amount: '240000.00', currency: 'EUR' };
  site.checked.about = { ...about, amountAtRisk, facts: { entity: 'invoice' } };
  // The registration is still missing, so the run stops again, and now there is money at risk.
  expect(jsonOf(await act(caseId, { patch: { legalName: 'ACME SE' } }))).toMatchObject({ status: 'done' });
  await until('the case to be seen again', async () => {
    const view = await site.api.get<CaseView>(`/cases/${caseId}`);
    return view.occurrences === 2 && view.status === 'in_repair';
  });
  await inState(site.api.engine.store, runId, 'failed');
  const { approval } = jsonOf<{ approval: { id: string } }>(await act(caseId, TYPED, finance));
  const approve = (as: Caller) =>
    problemOf(site.api.ask('POST', `/approvals/${approval.id}/approve`, { body: {}, as }));
  expect(await approve(kim)).toMatchObject({
    status: 403,
    detail: expect.stringContaining('kim has repaired this run'),
  });
  expect(await approve(user('lea', '*'))).toMatchObject({ status: 'done' });
  await inState(site.api.engine.store, runId, 'completed');
});

test('with the same idempotency key it is done once', async () => {
  const { caseId, runId } = await site.stuckAtCheck();
  const headers = { 'idempotency-key': 'k1' };
  const first = jsonOf(await act(caseId, TYPED, kim, headers));
  await inState(site.api.engine.store, runId, 'completed');
  expect(jsonOf(await act(caseId, TYPED, kim, headers))).toEqual(first);
  expect(await site.audit('record.corrected')).toHaveLength(1);
});
