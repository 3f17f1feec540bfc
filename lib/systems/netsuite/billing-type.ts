import type { CommercialModel, DealDocument } from '../../model';
import { isFixed, liveLines } from './mapping';

/** Key in the firm's table `jobBillingType`. */
export type BillingType = 'time_and_materials' | 'fixed_bid_milestone' | 'charge_based';

/**
 * A project has one billing type. Agreed amounts alone are a fixed bid; hours and costs alone are time and
 * materials; usage, and any mixture of the two, can only be billed by charges.
 */
export function billingTypeOf(deal: DealDocument): BillingType {
  const lines = liveLines(deal);
  const consumed = lines.filter((line) => !isFixed(line)).map(({ commercialModel }) => commercialModel);
  if (consumed.length === 0 && lines.length > 0) return 'fixed_bid_milestone';
  const byHours: (CommercialModel | undefined)[] = ['time_and_materials', 'cost_plus'];
  const hoursOnly = consumed.length === lines.length && consumed.every((model) => byHours.includes(model));
  return hoursOnly ? 'time_and_materials' : 'charge_based';
}
