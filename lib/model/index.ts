/** The canonical model: entities, identifiers, states, money, dates, events and exception codes. */
export * from './charges';
export * from './classification';
export type { Classification } from './classified';
export * from './conserving';
export * from './dates';
export * from './draft';
export * from './entities';
export * from './errors';
export * from './events';
export * from './exceptions';
export * from './extensions';
export * from './failure';
export * from './http-call';
export * from './ids';
export * from './iso';
export * from './json';
export * from './keys';
export {
  add,
  compare,
  convert,
  Exact,
  minimum,
  minorUnits,
  multiply,
  negate,
  parseDecimal,
  percentOf,
  type Rounding,
  roundMoney,
  splitAmount,
  splitDecimal,
  subtract,
} from './money';
export * from './primitives';
export * from './states';
export * from './tax-registration';
export * from './text';
export * from './trace-context';
