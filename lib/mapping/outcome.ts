import type { EntityName, ExceptionCode, JsonValue } from '../model';
import type { MappedEntityName } from './records';

/** What mapping a deal comes to, value by value. */

/** Something for which the deal cannot be mapped. */
export interface MappingProblem {
  code: ExceptionCode;
  /** Names mapping, version, field and source, and says what to do. */
  message: string;
  params: Record<string, string>;
  ownerRole: string;
  /** Kind of record that it is about; absent when it is the whole deal. */
  entity?: EntityName;
  /** Canonical id of the record, or of the record that holds it; absent when the problem is the whole deal's. */
  subject?: string;
  /** The rule, as in `MappedValue`. */
  target?: string;
}

/** What a rule has come to on one record. */
export interface MappedValue {
  entity: MappedEntityName;
  /** Position of the record among those of its kind. */
  index: number;
  target: string;
  before: JsonValue | undefined;
  after: JsonValue | undefined;
  /** Name of the layer whose rule counted; null = no rule's condition was true, and the field is as it was. */
  origin: string | null;
  /** The source had no value and the rule's default was taken. */
  byDefault: boolean;
}
