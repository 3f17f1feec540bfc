import { defineEventSource, type SourceEvent } from '../../kit';
import type { NetSuiteClient } from '../client';
import { allocationsOf, type PaymentData, paymentValues, readPaymentData, settledInvoices } from '../payment';
import { type Change, scan } from './scan';

const PAYMENTS = { type: 'CustPymt', where: "voided = 'F'", news: ['entity', 'currency', 'foreigntotal'] };

/** A customer payment, and again when its amount is another. Depositing it in the bank is no news. */
export const paymentReceived = defineEventSource<NetSuiteClient, PaymentData>({
  id: 'payment-received',
  async poll(client, stored, context) {
    const { changes, cursor, more } = await scan(client, stored, PAYMENTS, context);
    const ids = changes.map(({ id }) => id);
    const payments = await readPaymentData(client, ids, context.signal);
    return {
      events: payments.flatMap((payment, index) => {
        const change = changes[index];
        return change ? [eventOf(change, payment)] : [];
      }),
      cursor,
      more,
    };
  },
  link: (payment, idOf) => ({ allocations: allocationsOf(payment, idOf) }),
});

function eventOf({ id, stamp, digest }: Change, payment: PaymentData): SourceEvent {
  return {
    id: `${id}:${digest}:${stamp}`,
    type: 'q2c.payment.received.v1',
    time: stamp,
    stamp,
    subject: { entity: 'payment', type: 'customerPayment', id, claims: payment.claims },
    data: paymentValues(payment),
    references: settledInvoices(payment),
    record: payment,
  };
}
