import { type DealDocument, type JsonValue, Q2cError } from '../model';
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
import { Problems } from './problems';
import { type MappedEntityName, recordsOf, withRecords } from './records';
import type { Conserved, Direction, MappingSet } from './schema';
import { aliasesOf, entryOf, fromSource, isFailure, isNothing, type Look } from './sources';
import { versionOf } from './version';
import { answerKey, expressionsOf, type Work, workOn } from './work';

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

/** What counts for the deals of one scope. */
interface Plan extends Record<Direction, Map<string, EffectiveRule[]>> {
  tables: Tables;
  conserved: readonly Conserved[];
}

export class Mapping {
  readonly version: string;
  readonly label: string;
  private readonly expressions: Expressions;
  private readonly plans = new Map<string, Plan>();
  private readonly say: Problems;

  /** @throws Q2cError `MAPPING_INVALID` naming each rule whose expression is not JSONata. */
  constructor(private readonly set: MappingSet) {
    this.version = versionOf(set);
    this.label = set.label;
    this.say = new Problems(this.version);
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
      return { deal, problems: [this.say.withoutLegalEntity(deal)], values: [] };
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
      : { deal, problems: changed.map((difference) => this.say.notConserved(deal, difference)), values };
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
        if (isFailure(condition)) return this.say.failed(item, rule, request, condition);
        if (condition.value !== true) continue;
      }
      const found = fromSource(rule.source, item, request.deal, look, answers);
      if (isFailure(found)) return this.say.failed(item, rule, request, found);
      const value = isNothing(found.value) ? rule.default : found.value;
      if (value === undefined) {
        if (rule.required) return this.say.missing(item, rule, request);
        return mapped(before, rule.origin, false);
      }
      const problem = problemWith(entity, target, value);
      if (problem !== null) return this.say.failed(item, rule, request, { error: problem });
      return mapped(value, rule.origin, isNothing(found.value));
    }
    return mapped(before, null, false);
  }
}

const noKey = () => undefined;

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
