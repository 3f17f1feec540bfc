import type { DealDocument, JsonObject } from '../model';
import type { Job } from './expressions';
import type { EffectiveRule } from './layers';
import { type MappedEntityName, recordsOf } from './records';

/** One field of one record, and the rules that may fill it. */
export interface Work {
  entity: MappedEntityName;
  index: number;
  target: string;
  record: JsonObject;
  candidates: EffectiveRule[];
}

/** All fields of a deal that rules may fill. */
export function workOn(deal: DealDocument, rules: ReadonlyMap<string, EffectiveRule[]>): Work[] {
  return [...rules.values()].flatMap((candidates) => {
    const [first] = candidates;
    if (first === undefined) return [];
    const { entity, target } = first;
    return recordsOf(deal, entity).map((record, index) => ({ entity, index, target, record, candidates }));
  });
}

/** The expressions of a rule: its condition and its source. */
export const expressionsOf = ({ when, source }: Pick<EffectiveRule, 'when' | 'source'>): string[] => [
  ...(when === undefined ? [] : [when]),
  ...(source.kind === 'jsonata' ? [source.expression] : []),
];

/** Under which the answer to an expression on a record is kept. */
export const answerKey = ({ entity, index }: Pick<Job, 'entity' | 'index'>, expression: string): string =>
  `${entity}|${index}|${expression}`;
