import { type DealDocument, type ExceptionCode, ownerRole } from '../model';
import type { Difference } from './conserve';
import type { MappingRequest } from './evaluate';
import type { JobResult } from './expressions';
import type { EffectiveRule } from './layers';
import type { MappingProblem } from './outcome';
import { mappedEntities } from './records';
import type { Source } from './schema';
import type { Work } from './work';

/** Says why a deal cannot be mapped: which mapping, layer, field and source, and what to do. */
export class Problems {
  /** @param version of the mapping */
  constructor(private readonly version: string) {}

  /** A rule that gives no valid value, or asks for an entry that no table has. */
  failed(
    item: Work,
    rule: EffectiveRule,
    request: MappingRequest,
    failure: Pick<JobResult, 'error' | 'lookup'>,
  ): MappingProblem {
    if (failure.lookup !== undefined) return this.unknownValue(item, rule, request, failure.lookup);
    const field = `${item.entity}.${item.target}`;
    const reason = String(failure.error);
    return this.problem(item, request, 'MAPPING_FAILED', {
      message: `${this.named(rule)} cannot fill ${field} from ${inWords(rule.source)}: ${reason}. Correct the rule in the mapping set, or the value where it comes from.`,
      params: { mapping: this.version, field, reason },
    });
  }

  private unknownValue(
    item: Work,
    rule: EffectiveRule,
    request: MappingRequest,
    { table, key }: { table: string; key: string },
  ): MappingProblem {
    const field = `${item.entity}.${item.target}`;
    const place = `${request.system}.${table}`;
    return this.problem(item, request, 'LOOKUP_VALUE_UNKNOWN', {
      message: `"${key}" is not in the lookup table ${place} of ${this.named(rule)}, which fills ${field} from ${inWords(rule.source)}. Add an entry for it to the table.`,
      params: { value: key, table: place, field, mapping: this.version },
    });
  }

  /** A required field without a value. */
  missing(item: Work, rule: EffectiveRule, request: MappingRequest): MappingProblem {
    const field = `${item.entity}.${item.target}`;
    return this.problem(item, request, 'MANDATORY_FIELD_MISSING', {
      message: `${this.named(rule)} needs a value for ${field}, and ${inWords(rule.source)} has none. Fill it in where the record is kept, or give the rule a default.`,
      params: { field, step: 'the deal can be mapped', mapping: this.version },
    });
  }

  /** An amount or quantity that the mapping changes although it must not. */
  notConserved(deal: DealDocument, { what, before, after }: Difference): MappingProblem {
    const subject = deal.contract?.id ?? deal.quote?.id ?? deal.opportunity?.id;
    return {
      code: 'MAPPING_NOT_CONSERVING',
      message: `Mapping ${this.version} changes ${what} from ${before} to ${after}. Correct the rule that fills it, or declare in the mapping set that it need not be conserved.`,
      params: { mapping: this.version, what, before, after },
      ownerRole: ownerRole('MAPPING_NOT_CONSERVING'),
      ...(subject === undefined ? {} : { subject }),
    };
  }

  /** What counts for one legal entity cannot be chosen yet. */
  withoutLegalEntity({ contract, opportunity }: DealDocument): MappingProblem {
    const subject = contract?.id ?? opportunity?.id;
    return {
      code: 'MANDATORY_FIELD_MISSING',
      message: `Mapping ${this.version} has rules or tables of single legal entities, and the deal has no legal entity yet. Wire the node behind the readiness check (q2c-check), which chooses it.`,
      params: { field: 'Legal entity', step: 'the deal can be mapped', mapping: this.version },
      ownerRole: ownerRole('MANDATORY_FIELD_MISSING'),
      ...(subject === undefined ? {} : { subject }),
    };
  }

  private problem(
    { entity, index, target, record }: Work,
    { deal }: MappingRequest,
    code: ExceptionCode,
    rest: Pick<MappingProblem, 'message' | 'params'>,
  ): MappingProblem {
    const { part, owner } = mappedEntities[entity];
    const holder = Array.isArray(deal[part]) ? record : deal[part];
    const id = record.id ?? (holder as { id?: string } | undefined)?.id;
    return {
      code,
      ...rest,
      ownerRole: ownerRole(code, owner),
      entity: owner,
      ...(typeof id === 'string' ? { subject: id } : {}),
      target: `${entity}.${index}.${target}`,
    };
  }

  private named({ origin }: EffectiveRule): string {
    return `Mapping ${this.version} (${origin})`;
  }
}

function inWords(source: Source): string {
  switch (source.kind) {
    case 'path':
      return source.path;
    case 'constant':
      return `the constant ${JSON.stringify(source.value)}`;
    case 'jsonata':
      return `the expression ${source.expression}`;
    case 'lookup':
      return `${source.path} by the table ${source.table}`;
  }
}
