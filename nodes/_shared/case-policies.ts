import { Policies } from '../../lib/governance';

/** Case policies of the deployed firms. One instance per process: any store may have cases of any firm. */
export const casePolicies = new Policies();
