import type { CasePolicy } from '../../lib/rules/case-policy';

/** What the form of a firm offers to choose from, and the policy that holds without one of the firm's own. */
export interface FirmCatalogue {
  roles: readonly string[];
  codes: readonly string[];
  entities: readonly string[];
  severities: readonly string[];
  actions: readonly string[];
  /** Ids of systems; a policy may name others. */
  systems: readonly string[];
  usual: CasePolicy;
}
