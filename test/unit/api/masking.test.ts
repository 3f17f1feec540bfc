import { Masker } from '../../../lib/api/masking';
import type { StepDetail } from '../../../lib/api/schemas/runs';
import { MASK } from '../../../lib/model';
import { anonymous, jsonOf, user } from '../../support/api';
import { SECRETS, Site } from './support';

describe('a masker', () => {
  const masker = () => new Masker({ vatRegNumber: 'tax_id', 'contact.entityId': 'personal' });

  test('masks fields of entities wherever they stand, and of vendors by name', () => {
    const contact = {
      id: 'con_01J00000000000000000000000',
      name: 'Anna Kim',
      title: 'CFO',
      email: 'a@b.example',
    };
    const resource = {
      id: 'res_01J00000000000000000000000',
      role: 'principal',
      costRate: { amount: '87.50', currency: 'EUR' },
    };
    const { reply, paths } = masker().mask({
      deep: [{ contact }, resource],
      wire: { body: { vatRegNumber: 'DE129273398', companyName: 'ACME' } },
      payment: {
        id: 'pay_01J00000000000000000000000',
        bankReference: 'E2E-1',
        amount: { amount: '1.00', currency: 'EUR' },
      },
    });
    expect(reply).toEqual({
      deep: [
        { contact: { ...contact, name: MASK, email: MASK } },
        { ...resource, costRate: { amount: MASK, currency: MASK } },
      ],
      wire: { body: { vatRegNumber: MASK, companyName: 'ACME' } },
      payment: {
        id: 'pay_01J00000000000000000000000',
        bankReference: MASK,
        amount: { amount: '1.00', currency: 'EUR' },
      },
    });
    expect(paths).toContain('wire.body.vatRegNumber');
  });

  test('a field that only one entity has classified is shown in the others', () => {
    const step = (operation: string) => ({ operation, wire: { entityId: `of ${operation}` } });
    const { reply } = masker().mask([step('contact.upsert'), step('customer.upsert')]);
    expect(reply).toEqual([
      { operation: 'contact.upsert', wire: { entityId: MASK } },
      step('customer.upsert'),
    ]);
  });

  test('masks the same values in sentences, whole words only, and mail addresses and IBANs anyway', () => {
    const one = masker();
    one.conceal({ vatRegNumber: 'DE129273398', nothing: null });
    expect(
      one.redact(
        'DE129273398 is wrong, DE1292733981 is not it; ask a.b@c.example, pay DE89 3704 0044 0532 0130 00.',
      ),
    ).toBe(`${MASK} is wrong, DE1292733981 is not it; ask ${MASK}, pay ${MASK}.`);
    expect(one.redact('or NO93 8601 1117 947')).toBe(`or ${MASK}`);
    expect(one.redact('NO9386011117947')).toBe(MASK);
  });

  test('a person is named neither by a field nor by a sentence; parts of the name stand in names of firms', () => {
    const contact = { id: 'con_01J00000000000000000000000', name: 'Anna Grace', lastName: 'Grace' };
    const { reply } = masker().mask({ contact, message: 'Anna Grace of Grace Foods has no address' });
    expect(reply).toEqual({
      contact: { ...contact, name: MASK, lastName: MASK },
      message: `${MASK} of Grace Foods has no address`,
    });
  });

  test('users are named, also those whose name is a mail address', () => {
    const line = { actor: 'kim@firm.example', message: 'by kim@firm.example' };
    expect(masker().mask(line).reply).toEqual({ actor: 'kim@firm.example', message: `by ${MASK}` });
  });
});

describe('replies', () => {
  let site: Site;
  beforeEach(async () => {
    site = await Site.open();
  });
  afterEach(() => site.close());

  test('nothing classified is in any reply about a deal, its runs, steps and cases', async () => {
    const { runId, stepKey, caseId, correlationId } = await site.stuck();
    const steps = await site.api.get<{ steps: { key: string }[] }>(`/runs/${runId}`);
    const paths = [
      '/runs',
      `/runs/${runId}`,
      '/cases',
      `/cases/${caseId}`,
      '/cases/groups',
      '/deals',
      `/deals/${correlationId}`,
      `/deals/${correlationId}/evidence`,
      '/systems',
      '/audit',
      ...[stepKey, ...steps.steps.map(({ key }) => key)].flatMap((key) => [
        `/steps/${encodeURIComponent(key)}`,
        `/steps/${encodeURIComponent(key)}/input`,
      ]),
    ];
    for (const path of paths) {
      const given = await site.api.ask('GET', path);
      expect({ path, status: given.status }).toEqual({ path, status: 200 });
      const text = JSON.stringify(given.body);
      for (const secret of Object.values(SECRETS)) expect(`${path}: ${text}`).not.toContain(secret);
    }
    const step = await site.api.get<StepDetail>(`/steps/${encodeURIComponent(steps.steps[0]?.key ?? '')}`);
    expect(step.wire).toEqual({
      keys: { taxNumber: MASK },
      body: { companyName: 'ACME', custentity_vat: MASK, email: MASK, phone: MASK },
    });
    expect(step.masked).toContain('wire.keys.taxNumber');
  });

  test('unmasked for whoever may, by name, and written down', async () => {
    const { stepKey, runId } = await site.stuck();
    const path = `/steps/${encodeURIComponent(stepKey)}`;
    const ask = (as: ReturnType<typeof user>) => site.api.ask('GET', path, { as, query: { unmask: 'true' } });
    expect((await ask(user('rita', 'read'))).status).toBe(401);
    expect((await ask(anonymous)).status).toBe(403);
    expect(await site.audit('data.unmasked')).toEqual([]);

    const shown = jsonOf<StepDetail>(await ask(user('otto', 'read', 'q2c.unmask')));
    expect(shown.error?.message).toContain(SECRETS.taxId);
    const { steps } = await site.api.get<{ steps: { key: string }[] }>(`/runs/${runId}`);
    const first = `/steps/${encodeURIComponent(steps[0]?.key ?? '')}`;
    const whole = await site.api.ask('GET', first, {
      query: { unmask: 'true' },
      as: user('otto', 'read', 'q2c.unmask'),
    });
    expect(JSON.stringify(whole.body)).toContain(SECRETS.taxId);
    const lines = await site.audit('data.unmasked');
    expect(lines).toMatchObject([
      { actor: 'otto', subject: stepKey },
      { actor: 'otto', subject: steps[0]?.key },
    ]);
    const fields = lines.map(({ detail }) => JSON.parse(detail).fields);
    expect(fields[0]).toEqual(['error.message']);
    expect(fields[1]).toContain('wire.keys.taxNumber');
  });

  test('whom a case is about only those read who may, also when the runs are no longer kept', async () => {
    const { caseId, runId, correlationId } = await site.stuck('Li Ming');
    const { store } = site.api.engine;
    const paths = [
      '/cases',
      '/cases/groups',
      `/cases/${caseId}`,
      `/runs/${runId}`,
      `/deals/${correlationId}`,
    ];
    const named = async () => {
      const texts = await Promise.all(paths.map(async (path) => JSON.stringify(await site.api.get(path))));
      return paths.filter((_, index) => texts[index]?.includes('Li Ming'));
    };
    expect(await named()).toEqual([]);
    const { message } = await site.api.get<{ message: string }>(`/cases/${caseId}`);
    expect(message).toBe(`ERP refused contact ${MASK}: ${MASK} is not known.`);
    const shown = await site.api.get<{ message: string }>(
      `/cases/${caseId}`,
      { unmask: 'true' },
      { as: user('otto', 'read', 'q2c.unmask') },
    );
    expect(shown.message).toContain('contact Li Ming: Li Ming is not known');
    expect(await site.audit('data.unmasked')).toMatchObject([{ actor: 'otto', subject: caseId }]);

    await store.write((tx) => tx.deleteFrom('step').where('run_id', '=', runId).execute());
    expect(await named()).toEqual([]);
  });

  test('what was filled in from a masked reply is not sent', async () => {
    const { stepKey, caseId } = await site.stuck();
    const correction = { patch: { name: MASK } };
    const asked = [
      site.api.ask('POST', `/steps/${encodeURIComponent(stepKey)}/correct`, {
        body: { ...correction, reason: 'x' },
      }),
      site.api.ask('POST', `/cases/${caseId}/act`, {
        body: { request: { action: 'correct', correction }, reason: 'x' },
      }),
    ];
    for (const given of await Promise.all(asked)) expect(given).toMatchObject({ status: 400 });
  });
});
