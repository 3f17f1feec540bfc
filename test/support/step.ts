import type { Step } from '../../lib/engine';
import type { CanonicalId } from '../../lib/model';

/** What writing a customer to the ERP is for the engine; what it writes and calls is for the test to say. */
export const customerUpsert = (canonicalId: CanonicalId) =>
  ({
    system: 'erp',
    instance: 'main',
    operation: 'customer.upsert',
    updates: true,
    readOnly: false,
    probeFirst: false,
    canonicalId,
    recordType: 'customer',
    businessVersion: '1',
    visibleAfterMs: 0,
  }) satisfies Partial<Step>;
