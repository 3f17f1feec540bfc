import type { CancelReport } from '../../../lib/engine';
import type { CaseView } from '../../../lib/governance';
import { jsonOf, user } from '../../support/api';
import { inState, refuse } from '../engine/repair-support';
import { Site } from './support';

/** An undo that has stopped is settled by whoever owns its case. */

let site: Site;
beforeEach(async () => {
  site = await Site.open();
});
afterEach(() => site.close());

test('the owner of its case settles it, and the cancel goes on', async () => {
  const { runId } = await site.stuck();
  site.api.engine.engine.repairs.registerTarget('n-customer', site.vendor.target());
  site.vendor.twist('undo customer', refuse);
  const given = await site.api.ask('POST', `/runs/${runId}/cancel`, { body: { reason: 'deal is off' } });
  const { cancel } = jsonOf<{ cancel: CancelReport }>(given);
  expect(cancel).toMatchObject({ state: 'cancelling', stuck: { node: 'Make the customer' } });

  const ina = user('ina', 'read', 'q2c.role.integration_ops');
  const { items } = await site.api.get<{ items: { id: string }[] }>('/cases', {
    code: 'COMPENSATION_FAILED',
  });
  const view = await site.api.get<CaseView>(`/cases/${items[0]?.id}`, {}, { as: ina });
  expect(view).toMatchObject({ system: 'erp', stepKey: cancel.stuck?.stepKey });
  expect(view.actions).toEqual(expect.arrayContaining(['settle_undo', 'cancel']));
  for (const action of ['retry', 'correct', 'complete', 'skip']) expect(view.actions).not.toContain(action);

  const path = `/steps/${encodeURIComponent(cancel.stuck?.stepKey ?? '')}/settle-undo`;
  const settle = (as: ReturnType<typeof user>) =>
    site.api.ask('POST', path, { as, body: { outcome: 'kept', reason: 'is used by another firm' } });
  expect((await settle(user('rita', 'read'))).status).toBe(401);
  expect((await settle(user('fin', 'read', 'q2c.role.finance_ops'))).status).toBe(401);
  expect(jsonOf(await settle(ina))).toMatchObject({ state: 'cancelled', stuck: null });
  await inState(site.api.engine.store, runId, 'cancelled');
  expect(await site.audit('step.kept')).toMatchObject([{ actor: 'ina' }]);
});
