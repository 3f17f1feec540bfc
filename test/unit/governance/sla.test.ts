import { Governance } from '../../../lib/governance';
import { defaultCasePolicy } from '../../../lib/rules';
import { until } from '../../support/engine';
import { openSite, person, policyWith, type Site } from './support';

let site: Site;
afterEach(() => site.stop());
const kim = person('kim');

const policy = policyWith({
  rules: [
    { when: { regions: ['EMEA'] }, slaHours: 2, onBreach: { escalateTo: 'finance_controller' } },
    { when: { regions: ['AMER'] }, slaHours: 2, onBreach: { severity: 'warning' } },
  ],
  otherwise: { ...defaultCasePolicy.otherwise, onBreach: { severity: 'critical' } },
});
const inRegion = (region: string) => ({ about: { facts: { region } } });

test('a breach is told once, and escalates as the policy says', async () => {
  site = await openSite({ policy });
  const { id } = await site.raise(inRegion('EMEA'));
  await site.governance.assign(id, 'kim', kim);
  site.clock.now = '2026-11-16T10:59:59.999Z';
  await site.governance.sweep();
  expect(await site.told()).toEqual(['exception.opened', 'exception.assigned']);

  site.clock.now = '2026-11-16T11:00:00.000Z';
  for (let times = 0; times < 3; times++) await site.governance.sweep();
  expect(await site.told()).toEqual(['exception.opened', 'exception.assigned', 'exception.sla_breached']);
  expect(await site.governance.view(id, kim)).toMatchObject({
    sla: { due: '2026-11-16T11:00:00.000Z', breachedAt: '2026-11-16T11:00:00.000Z' },
    ownerRole: 'finance_controller',
    assignee: null,
    escalations: 1,
    severity: 'error',
  });
  expect(await site.history(id)).toEqual(['opened', 'assigned', 'sla_breached']);
});

test('a breach never makes a case milder', async () => {
  site = await openSite({ policy });
  const { id } = await site.raise(inRegion('AMER'));
  site.clock.now = '2026-11-17T09:00:00.000Z';
  await site.governance.sweep();
  expect(await site.governance.view(id, kim)).toMatchObject({ severity: 'error', ownerRole: 'finance_ops' });
});

test('what is settled in time is not late; what rests can be', async () => {
  site = await openSite();
  const settled = await site.raise();
  const resting = await site.raise();
  await site.governance.act(settled.id, { action: 'waive' }, 'agreed', kim);
  await site.governance.snooze(resting.id, '2026-12-01T09:00:00.000Z', 'Vacation', kim);
  site.clock.now = '2026-11-20T09:00:00.000Z';
  await site.governance.sweep();
  const breached = await site.governance.queue({ status: 'all', breached: true }, 'due', { limit: 9 });
  expect(breached.items.map(({ id }) => id)).toEqual([resting.id]);
});

test('many late cases are all told, in several writes', async () => {
  site = await openSite();
  for (let count = 0; count < 120; count++) await site.raise();
  site.clock.now = '2026-11-20T09:00:00.000Z';
  await site.governance.sweep();
  const told = await site.told();
  expect(told.filter((type) => type === 'exception.sla_breached')).toHaveLength(120);
});

test('of two hosts only one looks at a time, and a breach is told once', async () => {
  site = await openSite({ watchEveryMs: 20 });
  const { engine, policies } = site;
  const onFailure = (error: unknown) => {
    throw error;
  };
  const other = new Governance({ engine, tenant: 'test', policies, watchEveryMs: 20, onFailure });
  await other.start();
  const { id } = await site.raise();
  site.clock.now = '2026-11-20T09:00:00.000Z';
  await until('the breach', async () => (await site.history(id)).includes('sla_breached'));
  await Promise.all([other.sweep(), site.governance.sweep()]);
  expect((await site.told()).filter((type) => type === 'exception.sla_breached')).toHaveLength(1);
  await other.stop();
});
