import {
  CaseOpened,
  type CaseSubject,
  type DispatchedRun,
  DryRunBlocked,
  type Engine,
} from '../../../lib/engine';
import type { CanonicalId, Customer, DealDocument, Draft } from '../../../lib/model';
import { wonDeal } from '../../support/deals';
import { inState, type Vendor, win } from './repair-support';

/** A flow that reads a deal, checks that its customer has a tax registration and payment terms, and writes the customer. */
export class CheckedFlow {
  /** What the CRM says. */
  master: DealDocument = wonDeal();
  /** Customers as they came through the check. */
  readonly passed: (Draft<Customer> | undefined)[] = [];
  /** Of its cases. */
  about: CaseSubject = { params: { customer: 'ACME GmbH', country: 'DE' }, ownerRole: 'finance_ops' };

  constructor(
    private readonly engine: Engine,
    private readonly vendor: Vendor,
    private readonly source = 'source',
  ) {
    this.say({ taxProfile: { status: 'unknown' } });
    engine.registerSource(source, 8, (run) => void this.pass(run));
  }

  get customerId(): CanonicalId {
    return this.master.customer?.id ?? '';
  }

  /** The CRM has these fields from now on; undefined = not any more. */
  say(fields: { [Field in keyof Customer]?: Customer[Field] | undefined }): void {
    const customer = { ...this.master.customer, ...fields } as Draft<Customer>;
    this.master = { ...this.master, customer };
  }

  /** A run that the check has stopped. */
  async stuck(record = 'opp-1'): Promise<{ runId: string; caseId: CanonicalId }> {
    const runId = await win(this.engine, record, this.source);
    await inState(this.engine.store, runId, 'failed');
    const found = await this.engine.store.db
      .selectFrom('exception_case')
      .select('id')
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    return { runId, caseId: found.id };
  }

  private async pass(run: DispatchedRun): Promise<void> {
    const { engine } = this;
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error(`run ${run.id} is not under way`);
    engine.messageEntered(active);
    try {
      const deal = await this.check(run.id);
      engine.messageLeft(active, 'check');
      engine.messageEntered(active);
      const wire = { name: 'ACME', tax: deal.customer?.taxProfile?.registrationNumber ?? null };
      await engine.step(run.id, this.vendor.step('customer', this.customerId, { wire, updates: true }));
    } catch (error) {
      if (!(error instanceof CaseOpened || error instanceof DryRunBlocked)) throw error;
    } finally {
      engine.messageLeft(active);
    }
  }

  private async check(runId: string): Promise<DealDocument> {
    const deal = await this.engine.withCorrections(runId, this.master);
    const fields = [
      ...(deal.customer?.taxProfile?.registrationNumber ? [] : ['taxProfile.registrationNumber']),
      ...(deal.customer?.paymentTerms ? [] : ['paymentTerms']),
    ];
    if (fields.length > 0) {
      const node = { id: 'check', name: 'Ready?' };
      const { about } = this;
      const code = 'TAX_REGISTRATION_MISSING';
      await this.engine.fail(runId, [{ node, code, subject: this.customerId, about, fields }], this.master);
    }
    this.passed.push(deal.customer);
    return deal;
  }
}

export const NUMBER = 'DE136695976';
export const TYPED = { patch: { taxProfile: { registrationNumber: NUMBER } } };
