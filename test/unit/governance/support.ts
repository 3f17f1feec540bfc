import { CaseOpened, type CaseSubject, type DispatchedRun, type NewCase } from '../../../lib/engine';
import { Governance, type GovernanceOptions, type Person, Policies } from '../../../lib/governance';
import { type CanonicalId, newId } from '../../../lib/model';
import { type CasePolicy, defaultCasePolicy } from '../../../lib/rules';
import { startEngine, until } from '../../support/engine';
import { openTestStore } from '../../support/stores';

/** A store whose clock stands still until it is moved. A Monday morning, in working hours of the default policy. */
export const MONDAY = '2026-11-16T09:00:00.000Z';

export interface Site extends Awaited<ReturnType<typeof openSite>> {}

export async function openSite(
  options: Partial<GovernanceOptions> & { policy?: CasePolicy; path?: string } = {},
) {
  const { policy, path, ...rest } = options;
  const opened = await openTestStore(path);
  const clock = { now: MONDAY };
  const started = await startEngine({ store: { ...opened, now: () => clock.now } });
  const { engine, store } = started;
  const policies = new Policies();
  if (policy !== undefined) policies.use('firm', policy);
  const governance = new Governance({
    ...{ engine, tenant: 'test', policies, watchEveryMs: 60_000 },
    onFailure: (error) => {
      throw error;
    },
    ...rest,
  });
  await governance.start();

  return {
    engine,
    store,
    governance,
    policies,
    clock,
    stop: async () => {
      await governance.stop();
      await started.stop();
    },
    /** Opens a case in a run of its own that no event can repeat. */
    async raise(request: Partial<Omit<NewCase, 'about'>> & { about?: Partial<CaseSubject> } = {}) {
      const deal = request.subject ?? newId('opportunity');
      const active = await engine.oneOff('inject', deal, 'Deal ACME');
      engine.messageEntered(active);
      const id = await caseOf(() =>
        engine.fail(active.run.id, [
          {
            node: { id: 'check', name: 'Check' },
            code: 'TAX_REGISTRATION_MISSING',
            subject: deal,
            ...request,
            about: {
              params: { customer: 'ACME', country: 'DE' },
              ownerRole: 'finance_ops',
              ...request.about,
            },
          },
        ]),
      );
      engine.messageLeft(active);
      await until('the run to end', async () => engine.activeRun(active.run.id) === undefined);
      return { id, runId: active.run.id, deal };
    },
    /** Sends one deal through a flow of one node. @returns the run */
    async deal(work: (run: DispatchedRun) => Promise<void>, name = newId('opportunity')): Promise<string> {
      engine.registerSource(`source-${name}`, 1, (run) => void pass(run));
      async function pass(run: DispatchedRun) {
        const active = engine.activeRun(run.id);
        if (active === undefined) return;
        const node = { id: 'erp', name: 'Customer' };
        engine.messageEntered(active, node);
        try {
          await work(run);
          engine.messageLeft(active, node.id);
        } catch (error) {
          if (!(error instanceof CaseOpened)) throw error;
          engine.messageLeft(active, node.id, true);
        }
      }
      await engine.accept({
        ...{ sourceNode: `source-${name}`, system: 'crm', instance: 'org', source: `/crm/${name}` },
        events: [
          {
            ...{ id: name, type: 'q2c.opportunity.won.v1', time: clock.now, title: 'Deal ACME', data: {} },
            subject: name,
          },
        ],
      });
      const { id } = await store.db
        .selectFrom('run')
        .select('id')
        .where('source_node', '=', `source-${name}`)
        .executeTakeFirstOrThrow();
      return id;
    },
    runState: async (id: string) =>
      (await store.db.selectFrom('run').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state,
    async history(caseId: CanonicalId): Promise<string[]> {
      const rows = await store.db
        .selectFrom('case_history')
        .select('action')
        .where('case_id', '=', caseId)
        .orderBy('seq')
        .execute();
      return rows.map(({ action }) => action);
    },
    /** Types of the business events told so far, without prefix and version. */
    async told(): Promise<string[]> {
      const rows = await store.db.selectFrom('outbox').select('type').orderBy('seq').execute();
      return rows.map(({ type }) => type.replace(/^q2c\.|\.v1$/g, ''));
    },
  };
}

/** The case with which the work stops. */
export async function caseOf(work: () => Promise<unknown>): Promise<CanonicalId> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CaseOpened) return error.caseId;
    throw error;
  }
  throw new Error('No case was opened.');
}

export const person = (name: string, special: Partial<Person> = {}): Person => ({
  name,
  roles: ['finance_ops'],
  mayApprove: false,
  ...special,
});

/** A policy with special parts. */
export const policyWith = (special: Partial<CasePolicy>): CasePolicy => ({
  ...defaultCasePolicy,
  version: 'test',
  ...special,
});
