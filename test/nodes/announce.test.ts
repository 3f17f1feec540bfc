import type { BusinessEvent, DealDocument } from '../../lib/model';
import { open } from '../../lib/store';
import { wonDeal } from '../support/deals';
import { Canvas } from './canvas';

const announce = {
  id: 'announce',
  type: 'q2c-announce',
  name: 'Tell',
  store: 'store',
  eventType: 'q2c.opportunity.won.v1',
};
let canvas: Canvas;

beforeEach(async () => {
  canvas = await Canvas.load([announce]);
});
afterEach(() => canvas.close());

async function outbox(): Promise<BusinessEvent[]> {
  const { store } = await canvas.engine();
  const rows = await store.db
    .selectFrom('outbox')
    .select(['event_id', 'envelope'])
    // Cases are told as well.
    .where('type', 'not like', 'q2c.exception.%')
    .orderBy('seq')
    .execute();
  return rows.map((row) => JSON.parse(open(store.db, 'outbox', 'envelope', row)));
}

test('an event lies in the outbox when the message goes on', async () => {
  const deal = wonDeal();
  const { sent } = await canvas.pass({ payload: deal });
  expect(sent?.payload).toEqual(deal);
  expect(await outbox()).toMatchObject([
    {
      specversion: '1.0',
      type: 'q2c.opportunity.won.v1',
      source: '/q2c/main/flow',
      subject: deal.opportunity?.id,
      correlationid: sent?.q2c?.correlationId,
      data: { opportunity: { id: deal.opportunity?.id, stage: 'won' } },
    },
  ]);
});

test('the same fact is told once, however often the message comes; another state is another fact', async () => {
  const deal = wonDeal();
  await canvas.through(deal);
  await canvas.through(structuredClone(deal));
  expect(await outbox()).toHaveLength(1);
  const changed: DealDocument = structuredClone(deal);
  Object.assign(changed.opportunity ?? {}, { name: 'ACME roll-out, second phase' });
  await canvas.through(changed);
  const [first, second, ...more] = await outbox();
  expect(more).toEqual([]);
  expect(second?.id).not.toBe(first?.id);
  expect(second?.subject).toBe(first?.subject);
});

test('a message without the record that the event is about says so, and announces nothing', async () => {
  const { error } = await canvas.stopped({ payload: { ...wonDeal(), opportunity: undefined } });
  expect(error).toMatchObject({
    code: 'NODE_FAILED',
    message: 'Tell failed: The message carries no opportunity for q2c.opportunity.won.v1 to tell of.',
  });
  expect(await outbox()).toEqual([]);
});

test('without an event the form is to be filled in', async () => {
  await canvas.close();
  canvas = await Canvas.load([{ ...announce, eventType: 'q2c.opportunity.forgotten.v1' }]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toBe('Tell failed: Choose the business event to announce in the form.');
});
