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

test('the deal can be elsewhere in the message', async () => {
  await load({ input: 'deal', inputType: 'msg' });
  const deal = wonDeal();
  const { sent } = await canvas.pass(Object.assign({ payload: 'something else' }, { deal }));
  expect(sent?.payload).toEqual(deal);
});
