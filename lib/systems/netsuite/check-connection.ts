import { type CheckStep, runChecks, SystemError } from '../kit';
import type { NetSuiteClient } from './client';
import type { RecordType } from './record-service';

/** What the operations touch, and where the permission for it is found in the role. */
const RECORDS: { type: RecordType; label: string; permission: string }[] = [
  { type: 'customer', label: 'Customers', permission: 'Lists > Customers' },
  { type: 'contact', label: 'Contacts', permission: 'Lists > Contacts' },
  { type: 'job', label: 'Projects', permission: 'Lists > Projects (feature: Projects)' },
  {
    type: 'projectTask',
    label: 'Project tasks',
    permission: 'Lists > Project Tasks (feature: Project Management)',
  },
  {
    type: 'billingSchedule',
    label: 'Billing schedules',
    permission: 'Lists > Billing Schedules (feature: Advanced Billing)',
  },
  { type: 'charge', label: 'Charges', permission: 'Transactions > Charge (feature: Charge-Based Billing)' },
  { type: 'salesOrder', label: 'Sales orders', permission: 'Transactions > Sales Order' },
  { type: 'invoice', label: 'Invoices', permission: 'Transactions > Invoice' },
  { type: 'customerPayment', label: 'Payments', permission: 'Transactions > Customer Payment' },
];

/** Login, SuiteQL and each record type, in the order in which an administrator would put them right. */
export function checkConnection(client: NetSuiteClient) {
  return runChecks([
    loginStep(client),
    subsidiaryStep(client),
    ...RECORDS.map((each) => recordStep(client, each)),
  ]);
}

/** A refused permission still proves that the login works. */
function loginStep(client: NetSuiteClient): CheckStep {
  return {
    id: 'login',
    label: 'Host and login',
    blocking: true,
    run: async () => {
      try {
        await client.records.probePermission('customer');
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (error.kind === 'rejected' || (error.vendorCode !== null && error.kind === 'not_found'))
          return undefined;
        return `${error.reason}. Check the account ID, the integration record and the role of the token or certificate.`;
      }
    },
  };
}

function subsidiaryStep(client: NetSuiteClient): CheckStep {
  return {
    id: 'subsidiaries',
    label: 'SuiteQL and subsidiaries',
    run: async () => {
      const rows = await explained(
        () => client.query('SELECT id, name FROM subsidiary ORDER BY id'),
        'Give the role SuiteAnalytics Workbook (Reports), and Subsidiaries (Lists)',
      );
      return rows.length > 0 ? undefined : 'The role sees no subsidiary: add the selling ones to the role.';
    },
  };
}

function recordStep(
  client: NetSuiteClient,
  { type, label, permission }: (typeof RECORDS)[number],
): CheckStep {
  return {
    id: `record-${type}`,
    label,
    run: async () => {
      await explained(
        () => client.records.probePermission(type),
        `Give the role the permission ${permission}`,
      );
      return undefined;
    },
  };
}

/** The vendor's words alone, such as "record was not found", do not tell that a permission is missing. */
async function explained<T>(call: () => Promise<T>, advice: string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof SystemError) || error.kind === 'transient') throw error;
    throw new SystemError({
      system: error.system,
      kind: error.kind,
      reason: `${error.reason} ${advice}.`,
      cause: error,
    });
  }
}
