import { searchAudit } from '../../../lib/observe/audit-search';
import { type EvidencePack, evidenceOf, verifyEvidence } from '../../../lib/observe/evidence';
import { evidenceHtml } from '../../../lib/observe/evidence-html';
import { appendAudit } from '../../../lib/store';
import { FakeVendor, fail, startEngine, type TestEngine, until } from '../../support/engine';
import { flowOf, won } from './support';

let tested: TestEngine;
beforeEach(async () => {
  tested = await startEngine();
});
afterEach(() => tested.stop());

const AT = '2026-02-01T08:00:00.000Z';
const states = async () =>
  (await tested.store.db.selectFrom('run').select('state').orderBy('seq').execute()).map(
    ({ state }) => state,
  );

/** Two deals: one has come through, the name of the other is markup, and it stopped at a refusal. */
async function twoDeals() {
  const { engine, store } = tested;
  const vendor = new FakeVendor();
  flowOf(engine, (run) => {
    if (run.title.includes('<')) {
      vendor.script = [
        () => {
          throw fail('rejected', 'TARGET_REJECTED');
        },
      ];
    }
    const about = { params: { system: 'ERP', document: `customer ${run.title}` }, ownerRole: 'finance_ops' };
    return engine.step(run.id, vendor.step({ canonicalId: run.orderingKey, about }));
  });
  await engine.accept(won('e1', 'A'));
  await until('the first', async () => (await states()).join() === 'completed');
  await engine.accept(won('e2', 'B', { title: '<img src=x onerror="alert(1)"> & Söhne' }));
  await until('the second', async () => (await states()).join() === 'completed,failed');
  const runs = await store.db.selectFrom('run').selectAll().orderBy('seq').execute();
  return runs.map(({ correlation_id }) => correlation_id);
}

async function evidence(correlationId: string): Promise<EvidencePack> {
  const pack = await evidenceOf(tested.store, correlationId as EvidencePack['deal']['correlationId'], {
    actor: 'auditor',
    at: AT,
  });
  if (pack === null) throw new Error('no such deal');
  return pack;
}

test('the evidence of a deal holds what was done for it and nothing of others', async () => {
  const [first, second] = await twoDeals();
  const pack = await evidence(second ?? '');
  expect(pack).toMatchObject({
    deal: { correlationId: second, title: '<img src=x onerror="alert(1)"> & Söhne' },
    events: [{ id: 'e2', type: 'q2c.opportunity.won.v1', disposition: 'case' }],
    runs: [
      {
        state: 'failed',
        steps: [{ system: 'erp', state: 'rejected', errorCode: 'TARGET_REJECTED', calls: 1 }],
      },
    ],
    cases: [{ code: 'TARGET_REJECTED', state: 'open', history: [{ actor: 'engine', action: 'opened' }] }],
    chain: { intact: true, brokenAt: null },
  });
  expect(pack.audit.map(({ action }) => action)).toEqual(['case.opened']);
  expect((await evidence(first ?? '')).audit.map(({ action }) => action)).toEqual(['step.confirmed']);
  expect(JSON.stringify(pack)).not.toContain('ACME');
  expect(await evidenceOf(tested.store, 'opp_01JGZC0000000000000000000A', { actor: 'a', at: AT })).toBeNull();
});

test('a pack that was written and read again is as it was made; any change shows', async () => {
  const [, second] = await twoDeals();
  const { db } = tested.store;
  const copy = async () => JSON.parse(JSON.stringify(await evidence(second ?? ''))) as EvidencePack;
  expect(await verifyEvidence(await copy(), db)).toEqual({ intact: true, problems: [] });

  const edited = await copy();
  if (edited.cases[0]) edited.cases[0].state = 'resolved';
  expect(await verifyEvidence(edited)).toEqual({
    intact: false,
    problems: ['the pack was changed after it was made'],
  });
  const forged = await copy();
  if (forged.audit[0]) forged.audit[0].actor = 'somebody';
  expect((await verifyEvidence(forged)).problems).toEqual([
    'the pack was changed after it was made',
    `line ${forged.audit[0]?.seq} of the audit does not fit its hash`,
  ]);

  const genuine = await copy();
  await db
    .deleteFrom('audit')
    .where('seq', '=', genuine.audit[0]?.seq ?? 0)
    .execute();
  expect((await verifyEvidence(genuine)).intact).toBe(true);
  expect((await verifyEvidence(genuine, db)).problems).toContain(
    `line ${genuine.audit[0]?.seq} is not in the audit of the store`,
  );
});

test('a broken chain is told in the pack', async () => {
  const [first] = await twoDeals();
  await tested.store.db.updateTable('audit').set({ actor: 'nobody' }).where('seq', '=', 2).execute();
  const pack = await evidence(first ?? '');
  expect(pack.chain).toMatchObject({ intact: false, brokenAt: 2, lines: 1 });
  expect((await verifyEvidence(pack)).problems).toEqual(['the chain was broken at line 2 when it was made']);
});

test('the page shows names as text and loads nothing', async () => {
  const [, second] = await twoDeals();
  const page = evidenceHtml(await evidence(second ?? ''));
  expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; Söhne');
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/<script|<link|src=["']?http|href=/);
});

describe('search', () => {
  /** Lines of two actors, a second apart. */
  async function lines(count: number): Promise<void> {
    for (let from = 0; from < count; from += 1000) {
      await tested.store.write(async (tx) => {
        for (let index = from; index < Math.min(count, from + 1000); index++) {
          await appendAudit(tx, {
            at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString(),
            actor: index % 100 === 0 ? 'maria' : 'engine',
            action: index % 2 === 0 ? 'case.opened' : 'case.resolved',
            subject: `exc_${index % 10}`,
            runId: null,
            detail: { index },
          });
        }
      });
    }
  }

  test('pages newest first, by any filter, until there is no more', async () => {
    await lines(1000);
    const seen: number[] = [];
    for (let after: number | undefined; ; ) {
      const page = await searchAudit(tested.store, { actor: 'maria' }, { limit: 3, ...(after && { after }) });
      seen.push(...page.lines.map(({ detail }) => (detail as { index: number }).index));
      if (page.next === null) break;
      after = page.next;
    }
    expect(seen).toEqual([900, 800, 700, 600, 500, 400, 300, 200, 100, 0]);
  });

  test('by subject, action, and time', async () => {
    await lines(200);
    const all = (filter: Parameters<typeof searchAudit>[1]) =>
      searchAudit(tested.store, filter, { limit: 500 });
    expect((await all({ subject: 'exc_3' })).lines).toHaveLength(20);
    expect((await all({ action: 'case.' })).lines).toHaveLength(200);
    expect((await all({ action: 'case.opened' })).lines).toHaveLength(100);
    expect((await all({ action: 'case' })).lines).toHaveLength(0);
    const since = '2026-01-01T00:00:10.000Z';
    const before = '2026-01-01T00:00:20.000Z';
    expect((await all({ since, before })).lines.map(({ at }) => at)).toEqual(
      Array.from({ length: 10 }, (_, index) => `2026-01-01T00:00:${19 - index}.000Z`),
    );
  });

  test('one request reads a bounded part of a long audit and says where to go on', async () => {
    await lines(120_000);
    const first = await searchAudit(tested.store, { action: 'nothing' }, { limit: 10 });
    expect(first).toEqual({ lines: [], next: 20_001 });
    const second = await searchAudit(
      tested.store,
      { action: 'nothing' },
      { limit: 10, after: first.next ?? 0 },
    );
    expect(second).toEqual({ lines: [], next: null });
  }, 30_000);
});
