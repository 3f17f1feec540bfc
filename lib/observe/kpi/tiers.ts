import { businessEvents, type Tier } from '../../model';

/** Tiers of what events tell of (guides §13). */
const OF_EVENTS = Object.fromEntries(Object.values(businessEvents).map(({ entity, tier }) => [entity, tier]));

/** Records that operations write and no event is about. */
const OF_OPERATIONS: Readonly<Record<string, Tier>> = {
  billingSchedule: 'T1',
  charge: 'T1',
  salesOrder: 'T1',
  contact: 'T2',
  staffingRequest: 'T2',
  task: 'T2',
};

/** Criticality tier of a record; what is not known is reference data. */
export const tierOf = (entity: string): Tier => OF_OPERATIONS[entity] ?? OF_EVENTS[entity] ?? 'T3';

/** `customer` of `customer.upsert`. */
export const entityOf = (operation: string): string =>
  operation.slice(0, Math.max(0, operation.indexOf('.')));

/** Operations that change nothing (`Verb` of lib/systems). */
export const isWrite = (operation: string): boolean => !/\.(read|find|query|list)\b/.test(operation);

const BILLING = new Set(['billingSchedule', 'charge', 'salesOrder', 'billingEvent']);

/** Whether something that can be billed by comes of an operation. */
export const isBilling = (operation: string): boolean =>
  isWrite(operation) && BILLING.has(entityOf(operation));

export const isProject = (operation: string): boolean =>
  isWrite(operation) && entityOf(operation) === 'project';
