import type { Governance } from './governance';

export { bulkCaseAction } from './bulk';
export { Governance, type GovernanceOptions, governanceOf } from './governance';
export { Policies, policyVersion } from './policies';
export * from './types';

/** What pages and programs may do with cases: see `Governance`. */
export type CaseGovernance = Omit<Governance, 'start' | 'stop' | 'sweep'>;
