import fc from 'fast-check';
import type { CaseFilter, CaseLine, CaseSort } from '../../../lib/governance';
import { type CanonicalId, newId } from '../../../lib/model';
import { chosenSeed } from '../../support/seed';
import { fillCases } from './many-cases';
import { openSite, person, type Site } from './support';

const seed = chosenSeed('queue');
let site: Site;
let all: CaseLine[];
beforeAll(async () => {
  site = await openSite();
  await fillCases(site.store, { open: 150, closed: 50, runs: 200, seed });
  all = (await site.governance.queue({ status: 'all', snoozed: 'any' }, 'opened', { limit: 500 })).items;
});
afterAll(() => site.stop());

const isOpen = ({ status }: CaseLine) => status !== 'resolved' && status !== 'waived';

/** What a filter means, said once more. */
function expected(filter: CaseFilter): CaseLine[] {
  return all.filter(
    (line) =>
      isOpen(line) &&
      line.snoozedUntil === null &&
      (filter.ownerRoles === undefined || filter.ownerRoles.includes(line.ownerRole)) &&
      (filter.severities === undefined || filter.severities.includes(line.severity)) &&
      (filter.system === undefined || line.system === filter.system) &&
      (filter.assignee === undefined || line.assignee === filter.assignee) &&
      (filter.breached === undefined || (line.sla.breachedAt !== null) === filter.breached),
  );
}

const SORTED_BY: Record<CaseSort, (line: CaseLine) => string | number> = {
  due: ({ sla }) => sla.due ?? '9999',
  amount: ({ amountAtRisk }) => -Math.trunc(Number(amountAtRisk?.amount ?? -1)),
  opened: ({ openedAt }) => openedAt,
  updated: ({ updatedAt }) => -Date.parse(updatedAt),
  severity: ({ severity }) => ['critical', 'error', 'warning'].indexOf(severity),
};

test('page by page, a queue is all that fits the filter, once and in order', async () => {
  const filter = fc.record(
    {
      ownerRoles: fc.subarray(['finance_ops', 'sales_ops', 'integration_ops']),
      severities: fc.subarray(['critical', 'error', 'warning'] as const),
      system: fc.constantFrom('netsuite', 'kantata'),
      assignee: fc.constantFrom('kim', null),
      breached: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const sort = fc.constantFrom(...(Object.keys(SORTED_BY) as CaseSort[]));
  await fc.assert(
    fc.asyncProperty(filter, sort, fc.integer({ min: 1, max: 60 }), async (wanted, by, limit) => {
      const found: CaseLine[] = [];
      let cursor: string | null = null;
      do {
        const page = await site.governance.queue(wanted, by, { limit, ...(cursor !== null && { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        found.push(...page.items);
        cursor = page.next;
      } while (cursor !== null);
      const ids = (lines: CaseLine[]) => lines.map(({ id }) => id).sort();
      expect(ids(found)).toEqual(ids(expected(wanted)));
      const ranks = found.map(SORTED_BY[by]);
      expect(ranks).toEqual([...ranks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    }),
    { seed, numRuns: 60 },
  );
});

test.each(['nonsense', Buffer.from('["amount",1,"x"]').toString('base64url'), ''])(
  'a cursor that is not of the query is refused: %s',
  async (cursor) => {
    await expect(site.governance.queue({}, 'due', { limit: 10, cursor })).rejects.toMatchObject({
      code: 'VALUE_INVALID',
    });
  },
);

test.each([0, 501, 1.5, Number.NaN])('a limit of %s is refused', async (limit) => {
  await expect(site.governance.queue({}, 'due', { limit })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
});

test('counts and groups say what the queue says', async () => {
  const counts = await site.governance.counts();
  expect(counts.reduce((sum, { open }) => sum + open, 0)).toBe(all.filter(isOpen).length);
  const groups = await site.governance.groups({ snoozed: 'any' });
  expect(groups.reduce((sum, { cases }) => sum + cases, 0)).toBe(all.filter(isOpen).length);
  for (const { cause, ownerRole, cases } of groups) {
    const filter = { cause, ownerRoles: [ownerRole], snoozed: 'any' } as const;
    expect((await site.governance.queue(filter, 'due', { limit: 500 })).items).toHaveLength(cases);
  }
});

describe('groups', () => {
  let own: Site;
  beforeEach(async () => {
    own = await openSite();
  });
  afterEach(() => own.stop());
  const raise = (customer: string, amount: string, currency: string, reason: string, deal?: CanonicalId) =>
    own.raise({
      code: 'TARGET_REJECTED',
      ...(deal !== undefined && { subject: deal }),
      node: { id: deal === undefined ? 'n1' : 'n2', name: 'Customer' },
      about: {
        params: { system: 'NetSuite', document: `customer ${customer}`, customer, reason },
        amountAtRisk: { amount, currency },
        facts: { system: 'netsuite' },
      },
    });

  test('the same cause on many deals is one line; each deal’s amount counts once', async () => {
    const first = await raise('ACME', '100.10', 'EUR', 'Invalid tax code for "ACME" (line 4711)');
    await raise('Globex', '200.20', 'EUR', 'Invalid tax code for "Globex" (line 12)');
    await raise('Initech', '5000', 'JPY', 'Invalid tax code for "Initech" (line 3)');
    await raise('ACME', '100.10', 'EUR', 'Invalid tax code for "ACME" (line 8)', first.deal);
    await raise('Hooli', '1.00', 'EUR', 'Subsidiary is inactive');
    const groups = await own.governance.groups({});
    expect(groups).toMatchObject([
      {
        cases: 4,
        deals: 3,
        code: 'TARGET_REJECTED',
        title: 'Refused by the target',
        example: expect.stringContaining('ACME'),
        amountAtRisk: [
          { currency: 'EUR', amount: '300.30' },
          { currency: 'JPY', amount: '5000' },
        ],
      },
      { cases: 1, deals: 1, amountAtRisk: [{ currency: 'EUR', amount: '1.00' }] },
    ]);
    expect(await own.governance.counts()).toEqual([
      {
        ownerRole: 'finance_ops',
        open: 5,
        breached: 0,
        snoozed: 0,
        amountAtRisk: [
          { currency: 'EUR', amount: '301.30' },
          { currency: 'JPY', amount: '5000' },
        ],
      },
    ]);
  });

  test('another country is another cause; another customer is not', async () => {
    for (const [customer, country] of [
      ['ACME', 'DE'],
      ['Globex', 'DE'],
      ['Initech', 'FR'],
    ] as const) {
      await own.raise({ about: { params: { customer, country } } });
    }
    expect((await own.governance.groups({})).map(({ cases }) => cases)).toEqual([2, 1]);
  });
});

test('what waits behind a case: nodes that the run has not come by, and runs of the same record', async () => {
  const own = await openSite({
    flows: {
      downstream: (id) => (id === 'check' ? [{ id: 'plan', name: 'Plan', type: 'q2c-plan' }] : []),
    },
  });
  const { id, runId } = await own.raise();
  const { ordering_key } = await own.store.db
    .selectFrom('run')
    .select('ordering_key')
    .where('id', '=', runId)
    .executeTakeFirstOrThrow();
  await own.store.write((tx) =>
    tx
      .insertInto('run')
      .values({
        ...{
          id: 'later',
          event_seq: null,
          source_node: 's',
          ordering_key,
          correlation_id: newId('opportunity'),
        },
        ...{
          title: 'Later',
          state: 'queued',
          attempt: 1,
          retry_at: null,
          lease_owner: null,
          lease_until: null,
        },
        ...{ created_at: own.clock.now, started_at: null, ended_at: null, at_nodes: null },
      })
      .execute(),
  );
  expect((await own.governance.view(id, person('kim')))?.blocked).toEqual({
    nodes: [{ id: 'plan', name: 'Plan', type: 'q2c-plan' }],
    runs: [{ id: 'later', title: 'Later' }],
    cases: [],
  });
  expect(await own.governance.view('exc_unknown', person('kim'))).toBeNull();
  await own.stop();
});
