import { Broker } from '../support/broker';
import { ExampleWorld, withVariable } from '../support/example-world';
import { exampleFlow } from '../support/examples';
import type { FlowNode } from '../support/host';
import { Receiver } from '../support/receiver';
import { until } from '../support/until';
import { enterDeal, onlyCase, runOf, winDeal } from './deals';

/** Template flows that wait, approve, notify and tell, imported and run. Their comments promise what is judged here. */

jest.setTimeout(120_000);

let world: ExampleWorld;
afterEach(() => world?.stop());

const play = async (...args: Parameters<typeof ExampleWorld.play>) => {
  world = await ExampleWorld.play(...args);
  return world.simulator;
};

const dealRuns = async () => (await world.runs()).filter(({ title }) => title !== 'One-off message');

/** Waits until so many runs of deals are in the state. */
const inState = (state: string, count: number) =>
  until(
    `${count} deals ${state}`,
    async () => (await dealRuns()).filter((run) => run.state === state).length === count,
    30_000,
    50,
  );

/** Sends a form as a browser does. */
const submit = (path: string, fields: Record<string, string>) =>
  fetch(world.host.url + path, { method: 'POST', body: new URLSearchParams(fields) });

test('Wait for approval: an approved deal goes on, once; another one leaves when its time is over', async () => {
  const change = (node: FlowNode) => {
    if (node.type === 'q2c-wait' && node.mode === 'wait') node.timeout = '4 seconds';
  };
  const simulator = await play('Wait for approval', { change });
  const [approved, late] = [await enterDeal(simulator, 1), await enterDeal(simulator, 2)];
  await winDeal(simulator, approved);
  await inState('waiting', 1);
  const opportunity = { name: approved.name };
  await world.host.request('POST', '/approve-deal', { opportunity });
  await inState('completed', 1);
  await winDeal(simulator, late);
  await inState('completed', 2);
  const named = (shown: unknown[]) =>
    (shown as { opportunity: { name: string } }[]).map((deal) => deal.opportunity.name);
  expect(named(await world.shows('Mail to the customer', 1))).toEqual([approved.name]);
  expect(named(await world.shows('Not approved in time', 1))).toEqual([late.name]);
});

test('Approval of large deals: small ones pass, large ones go where a person sends them', async () => {
  const simulator = await play('Approval of large deals');
  const lines = [
    {
      ...{ serviceCode: 'IMP-MS', description: 'Roll-out', commercialModel: 'milestone', quantity: '1' },
      ...{ unitPrice: '90000', schedule: [{ description: 'Go-live', date: '2026-06-30', amount: '90000' }] },
    },
  ];
  const small = await enterDeal(simulator, 4);
  const good = await enterDeal(simulator, 5, { lines });
  const bad = await enterDeal(simulator, 6, { lines });
  for (const deal of [small, good, bad]) await winDeal(simulator, deal);
  await inState('waiting', 2);
  expect(await world.shows('Deals to provision', 1)).toEqual([small.name]);

  const form = await (await fetch(`${world.host.url}/decide-deal`)).text();
  for (const name of ['deal', 'reason', 'decision']) expect(form).toContain(`name="${name}"`);
  const answer = await submit('/decide-deal', { deal: good.name, decision: 'approve', reason: '' });
  expect(await answer.text()).toBe(`Noted: approve ${good.name}`);
  await submit('/decide-deal', { deal: bad.name, decision: 'reject', reason: 'no credit' });
  await inState('completed', 3);

  expect((await world.shows('Deals to provision', 2)).sort()).toEqual([small.name, good.name].sort());
  expect(await world.shows('Rejected deals', 1)).toEqual([bad.name]);
  const statusOf = async ({ opportunityId }: { opportunityId: string }) =>
    (await simulator.record('salesforce', 'Opportunity', opportunityId)).data.Q2C_Status__c;
  expect(await statusOf(bad)).toBe('Not approved by finance');
  expect(await statusOf(good)).toBeFalsy();
});

test('Wait for the contract: the deal waits until it is activated, and is read anew then', async () => {
  const simulator = await play('Wait for the contract');
  const deal = await enterDeal(simulator, 4, { contract: { Status: 'Draft' } });
  await simulator.patch('salesforce', 'Opportunity', deal.opportunityId, { StageName: 'Closed Won' });
  await inState('waiting', 1);
  expect(await simulator.records('netsuite', 'job')).toHaveLength(0);
  // Read before the wait it would still have the old name.
  await simulator.patch('salesforce', 'Contract', deal.contractId, { Status: 'Activated' });
  await until('the project', async () => (await simulator.records('netsuite', 'job')).length > 0, 30_000, 50);
  const [shown] = (await world.shows('Projects to start', 1)) as { contract: { status: string } }[];
  expect(shown?.contract.status).toBe('active');
  expect(await world.openCases()).toEqual([]);
});

test('One welcome mail per customer: one for two deals, and none twice after a failure', async () => {
  const mail = await Receiver.start();
  try {
    const simulator = await play('One welcome mail per customer', {
      change: withVariable('MAIL_URL', mail.url),
    });
    await runOf(world, await enterDeal(simulator, 1));
    await runOf(world, await enterDeal(simulator, 1));
    await runOf(world, await enterDeal(simulator, 2));
    expect(await world.shows('Has had its mail', 1)).toHaveLength(1);
    expect(new Set(mail.received.map(({ to }) => to)).size).toBe(2);
    expect(mail.received).toHaveLength(2);
    expect(mail.received[0]?.text).toMatch(/^Welcome, .+! We begin with Deal \d+\.$/);

    mail.status = 503;
    const refused = await runOf(world, await enterDeal(simulator, 3));
    expect(refused.state).toBe('failed');
    expect((await onlyCase(world)).code).toBe('NODE_FAILED');
    mail.status = 204;
    // At most once: nobody knows whether the mail has gone out.
    await world.retry(refused.id);
    await world.settled(4);
    expect(mail.received).toHaveLength(3);
  } finally {
    await mail.stop();
  }
});

test('Business events: a project that another flow has provisioned starts a run', async () => {
  await play('Business events');
  const announced: FlowNode[] = [
    { id: 'http', type: 'http in', z: 'q2c0000000000110', url: '/tell', method: 'post', wires: [['tell']] },
    {
      ...{ id: 'tell', type: 'q2c-announce', z: 'q2c0000000000110', store: 'q2c0000000000001' },
      ...{ eventType: 'q2c.project.provisioned.v1', wires: [['told']] },
    },
    { id: 'told', type: 'http response', z: 'q2c0000000000110', statusCode: '204', wires: [] },
  ];
  await world.deploy([...(await world.host.flows()), ...announced]);
  const id = 'prj_01KASY4Q8G3M6Z0V5T9R2B7XDE';
  await world.host.request('POST', '/tell', { project: { id, externalRefs: [] } });
  const [project] = (await world.shows('Projects to staff', 1)) as { project: { id: string } }[];
  expect(project?.project.id).toBe(id);
});

test('Cases to a chat: every case is told once, with what its owner needs', async () => {
  const chat = await Receiver.start();
  try {
    await play('Cases to a chat', { change: withVariable('CHAT_URL', chat.url) });
    const button = exampleFlow('Cases to a chat').find(({ type }) => type === 'inject');
    const press = () => world.host.request('POST', `/inject/${button?.id}`, {});
    await press();
    await until('the chat', async () => chat.received.length > 0, 30_000, 50);
    expect(chat.received).toEqual([
      {
        text: expect.stringMatching(
          /^finance_ops: A customer of the demonstration is on credit hold\. Due 20/,
        ),
      },
    ]);
    expect((await world.openCases()).map(({ code }) => code)).toEqual(['CREDIT_HOLD']);

    chat.status = 500;
    await press();
    await until('the refusal', async () => (await world.openCases()).length === 3, 30_000, 50);
    const codes = (await world.openCases()).map(({ code }) => code).sort();
    expect(codes).toEqual(['CREDIT_HOLD', 'CREDIT_HOLD', 'NODE_FAILED']);
    // The case of the post that failed is not posted.
    expect(chat.received).toHaveLength(2);
  } finally {
    await chat.stop();
  }
});

test('Case notifications: finance hears of its cases only', async () => {
  await play('Case notifications');
  const cases = (code: string): FlowNode[] => [
    {
      id: `in-${code}`,
      type: 'http in',
      z: TAB,
      url: `/${code}`,
      method: 'post',
      wires: [[`case-${code}`, 'ok']],
    },
    {
      ...{ id: `case-${code}`, type: 'q2c-case', z: TAB, store: 'q2c0000000000001', code, ownerRole: '' },
      ...{ severity: 'error', message: '', messageType: 'str' },
    },
  ];
  const TAB = 'q2c0000000000310';
  const answer: FlowNode = { id: 'ok', type: 'http response', z: TAB, statusCode: '204', wires: [] };
  await world.deploy([
    ...(await world.host.flows()),
    ...cases('CREDIT_HOLD'),
    ...cases('RATE_MISSING'),
    answer,
  ]);
  await world.host.request('POST', '/RATE_MISSING', {});
  await world.host.request('POST', '/CREDIT_HOLD', {});
  await until('both cases', async () => (await world.openCases()).length === 2, 30_000, 50);
  const told = await world.shows('To the owners', 1);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/credit hold.*\nUntil 20\d\d-/);
});

test('Events over MQTT: what one flow tells a durable run and any MQTT client hear, once', async () => {
  const broker = await Broker.start('mqtt5');
  const port = new URL(broker.url).port;
  try {
    const simulator = await play('Events over MQTT', {
      change: (node) => {
        if (node.type === 'q2c-broker') node.url = broker.url;
        if (node.type === 'mqtt-broker') Object.assign(node, { broker: '127.0.0.1', port });
      },
    });
    await until('both subscriptions', async () => (await broker.status()).filters.length >= 2, 30_000, 50);
    await simulator.closeDeals(2);
    const heard = (await world.shows('Contracts to plan', 2)) as { id: string; type: string }[];
    const raw = (await world.shows('CloudEvents', 2)) as { id: string; specversion: string }[];
    expect(heard.map(({ type }) => type)).toEqual(Array(2).fill('q2c.contract.activated.v1'));
    expect(new Set(heard.map(({ id }) => id)).size).toBe(2);
    expect(raw.map(({ id }) => id).sort()).toEqual(heard.map(({ id }) => id).sort());
    expect(raw[0]?.specversion).toBe('1.0');
    // Two told it, two heard it.
    expect((await world.settled(4)).map(({ state }) => state)).toEqual(Array(4).fill('completed'));
  } finally {
    await world.stop();
    await broker.kill();
  }
});
