import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type RunningSimulator, startSimulator } from '../../simulator';
import { wonDeal } from '../support/deals';
import { Canvas, store } from './canvas';

const connection = {
  id: 'connection',
  type: 'q2c-salesforce-connection',
  name: '',
  environment: 'simulator',
  auth: 'client-credentials',
};
const query = {
  id: 'query',
  type: 'q2c-salesforce',
  name: 'Ask',
  store: 'store',
  connection: 'connection',
  firm: '',
  entity: 'records',
  verb: 'query',
  soql: 'SELECT Id, BillingCountry FROM Account LIMIT 3',
};
let simulator: RunningSimulator;
let canvas: Canvas;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0, systems: ['salesforce'] });
});
beforeEach(() => {
  process.env.Q2C_SIMULATOR_URL = simulator.url;
});
afterEach(() => canvas.close());
afterAll(() => simulator.close());

async function load(properties: object, connectionProperties: object = {}): Promise<void> {
  canvas = await Canvas.load(
    [{ ...query, ...properties }],
    [store, { ...connection, ...connectionProperties }],
  );
}

test('an operation works with the connection of its form, and its call is a step of the run', async () => {
  await load({});
  const deal = wonDeal();
  const { sent } = await canvas.pass({ payload: deal });
  expect(sent?.result).toHaveLength(3);
  expect(sent?.payload).toEqual(deal);
  const { store: opened } = await canvas.engine();
  const steps = await opened.db.selectFrom('step').selectAll().execute();
  expect(steps).toMatchObject([{ run_id: sent?.q2c?.run, system: 'salesforce', state: 'confirmed' }]);
});

test.each([
  ['msg', 'topic'],
  ['jsonata', "'SELECT Id ' & 'FROM Account LIMIT ' & count"],
  ['env', 'Q2C_TEST_SOQL'],
])('a parameter is taken from %s for each message', async (soqlType, soql) => {
  process.env.Q2C_TEST_SOQL = 'SELECT Id FROM Account LIMIT 2';
  await load({ soql, soqlType });
  const message = { payload: wonDeal(), topic: 'SELECT Id FROM Account LIMIT 2', count: 2 };
  expect((await canvas.pass(message)).sent?.result).toHaveLength(2);
});

test('a parameter that a message lacks is said, and nothing is sent', async () => {
  await load({ soql: 'topic', soqlType: 'msg' });
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toContain('The SOQL cannot be used: it is empty.');
});

test.each<[string, object, object, string]>([
  [
    'without a connection',
    { connection: '' },
    {},
    "Choose a connection (q2c-salesforce-connection) in the node's form and deploy.",
  ],
  [
    'with a connection that was deleted',
    { connection: 'gone' },
    {},
    "Choose a connection (q2c-salesforce-connection) in the node's form and deploy.",
  ],
  [
    'with an operation that does not exist',
    { verb: 'forget' },
    {},
    'Salesforce has no operation "records.forget". Choose entity and operation in the form.',
  ],
  [
    'with a connection whose form is empty',
    {},
    { environment: 'production' },
    'The connection to Salesforce lacks My Domain host, Consumer key, Consumer secret. Fill in the form and deploy.',
  ],
])('a node %s says what to do, as a case', async (_, properties, connectionProperties, message) => {
  await load(properties, connectionProperties);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({ code: 'NODE_FAILED', message: `Ask failed: ${message}` });
  expect(await canvas.cases()).toMatchObject([{ message: error.message, ownerRole: 'integration_ops' }]);
});

test('a field that the operation cannot do without is a case that names it; nothing is sent', async () => {
  await load({ soql: '' });
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({
    code: 'MANDATORY_FIELD_MISSING',
    message: 'The SOQL text is required before records are queried.',
  });
});

test('a simulator that is not there says how to start it, and is found once it is', async () => {
  process.env.Q2C_SIMULATOR_URL = 'http://127.0.0.1:1';
  await load({});
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toContain(
    'The simulator at http://127.0.0.1:1 (Q2C_SIMULATOR_URL) cannot be reached',
  );
  expect(error.message).toContain('Start it with "npm run simulator".');
  process.env.Q2C_SIMULATOR_URL = simulator.url;
  const { sent } = await canvas.pass({ payload: wonDeal() });
  expect(sent?.result).toHaveLength(3);
});

test('vendors may be in simulators of their own', async () => {
  const other = await startSimulator({ port: 0, systems: ['kantata'] });
  try {
    process.env.Q2C_SIMULATOR_URL = `${other.url}, ${simulator.url}`;
    await load({});
    expect((await canvas.pass({ payload: wonDeal() })).sent?.result).toHaveLength(3);
  } finally {
    await other.close();
  }
});

test('the deal can be elsewhere in the message', async () => {
  await load({ input: 'deal', inputType: 'msg' });
  const deal = wonDeal();
  const { sent } = await canvas.pass(Object.assign({ payload: 'something else' }, { deal }));
  expect(sent?.payload).toEqual(deal);
});

describe('after a deploy', () => {
  const logins = async (): Promise<number> => {
    const response = await fetch(`${simulator.url}/_control/salesforce/requests`);
    const { requests } = (await response.json()) as { requests: { path: string }[] };
    return requests.filter(({ path }) => path.endsWith('/oauth2/token')).length;
  };
  /** Asks the system, deploys, and asks again. @returns how often it logged in */
  const askTwice = async (): Promise<number> => {
    const before = await logins();
    canvas = await Canvas.load([query], [{ ...store, path: 'tokens.db' }, connection]);
    expect((await canvas.pass({ payload: wonDeal() })).sent?.result).toHaveLength(3);
    const path = join(canvas.userDir, 'quote-to-cash/tokens.db');
    await canvas.close();
    canvas = await Canvas.load([query], [{ ...store, path }, connection]);
    expect((await canvas.pass({ payload: wonDeal() })).sent?.result).toHaveLength(3);
    return (await logins()) - before;
  };
  afterEach(() => {
    delete process.env.Q2C_ENCRYPTION_KEY;
  });

  test('a connection goes on with the token that an encrypted store keeps', async () => {
    process.env.Q2C_ENCRYPTION_KEY = randomBytes(32).toString('hex');
    expect(await askTwice()).toBe(1);
  });

  test('a connection logs in again when the store would keep its token readable', async () => {
    expect(await askTwice()).toBe(2);
    const { store: opened } = await canvas.engine();
    expect(await opened.db.selectFrom('token').selectAll().execute()).toEqual([]);
  });
});
