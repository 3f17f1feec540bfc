import { businessEventTypes } from '../../../lib/model';
import type { Choice } from './picker';

/** `q2c.project.provisioned.v1` → `project.provisioned`. */
export const shortEventName = (type: string): string => type.replace(/^q2c\.|\.v\d+$/g, '');

/** Every business event, for a picker. */
export const eventChoices = (): Choice[] =>
  businessEventTypes.map((value) => ({ value, label: shortEventName(value) }));
