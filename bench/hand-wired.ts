import { createPrivateKey } from 'node:crypto';
import { signJwt } from '../lib/systems/kit/jwt';
import type { FlowNode } from '../test/support/host';
import type { VendorControl } from '../test/support/vendors';

/**
 * What a user would wire by hand for the same job: core nodes only (http in, function, http request), the same kinds
 * of calls, several deals at a time, nothing journaled, probed, checked or retried. Within a deal the calls go one after
 * the other, where the durable flow has two branches: with several deals at a time neither waits for want of work.
 */

interface Access {
  salesforce: { url: string; token: string };
  netsuite: { url: string; token: string };
  kantata: { url: string; token: string };
}

/** Logs in once, as such flows do with a token kept in a context variable. */
export async function logIn(simulator: VendorControl): Promise<Access> {
  const systems = await simulator.systems();
  const of = (system: string, scheme: string) => ({
    url: systems[system]?.url ?? '',
    credentials: systems[system]?.credentials[scheme] ?? {},
  });
  const salesforce = of('salesforce', 'client-credentials');
  const netsuite = of('netsuite', 'oauth2-certificate');
  const kantata = of('kantata', 'access-token');
  return {
    salesforce: {
      url: salesforce.url,
      token: await post(`${salesforce.url}/services/oauth2/token`, {
        grant_type: 'client_credentials',
        client_id: salesforce.credentials.clientId ?? '',
        client_secret: salesforce.credentials.clientSecret ?? '',
      }),
    },
    netsuite: { url: netsuite.url, token: await netsuiteToken(netsuite) },
    kantata: { url: kantata.url, token: kantata.credentials.accessToken ?? '' },
  };
}

async function netsuiteToken({ url, credentials }: { url: string; credentials: Record<string, string> }) {
  const endpoint = `${url}/services/rest/auth/oauth2/v1/token`;
  const now = Math.floor(Date.now() / 1000);
  const assertion = signJwt({
    algorithm: 'PS256',
    key: createPrivateKey(credentials.privateKey ?? ''),
    header: { typ: 'JWT', kid: credentials.certificateId },
    claims: { iss: credentials.clientId, aud: endpoint, scope: 'rest_webservices', iat: now, exp: now + 300 },
  });
  return post(endpoint, {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
}

async function post(url: string, form: Record<string, string>): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

/** Calls a deal makes on average besides its project tasks: every second one has three contacts instead of two. */
const FIXED_CALLS = 20;

/**
 * The flow. `POST /bench` with `{opportunities, parallel}` answers `{failed, ended}` when the last deal is through: how many
 * calls have failed, and when each deal was through, in milliseconds of the clock.
 * @param callsPerDeal as many as the durable flow makes; the number of project tasks makes up the difference
 */
export function handWiredFlow(access: Access, callsPerDeal: number): FlowNode[] {
  const tab = 'bench000000000001';
  const tasks = callsPerDeal - FIXED_CALLS;
  if (tasks < 0) throw new Error(`The durable flow makes ${callsPerDeal} calls for a deal of a new customer`);
  const setup = `const access = ${JSON.stringify(access)};\nconst tasks = ${tasks};\n`;
  return [
    { id: tab, type: 'tab', label: 'Hand-wired' },
    { id: 'bench-in', type: 'http in', z: tab, url: '/bench', method: 'post', wires: [['bench-start']] },
    { id: 'bench-start', type: 'function', z: tab, func: START, outputs: 1, wires: [['bench-next']] },
    {
      id: 'bench-next',
      type: 'function',
      z: tab,
      func: setup + NEXT,
      outputs: 2,
      wires: [['bench-call'], ['bench-out']],
    },
    {
      id: 'bench-call',
      type: 'http request',
      z: tab,
      method: 'use',
      ret: 'obj',
      paytoqs: 'ignore',
      url: '',
      persist: true,
      senderr: false,
      wires: [['bench-reply']],
    },
    { id: 'bench-reply', type: 'function', z: tab, func: REPLY, outputs: 1, wires: [['bench-next']] },
    { id: 'bench-out', type: 'http response', z: tab, statusCode: '200', wires: [] },
  ];
}

const START = `
const { opportunities, parallel } = msg.payload;
flow.set('waiting', opportunities.slice());
flow.set('left', opportunities.length);
flow.set('begun', Math.min(parallel, opportunities.length));
flow.set('failed', 0);
flow.set('ended', []);
flow.set('answer', { req: msg.req, res: msg.res });
for (let i = 0; i < Math.min(parallel, opportunities.length); i++) {
  node.send({ deal: { opportunity: flow.get('waiting').shift(), number: i, step: 0 } });
}
node.done();
`;

const NEXT = `
let deal = msg.deal;
if (deal.finished) {
  const left = flow.get('left') - 1;
  flow.get('ended').push(Date.now());
  flow.set('left', left);
  if (left === 0) {
    const { req, res } = flow.get('answer');
    return [null, { req, res, payload: { failed: flow.get('failed'), ended: flow.get('ended') } }];
  }
  const opportunity = flow.get('waiting').shift();
  if (!opportunity) return null;
  const number = flow.get('begun');
  flow.set('begun', number + 1);
  deal = msg.deal = { opportunity, number, step: 0 };
}
const id = deal.opportunity;
const sf = '/services/data/v66.0';
const ns = '/services/rest/record/v1';
const ask = (system, method, path, body, headers) => ({
  method,
  url: access[system].url + path,
  headers: { authorization: 'Bearer ' + access[system].token, 'content-type': 'application/json', ...headers },
  payload: body,
});
const suiteql = (q) => ask('netsuite', 'POST', '/services/rest/query/v1/suiteql?limit=10', { q }, { prefer: 'transient' });
const soql = (q) => ({ method: 'GET', url: sf + '/query?q=' + encodeURIComponent(q), referenceId: 'q' + Math.random().toString(36).slice(2, 8) });
const reference = (model, ref) => ({ service_name: 'hand', service_model: model, service_model_ref: ref, status: 'successful' });
const contacts = Array.from({ length: 2 + (deal.number % 2) }, (_, index) => id + '-' + index);
const months = Array.from({ length: 6 }, (_, month) => '2026-0' + (month + 1) + '-15');
const calls = [
  () => ask('salesforce', 'POST', sf + '/composite', { compositeRequest: [
    soql("SELECT Id, Name, Amount, CurrencyIsoCode, Account.Id, Account.Name, Account.BillingStreet, Account.BillingCity, Contract.Id, Contract.ContractNumber FROM Opportunity WHERE Id = '" + id + "'"),
    soql("SELECT Id, Contact.Id, Contact.LastName, Contact.Email FROM OpportunityContactRole WHERE OpportunityId = '" + id + "'"),
    soql("SELECT Id, Description, Quantity, UnitPrice, TotalPrice FROM OpportunityLineItem WHERE OpportunityId = '" + id + "'"),
    soql("SELECT Id, ScheduleDate, Revenue FROM OpportunityLineItemSchedule WHERE OpportunityLineItem.OpportunityId = '" + id + "'"),
  ] }),
  () => suiteql("SELECT id, entityid FROM customer WHERE externalid = 'hand:" + id + "'"),
  () => ask('netsuite', 'PUT', ns + '/customer/eid:hand:' + id, { companyName: 'Hand ' + id, subsidiary: { id: '2' }, currency: { id: '4' }, terms: { id: '2' }, addressBook: { items: [{ defaultBilling: true, addressBookAddress: { addr1: 'Main 1', city: 'Bonn', zip: '53111', country: { id: 'DE' } } }] } }),
  () => ask('netsuite', 'GET', ns + '/customer/' + deal.customer + '?fields=entityId'),
  ...contacts.map((contact) => () => suiteql("SELECT id, entityid FROM contact WHERE externalid = 'hand:" + contact + "'")),
  ...contacts.map((contact) => () => ask('netsuite', 'PUT', ns + '/contact/eid:hand:' + contact, { firstName: 'A', lastName: contact, email: 'a' + contact + '@hand.example', company: { id: deal.customer }, subsidiary: { id: '2' } })),
  () => ask('netsuite', 'PUT', ns + '/job/eid:hand:' + id, { companyName: 'Project ' + id, parent: { id: deal.customer }, subsidiary: { id: '2' }, jobBillingType: { id: 'CB' }, projectExpenseType: { id: '-2' }, startDate: '2026-01-05', projectedEndDate: '2026-12-31' }),
  () => ask('netsuite', 'GET', ns + '/job/' + deal.job + '?fields=entityId'),
  ...Array.from({ length: tasks }, (_, index) => () => ask('netsuite', 'PUT', ns + '/projectTask/eid:hand:' + id + '-' + index, { project: { id: deal.job }, title: 'Task ' + index, constraintType: 'ASAP', startDate: '2026-01-05', estimatedWork: 40 })),
  () => ask('netsuite', 'PUT', ns + '/billingSchedule/eid:hand:' + id, { name: 'Hand ' + id, isPublic: false, scheduleType: { id: 'STD' }, frequency: { id: 'CUSTOM' }, initialAmount: 0, recurrence: { items: months.map((date) => ({ amount: 1000, recurrenceDate: date })) } }),
  () => ask('netsuite', 'PUT', ns + '/salesOrder/eid:hand:' + id, { entity: { id: deal.customer }, subsidiary: { id: '2' }, currency: { id: '4' }, tranDate: '2026-01-05', item: { items: [1, 2].map((line) => ({ item: { id: '111' }, description: 'Line ' + line, quantity: 1, rate: 6000, amount: 6000, job: { id: deal.job }, department: { id: '12' }, billingSchedule: { id: deal.billingSchedule } })) } }),
  () => ask('kantata', 'GET', '/api/v1/workspaces?external_reference_service_name=hand&external_reference_service_model_refs=' + id + '&include_archived=true'),
  () => ask('kantata', 'POST', '/api/v1/workspaces?include=external_references', { workspace: { title: 'Project ' + id, creator_role: 'maven', currency: 'EUR', budgeted: true, price: 12000, start_date: '2026-01-05', due_date: '2026-12-31', rate_card_id: 51, project_tracker_template_id: 812, project_template_start_date: '2026-01-05', external_reference: reference('Project', id) } }),
  () => ask('kantata', 'GET', '/api/v1/stories?external_reference_service_name=hand&external_reference_service_model_refs=' + id),
  () => ask('kantata', 'POST', '/api/v1/stories?include=external_references', { stories: months.slice(0, 2).map((date) => ({ workspace_id: Number(deal.workspaces), title: 'Milestone ' + date, story_type: 'milestone', due_date: date, external_reference: reference('Milestone', id + date) })) }),
  () => ask('kantata', 'GET', '/api/v1/billing_milestones?external_reference_service_name=hand&external_reference_service_model_refs=' + id),
  () => ask('kantata', 'POST', '/api/v1/billing_milestones?include=external_references', { billing_milestones: months.map((date) => ({ title: date, workspace_id: Number(deal.workspaces), date_to_invoice: date, amount_in_cents: 100000, external_reference: reference('Line', id + date) })) }),
  () => ask('salesforce', 'POST', sf + '/composite', { allOrNone: true, compositeRequest: [
    { method: 'PATCH', url: sf + '/sobjects/Opportunity/' + id, referenceId: 'a', body: { Q2C_Status__c: 'Provisioned', Q2C_Project_Number__c: 'P-' + id } },
    { method: 'PATCH', url: sf + '/sobjects/Account/' + deal.account, referenceId: 'b', body: { Q2C_Customer_Number__c: deal.customer } },
    { method: 'PATCH', url: sf + '/sobjects/Contract/' + deal.contract, referenceId: 'c', body: { Q2C_PO_Number__c: 'PO-' + id } },
  ] }),
];
const request = calls[deal.step]();
return [{ ...request, deal, total: calls.length }, null];
`;

const REPLY = `
const { deal } = msg;
const status = msg.statusCode;
if (!(status >= 200 && status < 300)) {
  flow.set('failed', flow.get('failed') + 1);
  node.warn(msg.method + ' ' + msg.url + ' ' + status + ' ' + JSON.stringify(msg.payload).slice(0, 300));
}
const location = /\\/record\\/v1\\/(\\w+)\\/(\\d+)$/.exec((msg.headers && msg.headers.location) || '');
if (location) deal[location[1]] = location[2];
const { workspaces, compositeResponse } = msg.payload || {};
if (workspaces) deal.workspaces = Object.keys(workspaces)[0] || deal.workspaces;
const found = compositeResponse && compositeResponse[0].body && compositeResponse[0].body.records;
if (found) {
  deal.account = found[0].Account.Id;
  deal.contract = found[0].Contract.Id;
}
for (const part of compositeResponse || []) {
  if (part.httpStatusCode >= 300) {
    flow.set('failed', flow.get('failed') + 1);
    node.warn(JSON.stringify(part).slice(0, 300));
  }
}
deal.step++;
if (deal.step >= msg.total) deal.finished = true;
return { deal };
`;
