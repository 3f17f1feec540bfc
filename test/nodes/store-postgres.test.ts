import { settingsOfUrl } from '../../lib/store';
import type { StoreNode } from '../../nodes/_shared/input';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { testDatabaseUrl, testSchema } from '../support/stores';
import { TcpProxy } from '../support/tcp-proxy';
import { Canvas, type FlowNode, firm, store } from './canvas';

const check = { id: 'check', type: 'q2c-check', name: '', store: 'store', firm: 'firm' };
const url = testDatabaseUrl();
const { host, port, database, user, password = '' } = settingsOfUrl(url);
let canvas: Canvas;
afterEach(() => canvas.close());

const onServer = (more: object): FlowNode => ({
  ...store,
  kind: 'postgres',
  tls: 'off',
  schema: testSchema(),
  ...more,
});
const fields = { address: 'fields', host, port: String(port), database, user };
const checks = () => canvas.node<StoreNode>('store').test();

test.each([
  ['by fields', fields, { password }],
  ['by connection string', { address: 'url' }, { url }],
])('a store on PostgreSQL given %s takes deals, and says what it is', async (_, address, credentials) => {
  canvas = await Canvas.load([check], [onServer(address), firm], { store: credentials });
  await canvas.through(wonDeal());
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');
  expect(await checks()).toEqual([
    { id: 'store', label: 'Store', ok: true, message: expect.stringMatching(/^PostgreSQL \d+/) },
  ]);
  expect(canvas.logged).toEqual([]);
});

test('a wrong password is said once, and to whoever tests the connection, without the password', async () => {
  canvas = await Canvas.load([check], [onServer(fields), firm], { store: { password: 'wrong-secret' } });
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.code).toBe('STORE_LOGIN_REFUSED');
  const [tested] = await checks();
  expect(tested).toMatchObject({ ok: false, message: expect.stringContaining('Check user, password') });
  expect(canvas.logged).toEqual([error.message]);
  expect(JSON.stringify([tested, canvas.logged])).not.toContain('wrong-secret');
});

test('what is wrong in the form is named', async () => {
  canvas = await Canvas.load([check], [onServer({ ...fields, port: 'x' }), firm]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({
    code: 'STORE_SETTINGS_INVALID',
    message: expect.stringContaining('port is "x"'),
  });
});

test('a server that comes up after Node-RED is waited for', async () => {
  const proxy = new TcpProxy({ host: host ?? '', port: port ?? 0 });
  const proxied = await proxy.up();
  await proxy.down();
  try {
    const late = onServer({ ...fields, host: '127.0.0.1', port: String(proxied) });
    canvas = await Canvas.load([check], [late, firm], { store: { password } });
    const passed = canvas.through(wonDeal());
    await until('the reason to be told', () => canvas.logged.length === 1);
    expect(canvas.logged[0]).toContain('cannot be reached');
    expect(await checks()).toMatchObject([
      { ok: false, message: expect.stringContaining(`127.0.0.1:${proxied}`) },
    ]);
    await proxy.up();
    expect((await passed).contract).toMatchObject({ status: 'approved' });
    expect(canvas.logged).toHaveLength(1);
  } finally {
    await canvas.close();
    await proxy.down();
  }
}, 20_000);
