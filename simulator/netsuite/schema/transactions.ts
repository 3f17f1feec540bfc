import {
  amount,
  boolean,
  choice,
  date,
  email,
  externalId,
  type Fields,
  indexed,
  integer,
  number,
  type RecordType,
  readOnly,
  reference,
  required,
  type Sublist,
  text,
} from './fields';

export const ORDER_STATUSES: Readonly<Record<string, string>> = {
  A: 'Pending Approval',
  B: 'Pending Fulfillment',
  C: 'Cancelled',
  D: 'Partially Fulfilled',
  E: 'Pending Billing/Partially Fulfilled',
  F: 'Pending Billing',
  G: 'Billed',
  H: 'Closed',
};
export const INVOICE_STATUSES: Readonly<Record<string, string>> = { A: 'Open', B: 'Paid In Full' };
export const CREDIT_STATUSES: Readonly<Record<string, string>> = { A: 'Open', B: 'Fully Applied' };
export const PAYMENT_STATUSES: Readonly<Record<string, string>> = { B: 'Not Deposited', C: 'Deposited' };

/** Body fields that orders, invoices and credit memos share. */
const salesFields: Fields = {
  externalId,
  entity: indexed(required(reference('customer', 'job'))),
  job: indexed(reference('job')),
  currency: required(reference('currency')),
  exchangeRate: required(number),
  tranDate: required(date),
  tranId: indexed(text(45)),
  otherRefNum: text(45),
  memo: text(999),
  department: reference('department'),
  class: reference('classification'),
  location: reference('location'),
  subsidiary: required(reference('subsidiary')),
  email,
  subTotal: readOnly(amount),
  taxTotal: readOnly(amount),
  discountTotal: readOnly(amount),
  total: readOnly(amount),
};

const lineFields: Fields = {
  line: integer,
  item: required(reference('serviceSaleItem')),
  description: text(4000),
  quantity: number,
  rate: number,
  amount: required(amount),
  job: reference('job'),
  department: reference('department'),
  class: reference('classification'),
  location: reference('location'),
  taxCode: reference('salesTaxItem'),
  taxRate1: readOnly(number),
  tax1Amt: readOnly(amount),
  grossAmt: readOnly(amount),
};

const invoiceLines: Sublist = {
  key: 'line',
  numbered: true,
  fields: { ...lineFields, orderLine: integer },
};

/** Documents that a payment or a credit memo settles. */
const apply: Sublist = {
  key: 'doc',
  numbered: false,
  fields: {
    doc: required(reference('invoice')),
    apply: boolean,
    amount,
    applyDate: readOnly(date),
    refNum: readOnly(text(45)),
    total: readOnly(amount),
    due: readOnly(amount),
    type: readOnly(text(40)),
  },
};

export const salesOrder: RecordType = {
  name: 'salesOrder',
  sequence: 'transaction',
  title: ['tranId'],
  created: 'createdDate',
  modified: true,
  heldBy: [
    ['invoice', 'createdFrom'],
    ['charge', 'salesOrder'],
  ],
  aliases: { subtotal: 'subTotal' },
  fields: {
    ...salesFields,
    startDate: date,
    endDate: date,
    orderStatus: required(choice(ORDER_STATUSES)),
    status: readOnly(choice(ORDER_STATUSES)),
    terms: reference('term'),
    billingSchedule: indexed(reference('billingSchedule')),
    nextBill: readOnly(date),
  },
  sublists: {
    item: {
      key: 'line',
      numbered: true,
      fields: {
        ...lineFields,
        billingSchedule: reference('billingSchedule'),
        isClosed: boolean,
        quantityBilled: readOnly(number),
      },
    },
  },
};

export const invoice: RecordType = {
  name: 'invoice',
  sequence: 'transaction',
  title: ['tranId'],
  created: 'createdDate',
  modified: true,
  heldBy: [['creditMemo', 'createdFrom']],
  aliases: { subtotal: 'subTotal' },
  fields: {
    ...salesFields,
    startDate: date,
    endDate: date,
    createdFrom: indexed(reference('salesOrder')),
    terms: reference('term'),
    dueDate: date,
    account: reference('ledgerAccount'),
    status: readOnly(choice(INVOICE_STATUSES)),
    amountPaid: readOnly(amount),
    amountRemaining: readOnly(amount),
  },
  sublists: { item: invoiceLines },
};

export const creditMemo: RecordType = {
  name: 'creditMemo',
  sequence: 'transaction',
  title: ['tranId'],
  created: 'createdDate',
  modified: true,
  heldBy: [],
  aliases: { subtotal: 'subTotal' },
  fields: {
    ...salesFields,
    createdFrom: indexed(reference('invoice')),
    account: reference('ledgerAccount'),
    status: readOnly(choice(CREDIT_STATUSES)),
    applied: readOnly(amount),
    unapplied: readOnly(amount),
    amountRemaining: readOnly(amount),
  },
  sublists: { item: invoiceLines, apply },
};

export const customerPayment: RecordType = {
  name: 'customerPayment',
  sequence: 'transaction',
  title: ['tranId'],
  created: 'createdDate',
  modified: true,
  heldBy: [],
  fields: {
    externalId,
    customer: indexed(required(reference('customer'))),
    currency: required(reference('currency')),
    exchangeRate: required(number),
    payment: required(amount),
    tranDate: required(date),
    tranId: indexed(text(45)),
    account: reference('ledgerAccount'),
    arAcct: reference('ledgerAccount'),
    undepFunds: boolean,
    checkNumber: text(45),
    memo: text(999),
    department: reference('department'),
    class: reference('classification'),
    location: reference('location'),
    subsidiary: required(reference('subsidiary')),
    status: readOnly(choice(PAYMENT_STATUSES)),
    total: readOnly(amount),
    applied: readOnly(amount),
    unapplied: readOnly(amount),
  },
  sublists: { apply },
};
