import type { Engine, Step } from '../../../lib/engine';
import { type JsonValue, newId } from '../../../lib/model';
import type { Store } from '../../../lib/store';
import { startEngine } from '../../support/engine';
import { flow, inState, refuse, runRow, stepRows, Vendor, win } from './repair-support';

/** A status text that changes to and fro: each update is done when another one came before it, and once. */

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let vendor: Vendor;
const project = newId('project');
const opportunity = newId('opportunity');

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine({ retry: { maxRunRetries: 0 } }));
  vendor = new Vendor();
});
afterEach(() => stop());

/** Texts in the order in which the vendor was sent them. */
let sent: JsonValue[] = [];
beforeEach(() => {
  sent = [];
});

const text = (status: string, node = 'status'): Step =>
  vendor.step('opportunity', opportunity, {
    node: { id: node, name: 'Tell sales' },
    operation: 'opportunity.update',
    updates: true,
    undo: 'none',
    wire: { status },
    call: async (wire) => {
      sent.push(wire);
      return { reply: null, result: { refs: [] } };
    },
  });

const texts = (...values: string[]) => values.map((status) => ({ status }));

/** Passages of one run, each with steps of its own; all but the last end with a refused write. */
async function passages(...each: Step[][]): Promise<string> {
  let attempt = 0;
  const end = vendor.step('project', project);
  flow(engine, () => [...(each[attempt++] ?? []), end]);
  vendor.twist('create project', ...each.slice(1).map(() => refuse));
  const runId = await win(engine);
  for (let passage = 1; passage < each.length; passage++) {
    await inState(store, runId, 'failed');
    await engine.retryRun(runId, 'kim');
  }
  await inState(store, runId, 'completed');
  return runId;
}

test('A, C, A over three attempts ends as A', async () => {
  await passages([text('A')], [text('C')], [text('A')]);
  expect(sent).toEqual(texts('A', 'C', 'A'));
});

test('A again in the next attempt is not repeated', async () => {
  const runId = await passages([text('A')], [text('A')]);
  expect(sent).toEqual(texts('A'));
  expect((await runRow(store, runId)).attempt).toBe(2);
});

test('A, C, A at one node of one passage ends as A; a passage that begins anew repeats nothing', async () => {
  const three = [text('A'), text('C'), text('A')];
  const runId = await passages(three);
  expect(sent).toEqual(texts('A', 'C', 'A'));

  // As after a crash at the end: the same attempt comes by all of it once more.
  await store.db.updateTable('run').set({ state: 'queued' }).where('id', '=', runId).execute();
  engine.resume();
  flow(engine, () => three);
  await inState(store, runId, 'completed');
  expect(sent).toEqual(texts('A', 'C', 'A'));
  expect(await stepRows(store)).toHaveLength(4);
});

test('A, C in each of two attempts: A is told again when the retry begins, then C again', async () => {
  await passages([text('A', 'begin'), text('C')], [text('A', 'begin'), text('C')]);
  expect(sent).toEqual(texts('A', 'C', 'A', 'C'));
});

test('an update of another run in between counts too', async () => {
  vendor.twist('create project', refuse);
  const take: Step[][] = [[text('A'), vendor.step('project', project)], [text('C')], [text('A')]];
  let at = 0;
  flow(engine, () => take[at++] ?? []);
  const first = await win(engine, 'opp-a');
  await inState(store, first, 'failed');
  const second = await win(engine, 'opp-b');
  await inState(store, second, 'completed');
  await engine.retryRun(first, 'kim');
  await inState(store, first, 'completed');
  expect(sent).toEqual(texts('A', 'C', 'A'));
});

test('a dry run knows that A is to be written again', async () => {
  vendor.twist('create project', refuse, refuse);
  const take = [['A'], ['C'], ['A'], ['A']];
  let at = 0;
  flow(engine, () => [...(take[at++] ?? []).map((value) => text(value)), vendor.step('project', project)]);
  const runId = await win(engine);
  await inState(store, runId, 'failed');
  await engine.retryRun(runId, 'kim');
  await inState(store, runId, 'failed');
  const report = await engine.repairs.dryRun(runId, 'kim');
  expect(report.steps[0]).toMatchObject({ verdict: 'would_update', wire: { status: 'A' } });
  expect(sent).toEqual(texts('A', 'C'));
});
