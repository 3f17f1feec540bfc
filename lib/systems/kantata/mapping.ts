import { Decimal } from 'decimal.js';
import {
  type Currency,
  type DealDocument,
  type Draft,
  type Instant,
  type Money,
  minorUnits,
  type Project,
} from '../../model';
import { jsonNumberOf, type MappingContext, MappingError } from '../kit';
import { workspaces } from './collections';

/** Longest title of a task: vendor's contract. */
export const STORY_TITLE_MAX = 200;
/** Longest title of a project and of a billing milestone: our assumption, the vendor states none. */
export const TITLE_MAX = 255;
/** A task's description must stay below 1000 characters. */
export const STORY_DESCRIPTION_MAX = 999;

/**
 * Ids are integers in Kantata's requests, and strings everywhere else.
 * @throws MappingError `VALUE_INVALID` for text that is no id of Kantata, for example a wrong look-up value.
 */
export function idNumber(id: string, field: string, document: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  const reason = `"${id}" is not an id of Kantata, which are whole numbers`;
  throw new MappingError('VALUE_INVALID', `${field} of ${document} is not valid: ${reason}.`, {
    field,
    document,
    reason,
  });
}

/** Kantata's id of the deal's project. @throws MappingError `MANDATORY_FIELD_MISSING` when it is not there yet. */
export const workspaceId = (project: Draft<Project>, context: MappingContext): number =>
  idNumber(context.refId(project, workspaces.type, 'project'), 'Kantata id', 'the project');

/**
 * An amount in the currency's minor units, as the `…_in_cents` attributes take it: EUR 1.50 → 150, JPY 150 → 150.
 * @throws MappingError `AMOUNT_INVALID` when it has a fraction of the minor unit, or is no number.
 */
export function inMinorUnits({ amount, currency }: Money, field: string, document: string): number {
  const units = numberOf(amount, field, document).mul(`1e${minorUnits(currency)}`);
  if (!units.isInteger())
    throw invalidAmount(field, document, `${amount} has more decimals than ${currency}`);
  return jsonNumberOf(units.toFixed(), 'Kantata', field);
}

/**
 * An amount in whole currency units, rounded up, as `workspace.price` takes it: the budget of a project has no
 * cents. Up, because Kantata would report a budget below the contract's value as overrun.
 * @throws MappingError `AMOUNT_INVALID` when it is no number.
 */
export function inWholeUnitsUp({ amount }: Money, field: string, document: string): number {
  return jsonNumberOf(numberOf(amount, field, document).ceil().toFixed(), 'Kantata', field);
}

function numberOf(amount: string, field: string, document: string): Decimal {
  if (/^-?\d{1,15}(\.\d{1,10})?$/.test(amount)) return new Decimal(amount);
  throw invalidAmount(field, document, `"${amount}" is not a number with at most 15 digits`);
}

function invalidAmount(field: string, document: string, reason: string): MappingError {
  const message = `${field} of ${document} is not a valid amount: ${reason}.`;
  return new MappingError('AMOUNT_INVALID', message, { field, document, reason });
}

/** Amount of an `…_in_cents` attribute. */
export function fromMinorUnits(units: number, currency: Currency): Money {
  const decimals = minorUnits(currency);
  return { amount: new Decimal(units).div(`1e${decimals}`).toFixed(decimals), currency };
}

/** Minutes of a decimal number of hours, to the nearest minute. */
export const minutesOf = (hours: string): number => new Decimal(hours).mul(60).round().toNumber();

/** Hours with ten decimals: 50 minutes at 1,000.00 are 833.33, where 0.8333 h would give 833.30. */
export const hoursOf = (minutes: number): string =>
  new Decimal(minutes).div(60).toDecimalPlaces(10).toFixed();

/** A timestamp of Kantata, which carries the account's zone, as UTC. */
export const instantOf = (timestamp: string): Instant => new Date(timestamp).toISOString();

/**
 * Template of the project's service line in the firm's table `projectTemplate`; undefined = a project without
 * template. Project and tasks both ask here, so that they agree on who makes the tasks.
 */
export function templateId(
  { project, opportunity }: DealDocument,
  context: MappingContext,
): number | undefined {
  const serviceLine = project?.serviceLine ?? opportunity?.serviceLine;
  const id = serviceLine && context.lookupOptional('projectTemplate', serviceLine);
  return id ? idNumber(id, `projectTemplate of ${serviceLine}`, 'the firm') : undefined;
}

/** The contract's value, else the project's own revenue budget; a project without either has no budget. */
export function budgetOf({ contract, project }: DealDocument): Money | undefined {
  const value = contract?.totalValue ?? project?.budget?.revenue;
  return value && Number(value.amount) !== 0 ? value : undefined;
}
