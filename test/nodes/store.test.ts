import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { IntakeEvent } from '../../lib/engine';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas, type FlowNode, firm, store } from './canvas';

const check = { id: 'check', type: 'q2c-check', name: '', store: 'store', firm: 'firm' };
let canvas: Canvas;
afterEach(() => canvas.close());

test.each([
  ['', 'q2c.db'],
  ['deals/live.db', 'deals/live.db'],
])('the path "%s" lies in the folder of the pack in the user directory', async (path, file) => {
  canvas = await Canvas.load([check], [{ ...store, path }, firm]);
  await canvas.through(wonDeal());
  expect(existsSync(join(canvas.userDir, 'quote-to-cash', file))).toBe(true);
  expect(canvas.logged).toEqual([]);
});

test('a deploy closes the store, and what it has written is there afterwards', async () => {
  canvas = await Canvas.load([check], [{ ...store, path: 'kept.db' }, firm]);
  const path = join(canvas.userDir, 'quote-to-cash/kept.db');
  await canvas.through(wonDeal());
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
  const before = await canvas.runs();
  const engine = await canvas.engine();
  await canvas.close();
  await expect(engine.cursor('any')).rejects.toThrow();
  canvas = await Canvas.load([check], [{ ...store, path }, firm]);
  expect(await canvas.runs()).toEqual(before);
});

test('a store that cannot be opened says so, and so do nodes that need it; all others go on', async () => {
  const path = join(__filename, 'q2c.db');
  const blocked = { ...store, id: 'blocked', path };
  const stuck = { ...check, id: 'stuck', store: 'blocked' };
  canvas = await Canvas.load([stuck, check], [store, firm, blocked]);
  const reason = `The store cannot be opened at ${path}: `;
  const advice = 'Check that the folder exists, is writable and has space.';

  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', source: { id: 'stuck' } });
  expect(error.message).toContain(reason);
  expect(error.message).toContain(advice);
  expect(canvas.logged).toEqual([error.message]);
  await until('the status', () => canvas.statuses.get('stuck') === '0 done, 1 waiting: store unavailable');

  const { sent } = await canvas.pass({ payload: wonDeal() }, 'check');
  expect(sent?.payload).toMatchObject({ contract: { status: 'approved' } });
});

test('a time of retention that is too short is refused with what is allowed', async () => {
  canvas = await Canvas.load([check], [{ ...store, financialDays: '100' }, firm]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({
    code: 'CONFIG_MISSING',
    message: 'Retention: financialDays is 100; give whole days, at least 400, or 0 to keep for ever.',
  });
});

describe('a change behind a missing one', () => {
  const gap = (version: number, record: string): IntakeEvent => ({
    id: `${record}-${version}`,
    type: 'q2c.opportunity.won.v1',
    time: '2026-01-05T10:00:00.000Z',
    subject: { entity: 'opportunity', type: 'Opportunity', id: record },
    title: record,
    version,
    data: {},
  });
  const tell = async (...events: IntakeEvent[]) =>
    (await canvas.engine()).accept({
      sourceNode: 'crm',
      system: 'crm',
      instance: 'org',
      source: '/q2c/main/crm',
      cursor: null,
      events,
    });
  const states = async () => (await canvas.runs()).map(({ state }) => state).sort();

  test('waits for the time in the form', async () => {
    canvas = await Canvas.load([check], [{ ...store, gapSeconds: '1' }, firm]);
    await tell(gap(1, 'A'), gap(3, 'A'));
    expect(await states()).toEqual(['parked', 'queued']);
    await until('the gap to be given up', async () => !(await states()).includes('parked'));
  });

  test('waits for a quarter of an hour when the store was saved before the field existed', async () => {
    const { gapSeconds: _, ...saved } = store;
    canvas = await Canvas.load([check], [saved as FlowNode, firm]);
    await tell(gap(1, 'A'), gap(3, 'A'));
    const { db } = (await canvas.engine()).store;
    const created = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    await db
      .updateTable('run')
      .set({ created_at: created(14) })
      .where('state', '=', 'parked')
      .execute();
    await tell(gap(1, 'B'), gap(3, 'B'));
    await db
      .updateTable('run')
      .set({ created_at: created(16) })
      .where('state', '=', 'parked')
      .where('title', '=', 'B')
      .execute();
    await until(
      'the older gap to be given up',
      async () =>
        (await states()).length === 4 && (await states()).filter((state) => state === 'parked').length === 1,
    );
    expect((await canvas.runs()).find(({ state }) => state === 'parked')).toMatchObject({ title: 'A' });
  });

  test('cannot wait for a time that is none', async () => {
    canvas = await Canvas.load([check], [{ ...store, gapSeconds: 'soon' }, firm]);
    const { error } = await canvas.stopped({ payload: wonDeal() });
    expect(error).toMatchObject({
      code: 'STORE_SETTINGS_INVALID',
      message: expect.stringContaining('gapSeconds is "soon"'),
    });
  });
});

test('a node without a store says which field of its form is empty', async () => {
  canvas = await Canvas.load([{ ...check, store: '' }], [firm]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({
    code: 'CONFIG_MISSING',
    message: "Choose a store (q2c-store) in the node's form and deploy.",
  });
});
