import type { DispatchedRun, IntakeBatch } from '../../lib/engine';
import type { BusinessEvent, JsonObject, Severity } from '../../lib/model';
import { envelopeOf, type Q2cMessage } from '../_shared/message';
import { intakeOf } from '../q2c-subscribe/message';
import { type CaseEventsProperties, severities } from './types';

/** Event types of everything that the node may tell of. */
export const ALL_EVENTS = 'q2c.exception.%';

export const eventTypeOf = (happening: CaseEventsProperties['happening']): string =>
  happening === '' ? ALL_EVENTS : `q2c.exception.${happening}.v1`;

/** What the events of cases carry beside the case. */
interface CaseEventData extends JsonObject {
  exceptionCase: JsonObject;
  deal: string;
  happened: string;
  by: string;
  /** Node that dispatches the run of the case. */
  sourceNode: string;
}

/**
 * Whether the node tells of it. A case of its own runs is left out: a notification that fails would tell of itself.
 */
export function isWanted(
  event: BusinessEvent,
  { ownerRole, severity }: Pick<CaseEventsProperties, 'ownerRole' | 'severity'>,
  nodeId: string,
): boolean {
  const { exceptionCase, sourceNode } = event.data as CaseEventData;
  const rank = severities.indexOf(exceptionCase.severity as Severity);
  return (
    sourceNode !== nodeId &&
    (ownerRole === '' || exceptionCase.ownerRole === ownerRole) &&
    (rank < 0 || rank >= severities.indexOf(severity))
  );
}

export function caseIntakeOf(event: BusinessEvent, nodeId: string): IntakeBatch {
  const batch = intakeOf(event, nodeId);
  const { deal } = event.data as CaseEventData;
  return { ...batch, events: batch.events.map((each) => ({ ...each, title: deal })) };
}

/** The case, ready for a template: `payload.message`, `payload.ownerRole`, `payload.happened`. */
export function messageOf(run: DispatchedRun): Q2cMessage {
  const { data, ...event } = run.event;
  const { exceptionCase, deal, happened, by } = data as CaseEventData;
  return {
    topic: happened,
    payload: { ...exceptionCase, deal, happened, by },
    event: { ...event, data },
    q2c: envelopeOf(run),
  } as Q2cMessage;
}
