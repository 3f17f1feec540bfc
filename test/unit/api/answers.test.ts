import type { Answer } from '../../../lib/api';
import { doOnce } from '../../../lib/api/requests';
import type { RunReport, RunSummary } from '../../../lib/api/schemas/runs';
import type { CaseView } from '../../../lib/governance';
import { jsonOf, kim, user } from '../../support/api';
import { until } from '../../support/engine';
import { inState, win } from '../engine/repair-support';
import { Site } from './support';

let site: Site;
const api = () => site.api;

beforeEach(async () => {
  site = await Site.open();
});
afterEach(() => site.close());

const problemOf = ({ status, body, headers }: Answer) => {
  const { code } = (body !== null && 'json' in body ? body.json : {}) as { code?: string };
  return { status, code, media: headers['content-type'] };
};

interface List<T> {
  items: T[];
  next: string | null;
}

describe('lists', () => {
  test('page by page, each run comes once, also while new ones arrive', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push(await win(api().engine.engine));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: List<RunSummary> = await api().get('/runs', { limit: '2', ...(cursor && { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      await win(api().engine.engine);
    } while (cursor !== null);
    expect(seen).toEqual(ids.toReversed());
    await site.settled();
  });

  test('what a filter does not know is refused, not passed over', async () => {
    for (const query of [
      { state: 'nowhere' },
      { stat: 'failed' },
      { limit: '0' },
      { limit: '501' },
      { cursor: 'x' },
    ]) {
      const refused = problemOf(await api().ask('GET', '/runs', { query }));
      expect({ query, ...refused }).toMatchObject({
        query,
        status: 400,
        media: 'application/problem+json',
        code: 'VALUE_INVALID',
      });
    }
  });

  test('several states at once, and a part of the title', async () => {
    const { runId } = await site.stuck();
    const states = async (query: object) =>
      (await api().get<List<RunSummary>>('/runs', { ...query })).items.map(({ id }) => id);
    expect(await states({ state: 'failed,waiting' })).toEqual([runId]);
    expect(await states({ state: ['queued', 'completed'] })).toEqual([]);
    expect(await states({ q: 'DEAL OPP' })).toEqual([runId]);
    expect(await states({ q: '%' })).toEqual([]);
  });
});

test('what is not there is a problem document with a code', async () => {
  for (const path of ['/runs/run_1', '/steps/x', '/cases/exc_1', '/deals/opp_1', '/deals/opp_1/evidence']) {
    expect({ path, ...problemOf(await api().ask('GET', path)) }).toMatchObject({
      status: 404,
      media: 'application/problem+json',
      code: 'RECORD_UNKNOWN',
    });
  }
});

describe('conditions', () => {
  test('what is known already is not sent again, until it changes', async () => {
    const { caseId } = await site.stuck();
    const first = await api().ask('GET', `/cases/${caseId}`);
    const headers = { 'if-none-match': String(first.headers.etag) };
    const again = await api().ask('GET', `/cases/${caseId}`, { headers });
    expect(again).toMatchObject({ status: 304, body: null, headers: { etag: first.headers.etag } });

    await api().ask('POST', `/cases/${caseId}/comment`, { body: { text: 'I look into it' } });
    const changed = await api().ask('GET', `/cases/${caseId}`, { headers });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(first.headers.etag);
  });

  test('an action on what has changed since it was read is refused, and nothing is done', async () => {
    const { caseId, runId } = await site.stuck();
    const etagOf = async (path: string) => String((await api().ask('GET', path)).headers.etag);
    const ofCase = { 'if-match': await etagOf(`/cases/${caseId}`) };
    const ofRun = { 'if-match': await etagOf(`/runs/${runId}`) };
    const assign = (headers: Record<string, string>) =>
      api().ask('POST', `/cases/${caseId}/assign`, { headers, body: { assignee: 'lee' } });
    expect((await assign(ofCase)).status).toBe(200);
    expect(problemOf(await assign(ofCase))).toMatchObject({ status: 412, code: 'CASE_CHANGED' });

    const retry = () => api().ask('POST', `/runs/${runId}/retry`, { headers: ofRun, body: {} });
    expect((await retry()).status).toBe(200);
    await inState(api().engine.store, runId, 'completed');
    expect(problemOf(await retry())).toMatchObject({ status: 412, code: 'RECORD_CHANGED' });
  });

  test('a condition that would not be heeded is refused', async () => {
    const headers = { 'if-match': '"1.x"' };
    expect(problemOf(await api().ask('POST', '/audit/verify', { headers }))).toMatchObject({ status: 400 });
  });
});

describe('idempotency keys', () => {
  const tokens = () => site.audit('token.created');
  const body = { name: 'portal', scopes: ['rates'] };

  test('the same key with the same request is done once, and answered with what came of it', async () => {
    const { caseId } = await site.stuck();
    const headers = { 'idempotency-key': 'k1' };
    const comment = (text: string) =>
      api().ask('POST', `/cases/${caseId}/comment`, { headers, body: { text } });
    const first = await comment('once');
    const again = await comment('once');
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(jsonOf(again)).toEqual(jsonOf(first));
    const { history } = await api().get<CaseView>(`/cases/${caseId}`);
    expect(history.filter(({ action }) => action === 'commented')).toHaveLength(1);

    expect(problemOf(await comment('twice'))).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    const other = { headers, body: { text: 'by somebody else' }, as: user('lee', '*') };
    expect((await api().ask('POST', `/cases/${caseId}/comment`, other)).status).toBe(200);
  });

  test('while it is being done, whoever asks again is told to wait', async () => {
    const { store } = api().engine;
    const request = { caller: 'kim', key: 'k2', route: 'retryRun', body: {} };
    const busy = Promise.withResolvers<{ status: number; body: object }>();
    const begun = Promise.withResolvers<void>();
    const act = () => {
      begun.resolve();
      return busy.promise;
    };
    const first = doOnce(store, request, act, true);
    await begun.promise;
    await expect(doOnce(store, request, act, true)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
    });
    busy.resolve({ status: 200, body: { done: true } });
    expect(await first).toMatchObject({ isReplayed: false });
    expect(await doOnce(store, request, act, true)).toMatchObject({ body: { done: true }, isReplayed: true });
  });

  test('asked twice at a time, a run is retried once', async () => {
    const { runId } = await site.stuck();
    const headers = { 'idempotency-key': 'k3' };
    const ask = () => api().ask('POST', `/runs/${runId}/retry`, { headers, body: {} });
    await Promise.all([ask(), ask()]);
    await inState(api().engine.store, runId, 'completed');
    expect(await site.audit('run.retried')).toHaveLength(1);
    expect((await ask()).headers['idempotency-replayed']).toBe('true');
  });

  test('what was refused may be tried again with the same key', async () => {
    const { runId } = await site.stuck();
    const headers = { 'idempotency-key': 'k3' };
    const ask = () => api().ask('POST', `/runs/${runId}/dry-run`, { headers, body: {} });
    const remove = api().engine.engine.registerSource('source', 1, () => undefined);
    remove();
    expect(problemOf(await ask())).toMatchObject({ code: 'SOURCE_NOT_DEPLOYED', status: 409 });
    expect(problemOf(await ask())).toMatchObject({ code: 'SOURCE_NOT_DEPLOYED' });
  });

  test('the secret of a token is not kept to be told again', async () => {
    const headers = { 'idempotency-key': 'k4' };
    const first = jsonOf<{ secret: string }>(await api().ask('POST', '/tokens', { headers, body }));
    const again = jsonOf<{ secret?: string }>(await api().ask('POST', '/tokens', { headers, body }));
    expect(again.secret).toBeUndefined();
    expect(await tokens()).toHaveLength(1);
    const rows = await api().engine.store.db.selectFrom('api_request').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(first.secret);
  });
});

describe('repairs', () => {
  test('a step is corrected through its case, and the run comes through', async () => {
    const { runId, stepKey, caseId } = await site.stuck();
    const path = `/steps/${encodeURIComponent(stepKey)}/correct`;
    const body = { patch: { name: 'ACME 2' }, reason: 'agreed' };
    expect(jsonOf(await api().ask('POST', path, { body }))).toMatchObject({
      status: 'done',
      case: { id: caseId },
    });
    await inState(api().engine.store, runId, 'completed');
    const { steps } = await api().get<RunReport>(`/runs/${runId}`);
    expect(steps.map(({ state }) => state)).toEqual(['confirmed', 'rejected', 'confirmed']);
    await until('the case to be closed', async () => {
      const { status } = await api().get<CaseView>(`/cases/${caseId}`);
      return status === 'resolved';
    });
  });

  test('cancelled: what was made is undone, last first', async () => {
    const { runId } = await site.stuck();
    api().engine.engine.repairs.registerTarget('n-customer', site.vendor.target());
    const done = jsonOf(await api().ask('POST', `/runs/${runId}/cancel`, { body: { reason: 'not wanted' } }));
    expect(done).toMatchObject({ status: 'done', cancel: { state: 'cancelled', stuck: null } });
  });

  test('without a reason nothing is done', async () => {
    const { runId } = await site.stuck();
    const refused = await api().ask('POST', `/runs/${runId}/cancel`, { body: { reason: ' ' }, as: kim });
    expect(problemOf(refused)).toMatchObject({ status: 400, code: 'VALUE_INVALID' });
  });
});

describe('rights', () => {
  const reader = user('rita', 'read');
  const finance = user('fred', 'read', 'q2c.role.finance_ops');
  const projects = user('paul', 'read', 'q2c.role.project_ops');

  test('a role acts on its own cases and their steps, on no others', async () => {
    const { caseId, stepKey } = await site.stuck();
    const { ownerRole } = await api().get<CaseView>(`/cases/${caseId}`);
    expect(ownerRole).toBe('finance_ops');
    const comment = (as: typeof reader) =>
      api().ask('POST', `/cases/${caseId}/comment`, { as, body: { text: 'x' } });
    const input = (as: typeof reader) =>
      api().ask('GET', `/steps/${encodeURIComponent(stepKey)}/input`, { as });
    expect(problemOf(await comment(reader))).toMatchObject({ status: 401, code: 'PERMISSION_MISSING' });
    expect(problemOf(await input(reader))).toMatchObject({ status: 401, code: 'PERMISSION_MISSING' });
    expect(problemOf(await input(projects))).toMatchObject({ status: 401, code: 'PERMISSION_MISSING' });
    expect((await comment(finance)).status).toBe(200);
    expect((await input(finance)).status).toBe(200);
    const assign = { as: projects, body: { assignee: 'paul' } };
    expect(problemOf(await api().ask('POST', `/cases/${caseId}/assign`, assign))).toMatchObject({
      status: 403,
      code: 'NOT_PERMITTED',
    });
  });

  test('who asks is told what they may', async () => {
    expect(await api().get('/session', {}, { as: finance })).toMatchObject({
      user: 'fred',
      permissions: { read: true, write: false, approve: false, unmask: false },
      roles: ['finance_ops'],
    });
  });
});
