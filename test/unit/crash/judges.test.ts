import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type Store } from '../../../lib/store';
import type { SimRecord } from '../../../simulator/kit/types';
import { FakeVendor, fail, startEngine, until } from '../../support/engine';
import type { Records } from '../../support/judge';
import { moneyComplaints } from '../../support/judge-money';
import { changedDocuments } from '../../support/judge-signed';
import { storeComplaints, unjournaledWrites } from '../../support/store-judge';
import { sqliteReader } from '../../support/store-reader';

/** The judges themselves: each sees what it is there for. */

const record = (id: string, data: Record<string, unknown>): SimRecord => ({
  id,
  type: '',
  data,
  created: 0,
  modified: 0,
  deleted: false,
});

// ---------------------------------------------------------------- vendors

/** A contract of 300.30: 100.10 by order in two parts, 200.20 by consumption. */
function world(): Records {
  return {
    'salesforce.Opportunity': [record('o', { ContractId: 'c' })],
    'salesforce.Contract': [
      record('c', { ContractNumber: '7', Q2C_Total_Value__c: 300.3, CurrencyIsoCode: 'EUR' }),
    ],
    'salesforce.OpportunityLineItem': [
      record('l1', {
        OpportunityId: 'o',
        Q2C_Commercial_Model__c: 'fixed_fee',
        Quantity: 1,
        UnitPrice: 100.1,
      }),
      record('l2', { OpportunityId: 'o', Q2C_Commercial_Model__c: 'usage', Quantity: 2, UnitPrice: 100.1 }),
    ],
    'netsuite.job': [record('j', { entityId: 'P-7', currency: '4' })],
    'netsuite.salesOrder': [
      record('s', { currency: '4', item: [{ amount: 100.1, job: 'j', billingSchedule: 'b' }] }),
    ],
    'netsuite.billingSchedule': [
      record('b', { initialAmount: 0, recurrence: [{ amount: 50.1 }, { amount: 50 }] }),
    ],
    'kantata.workspaces': [
      record('w', { description: 'Project P-7\nContract 7', price: 301, currency: 'EUR' }),
    ],
    'kantata.billing_milestones': [
      record('m1', { workspace_id: 'w', amount_in_cents: 5010 }),
      record('m2', { workspace_id: 'w', amount_in_cents: 5000 }),
    ],
  };
}

test('what adds up is fine', () => {
  expect(moneyComplaints(world(), ['o'])).toEqual([]);
});

test.each<[string, string, string, Record<string, unknown>, string]>([
  [
    'an order too small',
    'netsuite.salesOrder',
    's',
    { item: [{ amount: 100, job: 'j', billingSchedule: 'b' }] },
    '(1)',
  ],
  [
    'a date too much',
    'netsuite.billingSchedule',
    'b',
    { recurrence: [{ amount: 100.1 }, { amount: 50 }] },
    '(2)',
  ],
  ['percents below 100', 'netsuite.billingSchedule', 'b', { milestone: [{ milestoneAmount: 99 }] }, '(2)'],
  ['a cent too much', 'kantata.billing_milestones', 'm1', { amount_in_cents: 5011 }, '(2)'],
  ['another currency', 'netsuite.salesOrder', 's', { currency: '1' }, '(5)'],
  ['a milestone of no project', 'kantata.billing_milestones', 'm1', { workspace_id: 'x' }, '(7)'],
])('seen: %s', (_, type, id, change, invariant) => {
  const records = world();
  const found = records[type]?.find((each) => each.id === id);
  Object.assign(found?.data ?? {}, change);
  expect(moneyComplaints(records, ['o']).join()).toContain(invariant);
});

test('seen: a schedule that two orders use, and an invoice', () => {
  const records = world();
  records['netsuite.salesOrder']?.push(...(world()['netsuite.salesOrder'] ?? []));
  records['netsuite.invoice'] = [record('i', {})];
  expect(moneyComplaints(records, ['o'])).toEqual(
    expect.arrayContaining([
      'billing schedule b is used by 2 order lines, not 1 (3)',
      '1 netsuite.invoice that nothing should have made (3, 4)',
    ]),
  );
});

test('signed documents: what we report back is no change, everything else is', () => {
  const before = world();
  const after = world();
  Object.assign(after['salesforce.Contract']?.[0]?.data ?? {}, { Q2C_External_Id__c: 'ctr_1' });
  expect(changedDocuments(before, after)).toEqual([]);
  Object.assign(after['salesforce.Contract']?.[0]?.data ?? {}, { Q2C_Total_Value__c: 1 });
  after['salesforce.OpportunityLineItem']?.pop();
  expect(changedDocuments(before, after)).toEqual([
    'salesforce.Contract c has changed or is gone (6)',
    'salesforce.OpportunityLineItem l2 has changed or is gone (6)',
  ]);
});

// ---------------------------------------------------------------- store

describe('a store', () => {
  let folder: string;
  let path: string;

  /** Fills a store with one run, spoils it, and judges it. */
  async function judged(spoil: (store: Store) => Promise<unknown>, isFailed = false): Promise<string[]> {
    const { engine, stop } = await startEngine({ path });
    engine.registerSource('source', 1, (run) => {
      const active = engine.activeRun(run.id);
      if (active === undefined) throw new Error('no run');
      engine.messageEntered(active);
      const vendor = new FakeVendor();
      if (isFailed) vendor.script = [() => Promise.reject(fail('rejected', 'TARGET_REJECTED'))];
      engine.step(run.id, vendor.step()).then(
        () => engine.messageLeft(active),
        () => engine.messageLeft(active),
      );
    });
    const subject = { entity: 'opportunity' as const, type: 'Opportunity', id: '006' };
    const event = {
      id: 'e',
      type: 'won',
      time: '2026-01-02T00:00:00.000Z',
      subject,
      data: {},
      title: 'Deal',
    };
    await engine.accept({
      sourceNode: 'source',
      system: 'crm',
      instance: 'main',
      source: 's',
      events: [event],
      cursor: null,
    });
    await until('the run to end', async () => {
      const [run] = await engine.store.db.selectFrom('run').select('state').execute();
      return run?.state === (isFailed ? 'failed' : 'completed');
    });
    await stop();
    const store = await openSqliteStore(path);
    await spoil(store);
    await store.close();
    return storeComplaints(sqliteReader(path));
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'q2c-judge-'));
    path = join(folder, 'q2c.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('of a run that came through is fine', async () => {
    expect(await judged(async () => undefined)).toEqual([]);
  });

  test('of a run that waits as a case is fine', async () => {
    expect(await judged(async () => undefined, true)).toEqual([]);
  });

  test('seen: a case without owner', async () => {
    const found = await judged(
      (store) => store.db.updateTable('exception_case').set({ owner_role: '' }).execute(),
      true,
    );
    expect(found.join()).toContain('a case has no owner');
  });

  test('seen: a failed run whose case is gone', async () => {
    const found = await judged((store) => store.db.deleteFrom('exception_case').execute(), true);
    expect(found.join()).toContain('a run has failed without an open case (10)');
  });

  test('seen: an event without run', async () => {
    const found = await judged((store) => store.db.deleteFrom('run').execute());
    expect(found.join()).toContain('an event has no run, or several (10)');
  });

  test('seen: a run that never ended', async () => {
    const found = await judged((store) => store.db.updateTable('run').set({ state: 'running' }).execute());
    expect(found.join()).toContain('a run has neither ended nor been stopped (10)');
  });

  test.each([
    ['intent', 'a call has no outcome (11)'],
    ['unknown', 'an unknown outcome is neither worked on nor an open case (11)'],
  ] as const)('seen: a step that stays %s', async (state, complaint) => {
    const found = await judged((store) => store.db.updateTable('step').set({ state }).execute());
    expect(found.join()).toContain(complaint);
  });

  test('seen: an audit line that was changed', async () => {
    const found = await judged((store) => store.db.updateTable('audit').set({ actor: 'nobody' }).execute());
    expect(found).toEqual(['the audit chain breaks at line 1']);
  });

  test('seen: a record at a vendor that no step was journaled for', async () => {
    await judged((store) => store.db.updateTable('step').set({ system: 'netsuite' }).execute());
    const reader = sqliteReader(path);
    const [step] = await reader.rows('select canonical_id from step');
    const known = record('1', { externalId: `q2c:${step?.canonical_id}` });
    const stray = record('2', { externalId: 'q2c:cus_01M7Y3HQ9W8FNFV4403KKTZ5FS' });
    expect(await unjournaledWrites({ 'netsuite.customer': [known, stray] }, reader)).toEqual([
      'netsuite.customer 2 holds cus_01M7Y3HQ9W8FNFV4403KKTZ5FS, which no step was journaled for (11)',
    ]);
  });
});
