import type { Severity } from '../../lib/model';

/** What can happen to a case, as the form offers it: the facts of the business events about cases. */
export const happenings = ['opened', 'assigned', 'sla_breached', 'resolved'] as const;
export type Happening = (typeof happenings)[number];

/** The model's severities, mildest first. */
export const severities = ['warning', 'error', 'critical'] as const satisfies readonly Severity[];

/** Node `q2c-case-events`: starts one durable run for each thing that happens to a case. */
export interface CaseEventsProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** The only thing to tell of; empty = all of them. */
  happening: Happening | '';
  /** Only cases of this role; empty = of every role. */
  ownerRole: string;
  /** Only cases that are at least so severe. */
  severity: Severity;
}

export const defaults: CaseEventsProperties = {
  name: '',
  store: '',
  happening: '',
  ownerRole: '',
  severity: 'warning',
};
