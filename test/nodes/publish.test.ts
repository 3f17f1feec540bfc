import { defaults as brokerDefaults } from '../../nodes/q2c-broker/types';
import { wonDeal } from '../support/deals';
import { Canvas, type FlowNode, store } from './canvas';

/** Nobody listens there. */
const NOWHERE = 'mqtt://127.0.0.1:1';

const broker = (changes: Partial<FlowNode> = {}): FlowNode => ({
  ...{ id: 'broker', type: 'q2c-broker', ...brokerDefaults, store: 'store', url: NOWHERE },
  ...changes,
});
const publish = {
  ...{ id: 'publish', type: 'q2c-publish', name: 'Tell', store: 'store', broker: 'broker' },
  eventType: 'q2c.opportunity.won.v1',
};
let canvas: Canvas;
afterEach(() => canvas.close());

async function deliveries() {
  const engine = await canvas.engine();
  return (
    engine.store.db
      .selectFrom('outbox_delivery')
      .innerJoin('outbox', 'outbox.seq', 'outbox_delivery.outbox_seq')
      .select(['receiver', 'type', 'delivered_at'])
      // Cases are told as well.
      .where('type', 'not like', 'q2c.exception.%')
      .orderBy('receiver')
      .execute()
  );
}

test('an event waits for its broker, and for no other, when the message goes on', async () => {
  canvas = await Canvas.load([publish], [store, broker(), broker({ id: 'other' })]);
  const deal = wonDeal();
  const { sent } = await canvas.pass({ payload: deal });
  expect(sent?.payload).toEqual(deal);
  await canvas.through(deal);
  expect(await deliveries()).toEqual([
    { receiver: 'broker', type: 'q2c.opportunity.won.v1', delivered_at: null },
  ]);
});

test('an announced event waits for every broker that publishes those, and for no other', async () => {
  const announce = { ...publish, id: 'announce', type: 'q2c-announce' };
  const brokers = [broker(), broker({ id: 'all' }), broker({ id: 'own', announced: false })];
  canvas = await Canvas.load([publish, announce], [store, ...brokers]);
  await canvas.through(wonDeal());
  expect((await deliveries()).map(({ receiver }) => receiver)).toEqual(['all', 'broker']);
});

test.each([
  [
    'the broker of another store',
    { broker: 'elsewhere' },
    /^Tell failed: The broker publishes the events of another store/,
  ],
  ['no broker', { broker: '' }, /^Tell failed: Choose a broker \(q2c-broker\)/],
  [
    'a type that is gone',
    { eventType: 'q2c.deal.forgotten.v1' },
    /^Tell failed: "q2c.deal.forgotten.v1" is not a business event/,
  ],
  ['the type of an event that there was none', { eventType: '' }, /^Tell failed: No event started this run/],
])('%s is a mistake that the message tells', async (_, changes, message) => {
  const elsewhere = { ...store, id: 'elsewhere-store' };
  const configs = [store, elsewhere, broker(), broker({ id: 'elsewhere', store: elsewhere.id })];
  canvas = await Canvas.load([{ ...publish, ...changes }], configs);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toMatch(message);
  expect(await deliveries()).toEqual([]);
});
