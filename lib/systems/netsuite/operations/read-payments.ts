import type { Contract, Draft, Payment, Project } from '../../../model';
import { defineOperation, type ReadContext } from '../../kit';
import type { NetSuiteClient } from '../client';
import { type BilledRecords, billedItem, billedRecords, findInvoices, findPayments } from '../find-invoices';
import { refTo } from '../mapping';
import { allocationsOf, type PaymentData, paymentValues, readPaymentData, settledInvoices } from '../payment';

/** Payments that settle an invoice of the deal, each with everything it settles. */
export const readPayments = defineOperation<
  NetSuiteClient,
  Draft<Contract> | Draft<Project>,
  BilledRecords,
  PaymentData[]
>({
  entity: 'payment',
  verb: 'read',
  recordType: 'customerPayment',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: billedItem,

  toSystem: billedRecords,

  async call(client, wire, { signal }) {
    const ids = await findPayments(client, await findInvoices(client, wire, signal), signal);
    return readPaymentData(client, ids, signal);
  },

  references: (payments) => [
    ...payments.map(({ id, claims }) => ({
      entity: 'payment' as const,
      type: 'customerPayment',
      id,
      claims,
    })),
    ...payments.flatMap(settledInvoices),
  ],

  fromSystem(payments, _item, context) {
    const drafts = payments.map((payment) => draftOf(payment, context));
    return {
      refs: drafts.map(({ id }, index) => refOf(id, payments[index]?.id ?? '', context)),
      merge: { payments: drafts },
      evidence: { payments: payments.length },
    };
  },
});

function draftOf(payment: PaymentData, context: ReadContext): Draft<Payment> {
  const { contract, customer, project } = context.deal;
  const id = context.idOf('payment', 'customerPayment', payment.id);
  return {
    id,
    externalRefs: [refOf(id, payment.id, context).ref],
    legalEntityId: contract?.legalEntityId ?? project?.legalEntityId,
    customerId: customer?.id ?? contract?.customerId,
    ...paymentValues(payment),
    allocations: allocationsOf(payment, context.idOf),
  };
}

const refOf = (id: string, recordId: string, context: ReadContext) =>
  refTo(context, { id, entity: 'payment', type: 'customerPayment', recordId, role: 'master' });
