import type { Item, Operation, SystemClient } from './types';

type Reading = { duplicateSafety: 'read-only' };
type Writing<O extends { probe?: unknown }> = {
  duplicateSafety: 'external-id' | 'idempotency-key' | 'probe-first';
} & Required<Pick<O, 'probe'>>;

/** An operation as it is written: everything that is not read-only must be able to probe. */
export type OperationDefinition<C extends SystemClient, I extends Item, Wire, Reply> = Omit<
  Operation<C, I, Wire, Reply>,
  'duplicateSafety' | 'probe'
> &
  (Reading | Writing<Operation<C, I, Wire, Reply>>);

/** Types an operation from its own functions: the item from `select`, the wire from `toSystem`, the reply from `call`. */
export function defineOperation<C extends SystemClient, I extends Item, Wire, Reply>(
  operation: OperationDefinition<C, I, Wire, Reply>,
): Operation<C, I, Wire, Reply> {
  return operation;
}
