import {
  add,
  type BillingScheduleLine,
  type CanonicalId,
  type CommercialModel,
  type ContractLine,
  type Currency,
  type DealDocument,
  type Draft,
  type EntityName,
  type ExternalRef,
  type Money,
} from '../../model';
import { jsonNumberOf, type MappingContext, MappingError, type OperationResult, required } from '../kit';
import type { RecordType } from './record-service';

/** How NetSuite refers to another record or to an entry of a list. */
export interface Reference {
  [key: string]: string;
  id: string;
}

export const reference = (id: string): Reference => ({ id });

/** Our key in NetSuite's External ID field, which all integrations of the account share: hence the prefix. */
export function externalIdOf(context: MappingContext, id: CanonicalId): string {
  return `${context.settings.externalIdPrefix ?? ''}${id}`;
}

/**
 * An amount as NetSuite takes it, a JSON number.
 *
 * @throws MappingError `CURRENCY_MISMATCH` when it is not in the currency of the document, and `TARGET_REJECTED` when
 * a number cannot hold it exactly.
 */
export function amountOf(money: Money, currency: Currency, field: string): number {
  if (money.currency === currency) return jsonNumberOf(money.amount, 'NetSuite', field);
  const params = { document: field, a: money.currency, other: 'the contract', b: currency };
  throw new MappingError(
    'CURRENCY_MISMATCH',
    `${field} is in ${money.currency}, but the contract is in ${currency}.`,
    params,
  );
}

/** The cross-reference of a record that was written or read. */
export function refTo(
  context: MappingContext,
  about: {
    id: CanonicalId;
    entity: EntityName;
    type: RecordType;
    recordId: string;
    role?: ExternalRef['role'];
  },
): OperationResult['refs'][number] {
  const { id, entity, type, recordId, role = 'copy' } = about;
  return {
    id,
    entity,
    ref: { system: context.system, instance: context.instance, type, id: recordId, role },
  };
}

/** Internal id of an entity's record of a type in this account; undefined when it has none. */
export function recordIdOf(
  entity: { externalRefs?: ExternalRef[] } | undefined,
  type: RecordType,
  { system, instance }: MappingContext,
): string | undefined {
  const isIt = (ref: ExternalRef) => ref.system === system && ref.instance === instance && ref.type === type;
  return entity?.externalRefs?.find(isIt)?.id;
}

/** Models whose amount is agreed beforehand; the others are billed by what was consumed. */
const FIXED_MODELS: readonly CommercialModel[] = ['fixed_fee', 'milestone', 'retainer'];

export const isFixed = (line: Draft<ContractLine>): boolean =>
  line.commercialModel !== undefined && FIXED_MODELS.includes(line.commercialModel);

/** Lines that are agreed and not given up. */
export const liveLines = ({ contractLines = [] }: DealDocument): Draft<ContractLine>[] =>
  contractLines.filter(({ status }) => status !== 'superseded' && status !== 'cancelled');

/** The planned amounts of a contract line, in order, without those that a change has replaced or cancelled. */
export function scheduleOf(
  line: Draft<ContractLine>,
  { billingSchedule = [] }: DealDocument,
): Draft<BillingScheduleLine>[] {
  return billingSchedule
    .filter(
      ({ contractLineId, status }) =>
        contractLineId === line.id && status !== 'superseded' && status !== 'cancelled',
    )
    .toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
}

/** The agreed amount of a contract line: its own, else what its schedule adds up to; undefined when it has neither. */
export function fixedAmount(line: Draft<ContractLine>, deal: DealDocument): Money | undefined {
  if (!isFixed(line)) return undefined;
  if (line.amount) return line.amount;
  const planned = scheduleOf(line, deal).flatMap(({ amount }) => amount ?? []);
  const [first] = planned;
  return first && { amount: add(...planned.map(({ amount }) => amount)), currency: first.currency };
}

/** Service line of a contract line, else of the project, else of the whole deal. */
export function serviceLineOf(
  line: Draft<ContractLine>,
  { project, opportunity }: DealDocument,
  step: string,
): string {
  const own = line.dimensions?.serviceLine ?? project?.serviceLine ?? opportunity?.serviceLine;
  return required(own, `Service line of "${line.description ?? `line ${line.lineNo}`}"`, step);
}

/** Legal entity that sells: the contract's, else the customer's. */
export function sellingEntity({ contract, project, customer }: DealDocument, step: string): CanonicalId {
  return required(
    contract?.legalEntityId ?? project?.legalEntityId ?? customer?.legalEntityId,
    'Legal entity',
    step,
  );
}
