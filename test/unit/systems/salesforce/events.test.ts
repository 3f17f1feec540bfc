import type { JsonObject, JsonValue } from '../../../../lib/model';
import type { EventSource, SourceEvent } from '../../../../lib/systems/kit';
import type { SalesforceClient } from '../../../../lib/systems/salesforce/client';
import { contractActivated } from '../../../../lib/systems/salesforce/events/contract-activated';
import { opportunityWon } from '../../../../lib/systems/salesforce/events/opportunity-won';
import { quoteAccepted } from '../../../../lib/systems/salesforce/events/quote-accepted';
import { type FakeOrg, fakeOrg, page } from './fake-org';

let org: FakeOrg;
beforeEach(async () => {
  org = await fakeOrg();
});
afterEach(() => org.close());

const stamp = (second: number) => `2026-01-02T10:00:${String(second).padStart(2, '0')}.000+0000`;

function opportunity(id: string, second: number, more: JsonObject = {}): JsonObject {
  return {
    Id: id,
    SystemModstamp: stamp(second),
    LastStageChangeDate: stamp(0),
    Name: `Deal ${id}`,
    StageName: 'Closed Won',
    IsWon: true,
    IsClosed: true,
    Amount: 1000,
    CurrencyIsoCode: 'EUR',
    ...more,
  };
}

/** Answers the watermark query over a table the way the platform does: by (SystemModstamp, Id), with LIMIT. */
function answerFrom(tables: Record<string, () => JsonObject[]>) {
  org.answer = (_request, url) => {
    const soql = url.searchParams.get('q') ?? '';
    const object = /FROM (\w+)/.exec(soql)?.[1] ?? '';
    const from = Date.parse(/SystemModstamp >=? ([^ ]+)/.exec(soql)?.[1] ?? '1970-01-01T00:00:00Z');
    const afterId = /AND Id > '([^']+)'/.exec(soql)?.[1];
    const limit = Number(/LIMIT (\d+)/.exec(soql)?.[1] ?? 2000);
    const stampOf = (row: JsonObject) => Date.parse(String(row.SystemModstamp).replace('+0000', 'Z'));
    const rows = (tables[object]?.() ?? [])
      .filter((row) =>
        afterId === undefined
          ? stampOf(row) >= from
          : stampOf(row) > from || (stampOf(row) === from && String(row.Id) > afterId),
      )
      .sort((a, b) => stampOf(a) - stampOf(b) || (String(a.Id) < String(b.Id) ? -1 : 1));
    return [200, page(rows.slice(0, limit))];
  };
}

async function poll(source: EventSource<SalesforceClient>, cursor: JsonValue | null = null, pageSize = 2) {
  const events: SourceEvent[] = [];
  let position = cursor;
  for (let more = true; more; ) {
    const result = await source.poll(org.client, position, {
      settings: org.client.settings,
      pageSize,
      startAt: '2026-01-01T00:00:00.000Z',
      signal: new AbortController().signal,
    });
    events.push(...result.events);
    position = JSON.parse(JSON.stringify(result.cursor));
    more = result.more;
  }
  return { events, cursor: position, ids: events.map(({ subject }) => subject.id) };
}

describe('opportunity won', () => {
  test('what an event says', async () => {
    answerFrom({
      Opportunity: () => [opportunity('006A', 1, { Q2C_External_Id__c: 'opp_1', Q2C_Region__c: 'EMEA' })],
    });
    const [event] = (await poll(opportunityWon)).events;
    expect(event).toEqual({
      id: expect.stringMatching(/^006A:[0-9a-f]{32}$/),
      type: 'q2c.opportunity.won.v1',
      time: '2026-01-02T10:00:00.000Z',
      stamp: '2026-01-02T10:00:01.000Z',
      subject: { entity: 'opportunity', type: 'Opportunity', id: '006A', claims: 'opp_1' },
      data: expect.objectContaining({
        name: 'Deal 006A',
        stage: 'won',
        amount: { amount: '1000', currency: 'EUR' },
        region: 'EMEA',
      }),
    });
    expect(org.calls()[0]?.soql).toContain(
      'WHERE IsWon = true AND SystemModstamp >= 2026-01-01T00:00:00.000Z ORDER BY SystemModstamp, Id LIMIT 2',
    );
  });

  test('a bulk change with one stamp is read page by page, each deal once', async () => {
    const rows = ['006A', '006B', '006C', '006D', '006E'].map((id) => opportunity(id, 5));
    answerFrom({ Opportunity: () => rows });
    expect((await poll(opportunityWon)).ids).toEqual(['006A', '006B', '006C', '006D', '006E']);
  });

  test('our own update moves the stamp, but gives the same event id', async () => {
    let row = opportunity('006A', 1);
    answerFrom({ Opportunity: () => [row] });
    const first = await poll(opportunityWon);
    row = {
      ...row,
      SystemModstamp: stamp(9),
      Q2C_External_Id__c: 'opp_1',
      Q2C_Status__c: 'done',
      Q2C_Project_Number__c: 'P-1',
    };
    const second = await poll(opportunityWon, first.cursor);
    expect(second.events.map(({ id }) => id)).toEqual(first.events.map(({ id }) => id));
  });

  test.each([
    ['Amount', 1000.01],
    ['CloseDate', '2026-02-02'],
    ['StageName', 'Won again'],
    ['AccountId', '001B'],
    ['ContractId', '800B'],
    ['Q2C_Service_Line__c', 'training'],
  ])("a person's change of %s is a new event", async (field, value) => {
    let row = opportunity('006A', 1);
    answerFrom({ Opportunity: () => [row] });
    const first = await poll(opportunityWon);
    row = { ...row, SystemModstamp: stamp(9), [field]: value };
    const second = await poll(opportunityWon, first.cursor);
    expect(second.events).toHaveLength(1);
    expect(second.events[0]?.id).not.toBe(first.events[0]?.id);
  });

  test('a poll without changes gives nothing, a late commit inside the overlap is found', async () => {
    const rows = [opportunity('006B', 30)];
    answerFrom({ Opportunity: () => rows });
    const first = await poll(opportunityWon);
    const second = await poll(opportunityWon, first.cursor);
    expect(second.ids).toEqual([]);
    rows.push(opportunity('006A', 2));
    expect((await poll(opportunityWon, second.cursor)).ids).toEqual(['006A']);
  });

  test('a stamp that is none is refused', async () => {
    org.answer = () => [200, page([opportunity('006A', 1, { SystemModstamp: 'yesterday' })])];
    await expect(poll(opportunityWon)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
  });
});

test('quote accepted is about the opportunity and identified by the quote', async () => {
  const quote = (GrandTotal: number, second: number) => ({
    Id: '0Q0A',
    SystemModstamp: stamp(second),
    Status: 'Accepted',
    GrandTotal,
    Opportunity: opportunity('006A', 1),
  });
  let row = quote(1000, 3);
  answerFrom({ Quote: () => [row] });
  const first = await poll(quoteAccepted);
  expect(first.events).toMatchObject([
    {
      id: expect.stringMatching(/^0Q0A:/),
      type: 'q2c.quote.accepted.v1',
      time: '2026-01-02T10:00:03.000Z',
      subject: { id: '006A' },
    },
  ]);
  row = quote(1100, 4);
  expect((await poll(quoteAccepted, first.cursor)).events[0]?.id).not.toBe(first.events[0]?.id);
});

describe('contract activated', () => {
  const contract = (second: number) => ({
    Id: '800A',
    SystemModstamp: stamp(second),
    Status: 'Activated',
    ActivatedDate: stamp(second),
  });
  const linked = (id: string, second: number) =>
    opportunity(id, second, { ContractId: '800A', Contract: contract(7) });

  test('each opportunity of the contract, once, whichever side changed', async () => {
    const deals = [linked('006A', 1), linked('006B', 2)];
    answerFrom({ Contract: () => [contract(7)], Opportunity: () => deals });
    const first = await poll(contractActivated, null, 10);
    expect(first.events).toHaveLength(2);
    expect(first.events).toMatchObject([
      { type: 'q2c.contract.activated.v1', time: '2026-01-02T10:00:07.000Z', subject: { id: '006A' } },
      { subject: { id: '006B' } },
    ]);
    expect((await poll(contractActivated, first.cursor, 10)).events).toEqual([]);
    // Linked to the contract after it was activated: the contract's stamp does not move.
    deals.push(linked('006C', 40));
    expect((await poll(contractActivated, first.cursor, 10)).ids).toEqual(['006C']);
  });

  test('a cursor of another source is refused', async () => {
    answerFrom({});
    await expect(
      poll(contractActivated, { watermark: null, position: null, delivered: 'x' }),
    ).rejects.toThrow(/reset the source/);
  });
});
