import type { SystemModule } from '../kit';
import { createNetSuiteClient, type NetSuiteClient } from './client';
import { invoiceStatusChanged } from './events/invoice-status-changed';
import { paymentReceived } from './events/payment-received';
import { manifest } from './manifest';
import { createBillingSchedule } from './operations/create-billing-schedule';
import { createCharge } from './operations/create-charge';
import { createSalesOrder } from './operations/create-sales-order';
import { findCustomerByKeys } from './operations/find-customer';
import { queryRecords } from './operations/query-records';
import { readInvoices } from './operations/read-invoices';
import { readPayments } from './operations/read-payments';
import { upsertContact } from './operations/upsert-contact';
import { upsertCustomer } from './operations/upsert-customer';
import { upsertProject } from './operations/upsert-project';
import { upsertTask } from './operations/upsert-task';

/** Oracle NetSuite, the ERP: customers, projects, billing schedules, sales orders, invoices, payments. */
export const system: SystemModule<NetSuiteClient> = {
  manifest,
  createClient: createNetSuiteClient,
  operations: [
    upsertCustomer,
    findCustomerByKeys,
    upsertContact,
    upsertProject,
    upsertTask,
    createBillingSchedule,
    createCharge,
    createSalesOrder,
    queryRecords,
    readInvoices,
    readPayments,
  ],
  events: [invoiceStatusChanged, paymentReceived],
};
