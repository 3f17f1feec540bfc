import type { Step } from '../../../lib/engine';
import { type CanonicalId, personNames } from '../../../lib/model';
import { TestApi } from '../../support/api';
import { fail, until } from '../../support/engine';
import { CheckedFlow } from '../engine/correction-support';
import { flow, ids, inState, Vendor, win } from '../engine/repair-support';

/** What is classified in the deal of these tests. */
export const SECRETS = {
  taxId: 'DE129273398',
  email: 'anna.kim@acme.example',
  name: 'Anna Kim',
  phone: '+49 30 901820',
  cost: '87.50',
};

/** An interface on a store with one flow, whose second step is refused. */
export class Site {
  private person: string | null = null;

  private constructor(
    readonly api: TestApi,
    readonly vendor: Vendor,
    readonly deal: { customer: CanonicalId; project: CanonicalId },
    /** A flow of its own, that checks deals. */
    readonly checked: CheckedFlow,
  ) {}

  static async open(): Promise<Site> {
    const api = await TestApi.start();
    const vendor = new Vendor();
    const { engine } = api.engine;
    const site = new Site(api, vendor, ids(), new CheckedFlow(engine, vendor, 'checked'));
    engine.repairs.registerTarget('n-project', vendor.target());
    flow(engine, () => [site.customerStep(), site.projectStep()]);
    return site;
  }

  private projectStep(): Step {
    const step = this.vendor.step('project', this.deal.project);
    const { person } = this;
    if (person === null) return step;
    const contact = { id: 'con_01J00000000000000000000001', name: person };
    const about = typeof step.about === 'function' ? step.about() : step.about;
    const params = { ...about.params, document: `contact ${person}` };
    return { ...step, about: { ...about, params, personal: () => personNames([contact]) } };
  }

  private customerStep(): Step {
    const { customer } = this.deal;
    const { taxId, email, name, phone } = SECRETS;
    const step = this.vendor.step('customer', customer, {
      wire: {
        keys: { taxNumber: taxId },
        body: { companyName: 'ACME', custentity_vat: taxId, email, phone },
      },
    });
    return {
      ...step,
      call: async (wire, info) => {
        const made = await step.call(wire, info);
        const merge = {
          customer: { id: customer, taxProfile: { registrationNumber: taxId } },
          contacts: [{ id: 'con_01J00000000000000000000000', name, email, phone }],
        };
        return { ...made, result: { ...made.result, merge } };
      },
    };
  }

  /**
   * Wins a deal whose project the vendor refuses, complaining about the customer's data.
   * @param person the case is about this contact instead
   */
  async stuck(
    person?: string,
  ): Promise<{ runId: string; stepKey: string; caseId: string; correlationId: string }> {
    const { taxId, email } = SECRETS;
    this.vendor.twist('create project', () => {
      const refusal = fail('rejected', 'TARGET_REJECTED');
      refusal.failure.reason =
        person === undefined
          ? `the registration ${taxId} of ${email} is not known`
          : `${person} is not known`;
      throw refusal;
    });
    this.person = person ?? null;
    const { engine, store } = this.api.engine;
    const runId = await win(engine);
    await inState(store, runId, 'failed');
    const found = await store.db
      .selectFrom('exception_case')
      .select(['id', 'step_key', 'correlation_id'])
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    return {
      runId,
      stepKey: found.step_key ?? '',
      caseId: found.id,
      correlationId: found.correlation_id,
    };
  }

  /** Wins a deal whose customer has no tax registration. */
  stuckAtCheck(): Promise<{ runId: string; caseId: string }> {
    return this.checked.stuck();
  }

  /** Until no run is under way: their flow must not end after the engine. */
  settled(): Promise<void> {
    return until('all runs to end', async () => {
      const { queued = 0, running = 0 } = await this.api.get<Record<string, number>>('/runs/counts');
      return queued + running === 0;
    });
  }

  audit(action: string) {
    return this.api.engine.store.db.selectFrom('audit').selectAll().where('action', '=', action).execute();
  }

  async close(): Promise<void> {
    await this.api.stop();
    expect(this.api.faults).toEqual([]);
  }
}
