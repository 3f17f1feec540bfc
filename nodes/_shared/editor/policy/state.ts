import type { CasePolicy } from '../../../../lib/rules/case-policy';
import type { FirmCatalogue } from '../../../q2c-firm/replies';
import { isVariable } from '../variable';
import { type PolicyProblem, policyProblems } from './problems';

/** The case policy of the open form: the firm's own, or the usual one to look at. */
export class PolicyState {
  private readonly listeners: (() => void)[] = [];
  private readonly checks: ((problems: readonly PolicyProblem[]) => void)[] = [];
  /** The whole set-up; null while its text is no object. */
  private firm: Record<string, unknown> | null = null;
  private own: CasePolicy | null = null;
  /** The set-up comes from the environment of the host. */
  private isVariable = false;

  constructor(
    readonly catalogue: FirmCatalogue,
    /** Text of the node set's catalogue. */
    readonly text: (key: string, values?: Record<string, string | number>) => string,
    /** Writes the set-up into the form's field. */
    private readonly save: (json: string) => void,
  ) {}

  /** Takes over the set-up as it stands in the field. */
  read(json: string): void {
    this.isVariable = isVariable(json);
    this.firm = objectIn(json);
    this.own = this.firm === null ? null : readPolicy(this.firm.casePolicy);
    this.redraw();
  }

  /** The firm has a policy of its own, which can be changed. */
  get isOwn(): boolean {
    return this.own !== null;
  }

  /** What keeps a table from being shown: the set-up is no JSON, or its policy has another shape. */
  get trouble(): 'json' | 'variable' | 'shape' | null {
    if (this.firm === null) return this.isVariable ? 'variable' : 'json';
    return this.own === null && this.firm.casePolicy !== undefined ? 'shape' : null;
  }

  get policy(): CasePolicy {
    return this.own ?? this.catalogue.usual;
  }

  /** Keys of the legal entities of the set-up. */
  get legalEntities(): string[] {
    const entities = this.firm?.legalEntities;
    if (!Array.isArray(entities)) return [];
    return entities.flatMap((each: { key?: unknown } | null) =>
      typeof each?.key === 'string' ? [each.key] : [],
    );
  }

  /** Begins a policy of the firm's own with another one, such as the usual; null goes back to that. */
  replace(policy: CasePolicy | null): void {
    this.own = policy;
    this.changed();
  }

  /** To be called after every change. @param redraw false = whoever made it has shown it already */
  changed(redraw = true): void {
    if (this.firm === null) return;
    const { casePolicy: _, ...others } = this.firm;
    this.firm = this.own === null ? others : { ...this.firm, casePolicy: this.own };
    this.save(JSON.stringify(this.firm, null, 2));
    if (redraw) this.redraw();
    else this.check();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Told what is wrong after every change, once all is drawn. */
  onCheck(listener: (problems: readonly PolicyProblem[]) => void): void {
    this.checks.push(listener);
  }

  /** Other fields are on screen than before. */
  recheck(): void {
    this.check();
  }

  private redraw(): void {
    for (const listener of this.listeners) listener();
    this.check();
  }

  private check(): void {
    const problems = this.own === null ? [] : policyProblems(this.own, this.catalogue);
    for (const listener of this.checks) listener(problems);
  }
}

function objectIn(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : null;
  } catch {
    // The form says beside the text what is wrong with it.
    return null;
  }
}

/** A policy that a table can show; null when it is none, or has another shape. The host checks the whole of it. */
export function readPolicy(value: unknown): CasePolicy | null {
  if (!isRecord(value)) return null;
  const { version, calendars, rules, otherwise, secondPerson } = value as Partial<CasePolicy>;
  const isPolicy =
    typeof version === 'string' &&
    isRecord(calendars) &&
    Object.values(calendars).every(
      (calendar) => isRecord(calendar) && typeof calendar.timeZone === 'string' && isRecord(calendar.hours),
    ) &&
    Array.isArray(rules) &&
    rules.every((rule) => isRecord(rule) && isRecord(rule.when)) &&
    isRecord(otherwise) &&
    isRecord(otherwise.slaHours) &&
    isRecord(otherwise.onBreach) &&
    isRecord(secondPerson) &&
    Array.isArray(secondPerson.financialEntities) &&
    Array.isArray(secondPerson.financialCodes) &&
    isRecord(secondPerson.thresholds);
  if (!isPolicy) return null;
  const policy = structuredClone(value as Partial<CasePolicy>) as CasePolicy;
  for (const calendar of Object.values(policy.calendars)) {
    calendar.holidays ??= [];
    calendar.fiscalCloses ??= [];
  }
  policy.secondPerson.always ??= [];
  return policy;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
