import type { Environment } from '../../../lib/systems/kit/types';

/**
 * Configuration node `q2c-<system>-connection`. Besides these there is one property per non-secret field of
 * the manifest's settings and authentication schemes, and one credential per secret field, under the field's id.
 */
export interface ConnectionProperties {
  name: string;
  environment: Environment;
  /** Id of the chosen authentication scheme. */
  auth: string;
  /** Name of the org in cross-references; empty = derived by the client. */
  instance: string;
  /** Calls in flight at once, as text; empty = the vendor's limit for this environment. */
  concurrency: string;
}

/** `auth` has no default of its own: the build puts the manifest's first scheme there. */
export const defaults: ConnectionProperties = {
  name: '',
  environment: 'simulator',
  auth: '',
  instance: '',
  concurrency: '',
};
