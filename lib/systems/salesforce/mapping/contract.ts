import {
  addDays,
  addMonths,
  type CanonicalId,
  type Contract,
  type Draft,
  isLocalDate,
  type Period,
} from '../../../model';
import { textOf } from '../../kit';
import type { Home } from '../client';
import type { ContractRow } from '../records';
import { masterRef, moneyOf, originOf, partOf } from './values';

/** Default picklist values of Contract.Status. A status of the firm's own has no canonical counterpart. */
const STATUSES: Record<string, Contract['status']> = {
  Draft: 'draft',
  'In Approval Process': 'in_approval',
  Activated: 'active',
};

export interface ContractLinks {
  customerId?: CanonicalId;
  quoteId?: CanonicalId;
}

export function contractOf(
  row: ContractRow,
  id: CanonicalId,
  links: ContractLinks,
  home: Home,
): Draft<Contract> {
  return {
    id,
    externalRefs: [masterRef(home, 'Contract', row)],
    ...partOf<Partial<Contract>>({
      ...originOf(row),
      ...links,
      number: textOf(row.ContractNumber),
      effective: effectiveOf(row),
      currency: textOf(row.CurrencyIsoCode),
      totalValue: moneyOf(row.Q2C_Total_Value__c, row.CurrencyIsoCode),
      paymentTerms: textOf(row.Q2C_Payment_Terms__c),
      poNumber: textOf(row.Q2C_PO_Number__c),
      status: STATUSES[row.Status ?? ''],
    }),
  };
}

/** From the start date for the term in months, both days inclusive: 1 March for 12 months ends on 28 February. */
function effectiveOf({ StartDate, ContractTerm }: ContractRow): Period | undefined {
  if (!isLocalDate(StartDate)) return undefined;
  const term = ContractTerm ?? 0;
  if (!Number.isInteger(term) || term < 1) return partOf<Period>({ from: StartDate });
  return { from: StartDate, to: addDays(addMonths(StartDate, term), -1) };
}
