import type { Person } from '../governance';
import { type Caller, rolesOf } from './route';

/** Who acts, as cases know people. */
export const personOf = (caller: Caller): Person => ({
  name: caller.name,
  roles: rolesOf(caller),
  mayApprove: caller.may('q2c.approve'),
});
