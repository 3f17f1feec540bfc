import { type BusinessEventType, type CanonicalId, Q2cError } from '../model';

/**
 * Topics: `q2c/<tenant>/<entity>/<fact>/<subject>`, such as `q2c/main/project/provisioned/prj_01J…`. The version of the
 * event is in its `type` only, so that a filter outlives a new major version.
 */

const ROOT = 'q2c';
const VERSION = /\.v\d+$/;

/** `q2c.project.provisioned.v1` → `project/provisioned`. */
export const topicLevels = (type: BusinessEventType): string =>
  type.slice(`${ROOT}.`.length).replace(VERSION, '').replaceAll('.', '/');

/** Topic that an event is published to. */
export const topicOf = (tenant: string, type: BusinessEventType, subject: CanonicalId): string =>
  `${ROOT}/${tenant}/${topicLevels(type)}/${subject}`;

/** Topic filter for the events of one type, or of every type. */
export const topicFilter = (tenant: string, type?: BusinessEventType): string =>
  type === undefined ? `${ROOT}/${tenant}/#` : `${ROOT}/${tenant}/${topicLevels(type)}/+`;

/**
 * Filter under which all members of a group share the messages, each going to one of them (MQTT 5, §4.8.2).
 * @throws Q2cError `CONNECTION_INVALID` when the group's name holds characters that MQTT does not allow there.
 */
export function sharedFilter(group: string, filter: string): string {
  if (group === '' || /[/+#]/.test(group)) {
    throw new Q2cError(
      'CONNECTION_INVALID',
      `"${group}" cannot be the name of a group: it must not be empty or hold any of / + #. Change it in the form.`,
    );
  }
  return `$share/${group}/${filter}`;
}
