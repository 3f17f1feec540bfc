import {
  type DealDocument,
  type ExceptionCode,
  type JsonObject,
  type JsonValue,
  ownerRole,
  Q2cError,
} from '../model';
import { differences } from './conserve';
import { Expressions, type Job, type JobResult, type Tables } from './expressions';
import { schemaAt } from './fields';
import {
  dependsOnLegalEntity,
  type EffectiveRule,
  effectiveConserved,
  effectiveRules,
  effectiveTables,
  layersFor,
  type Scope,
  scopeOf,
} from './layers';
import type { MappedValue, MappingProblem } from './outcome';
import { valueAt, withValueAt } from './paths';
import { type MappedEntityName, mappedEntities, recordsOf, withRecords } from './records';
import type { Conserved, Direction, MappingSet, Source } from './schema';
import { versionOf } from './version';

/** A mapping set, compiled once per version, at work on deal documents. Pure: equal deals give equal results. */

export interface Mapped {
  /** The mapped deal; as it was when there are problems. */
  deal: DealDocument;
  problems: MappingProblem[];
  values: MappedValue[];
}

export interface MappingRequest {
  deal: DealDocument;
  system: string;
  direction: Direction;
  /** Short key of a legal entity in the firm's set-up. */
  legalEntityKey?: (id: string) => string | undefined;
  /** The firm's own lookup tables of the system: the layer below those of the mapping set. */
  firmTables?: Tables;
}

/** The rules of one target, and where the answers to their expressions are. */
interface Work {
  entity: MappedEntityName;
  index: number;
  target: string;
  record: JsonObject;
  candidates: EffectiveRule[];
}

/** What counts for the deals of one scope. */
interface Plan extends Record<Direction, Map<string, EffectiveRule[]>> {
  tables: Tables;
  conserved: readonly Conserved[];
}

/** An entry of a lookup table. */
type Look = (table: string, key: string) => string | undefined;

export class Mapping {
  readonly version: string;
  readonly label: string;
  private readonly expressions: Expressions;
  private readonly plans = new Map<string, Plan>();

  /** @throws Q2cError `MAPPING_INVALID` naming each rule whose expression is not JSONata. */
  constructor(private readonly set: MappingSet) {
    this.version = versionOf(set);
    this.label = set.label;
    const rules = set.layers.flatMap((layer) => layer.rules);
    this.expressions = new Expressions(rules.flatMap(expressionsOf));
    const wrong = rules.flatMap((rule) =>
      expressionsOf(rule).flatMap((text) => {
        const problem = this.expressions.problems.get(text);
        return problem === undefined ? [] : `${rule.entity}.${rule.target}: ${problem} in ${text}`;
      }),
    );
    if (wrong.length > 0)
      throw new Q2cError('MAPPING_INVALID', `The mapping set is not valid. ${wrong.join('; ')}.`);
  }

  /** An entry of a lookup table for a deal; undefined when the set has none. */
  lookUp(
    deal: DealDocument,
    system: string,
    table: string,
    key: string,
    legalEntityKey: (id: string) => string | undefined = noKey,
  ): string | undefined {
    const scope = scopeOf(deal, legalEntityKey);
    return entryOf([this.planFor(scope, system).tables], aliasesOf(scope), table, key);
  }

  /** Maps a deal. All problems are found at once; with any of them nothing is mapped. */
  async map(request: MappingRequest): Promise<Mapped> {
    const { deal, system, direction, legalEntityKey = noKey, firmTables = {} } = request;
    const scope = scopeOf(deal, legalEntityKey);
    if (scope.legalEntities.length === 0 && dependsOnLegalEntity(this.set, system)) {
      return { deal, problems: [this.withoutLegalEntity(deal)], values: [] };
    }
    const plan = this.planFor(scope, system);
    const tables = [plan.tables, firmTables];
    const work = workOn(deal, plan[direction]);
    const answers = await this.evaluate(deal, tables, aliasesOf(scope), work);
    const look: Look = (table, key) => entryOf(tables, aliasesOf(scope), table, key);
    const values: MappedValue[] = [];
    const problems: MappingProblem[] = [];
    for (const item of work) {
      const outcome = this.valueOf(item, request, look, answers);
      if ('code' in outcome) problems.push(outcome);
      else values.push(outcome);
    }
    if (problems.length > 0) return { deal, problems, values };
    const mapped = apply(deal, values);
    const changed = differences(deal, mapped, plan.conserved);
    return changed.length === 0
      ? { deal: mapped, problems, values }
      : { deal, problems: changed.map((difference) => this.notConserved(deal, difference)), values };
  }

  /** What counts for a scope, worked out once for all deals of the same layers. */
  private planFor(scope: Scope, system: string): Plan {
    const layers = layersFor(this.set, scope);
    const key = JSON.stringify([system, ...layers.map(({ name }) => name)]);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    const plan: Plan = {
      read: effectiveRules(layers, system, 'read'),
      write: effectiveRules(layers, system, 'write'),
      tables: plainTables(effectiveTables(layers, system)),
      conserved: effectiveConserved(layers),
    };
    this.plans.set(key, plan);
    return plan;
  }

  private async evaluate(
    deal: DealDocument,
    tables: readonly Tables[],
    aliases: Record<string, string>,
    work: readonly Work[],
  ): Promise<Map<string, JobResult>> {
    const jobs = work.flatMap(({ entity, index, candidates }) =>
      candidates.flatMap((rule) =>
        expressionsOf(rule).map((expression): Job => ({ expression, entity, index })),
      ),
    );
    if (jobs.length === 0) return new Map();
    const records = Object.fromEntries(
      [...new Set(jobs.flatMap(({ entity }) => entity ?? []))].map((entity) => [
        entity,
        recordsOf(deal, entity),
      ]),
    );
    // Tables may have thousands of entries: they go along only where an expression asks for one.
    const asked = jobs.some(({ expression }) => expression.includes('$table'));
    const scenery = { deal, records, tables: asked ? tables : [], aliases };
    const results = await this.expressions.run(scenery, jobs);
    return new Map(jobs.map((job, at) => [answerKey(job, job.expression), results[at] ?? {}]));
  }

  private valueOf(
    item: Work,
    request: MappingRequest,
    look: Look,
    answers: ReadonlyMap<string, JobResult>,
  ): MappedValue | MappingProblem {
    const { entity, index, target, record } = item;
    const before = valueAt(record, target);
    const mapped = (
      after: JsonValue | undefined,
      origin: string | null,
      byDefault: boolean,
    ): MappedValue => ({
      entity,
      index,
      target,
      before,
      after,
      origin,
      byDefault,
    });
    for (const rule of item.candidates) {
      if (rule.when !== undefined) {
        const condition = answers.get(answerKey(item, rule.when)) ?? {};
        if (isFailure(condition)) return this.failed(item, rule, request, condition);
        if (condition.value !== true) continue;
      }
      const found = fromSource(rule.source, item, request.deal, look, answers);
      if (isFailure(found)) return this.failed(item, rule, request, found);
      const value = isNothing(found.value) ? rule.default : found.value;
      if (value === undefined) {
        if (rule.required) return this.missing(item, rule, request);
        return mapped(before, rule.origin, false);
      }
      const problem = problemWith(entity, target, value);
      if (problem !== null) return this.failed(item, rule, request, { error: problem });
      return mapped(value, rule.origin, isNothing(found.value));
    }
    return mapped(before, null, false);
  }

  // ---------------------------------------------------------------- problems

  private failed(
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

  private missing(item: Work, rule: EffectiveRule, request: MappingRequest): MappingProblem {
    const field = `${item.entity}.${item.target}`;
    return this.problem(item, request, 'MANDATORY_FIELD_MISSING', {
      message: `${this.named(rule)} needs a value for ${field}, and ${inWords(rule.source)} has none. Fill it in where the record is kept, or give the rule a default.`,
      params: { field, step: 'the deal can be mapped', mapping: this.version },
    });
  }

  private notConserved(
    deal: DealDocument,
    { what, before, after }: { what: string; before: string; after: string },
  ): MappingProblem {
    const subject = deal.contract?.id ?? deal.quote?.id ?? deal.opportunity?.id;
    return {
      code: 'MAPPING_NOT_CONSERVING',
      message: `Mapping ${this.version} changes ${what} from ${before} to ${after}. Correct the rule that fills it, or declare in the mapping set that it need not be conserved.`,
      params: { mapping: this.version, what, before, after },
      ownerRole: ownerRole('MAPPING_NOT_CONSERVING'),
      ...(subject === undefined ? {} : { subject }),
    };
  }

  private withoutLegalEntity({ contract, opportunity }: DealDocument): MappingProblem {
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
      ...(typeof id === 'string' ? { subject: id } : {}),
      target: `${entity}.${index}.${target}`,
    };
  }

  private named({ origin }: EffectiveRule): string {
    return `Mapping ${this.version} (${origin})`;
  }
}

const noKey = () => undefined;

const expressionsOf = ({ when, source }: Pick<EffectiveRule, 'when' | 'source'>): string[] => [
  ...(when === undefined ? [] : [when]),
  ...(source.kind === 'jsonata' ? [source.expression] : []),
];

const answerKey = ({ entity, index }: Pick<Job, 'entity' | 'index'>, expression: string): string =>
  `${entity}|${index}|${expression}`;

const isNothing = (value: JsonValue | undefined): boolean =>
  value === undefined || value === null || value === '';

function isFailure(result: JobResult): result is Exclude<JobResult, { value?: JsonValue }> {
  return result.error !== undefined || result.lookup !== undefined;
}

function workOn(deal: DealDocument, rules: ReadonlyMap<string, EffectiveRule[]>): Work[] {
  return [...rules.values()].flatMap((candidates) => {
    const [first] = candidates;
    if (first === undefined) return [];
    const { entity, target } = first;
    return recordsOf(deal, entity).map((record, index) => ({ entity, index, target, record, candidates }));
  });
}

function fromSource(
  source: Source,
  item: Work,
  deal: DealDocument,
  look: Look,
  answers: ReadonlyMap<string, JobResult>,
): JobResult {
  if (source.kind === 'constant') return { value: source.value };
  if (source.kind === 'jsonata') return answers.get(answerKey(item, source.expression)) ?? {};
  const value = source.path.startsWith('deal.')
    ? valueAt(deal, source.path.slice('deal.'.length))
    : valueAt(item.record, source.path);
  if (source.kind === 'path') return value === undefined ? {} : { value };
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'object')
    return { error: `${source.path} is not a single value, which is what a table can know` };
  const key = String(value);
  const found = look(source.table, key);
  return found === undefined ? { lookup: { table: source.table, key } } : { value: found };
}

/** Entry of the first table of the name that has the key, or the key with a legal entity's short name in it. */
function entryOf(
  tables: readonly Tables[],
  aliases: Record<string, string>,
  table: string,
  key: string,
): string | undefined {
  const names = [key, ...Object.entries(aliases).map(([id, alias]) => key.replace(id, alias))];
  for (const each of tables) {
    const entries = Object.hasOwn(each, table) ? each[table] : undefined;
    const name = names.find((candidate) => entries !== undefined && Object.hasOwn(entries, candidate));
    if (name !== undefined) return entries?.[name];
  }
  return undefined;
}

function aliasesOf({ legalEntities: [id, key] }: Scope): Record<string, string> {
  return id === undefined || key === undefined ? {} : { [id]: key };
}

/** What keeps a value from being that of a field; null = nothing. */
function problemWith(entity: MappedEntityName, target: string, value: JsonValue): string | null {
  const issue = schemaAt(entity, target)?.safeParse(value).error?.issues[0];
  if (issue === undefined) return null;
  const shown = JSON.stringify(value);
  const hint =
    typeof value === 'number' && issue.code === 'invalid_type'
      ? '; amounts and numbers are text, write $string(…)'
      : '';
  const place = issue.path.length === 0 ? '' : `${issue.path.join('.')} of `;
  return `${place}${shown.length > 60 ? `${shown.slice(0, 59)}…` : shown} is not valid there: ${issue.message}${hint}`;
}

function apply(deal: DealDocument, values: readonly MappedValue[]): DealDocument {
  let mapped = deal;
  for (const [entity, ofEntity] of Map.groupBy(values, (value) => value.entity)) {
    const records = recordsOf(mapped, entity);
    for (const { index, target, before, after } of ofEntity) {
      const record = records[index];
      if (record !== undefined && after !== undefined && after !== before)
        records[index] = withValueAt(record, target, after);
    }
    mapped = withRecords(mapped, entity, records);
  }
  return mapped;
}

function plainTables(tables: ReturnType<typeof effectiveTables>): Tables {
  return Object.fromEntries(
    [...tables].map(([name, entries]) => [
      name,
      Object.fromEntries([...entries].map(([key, { value }]) => [key, value])),
    ]),
  );
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
