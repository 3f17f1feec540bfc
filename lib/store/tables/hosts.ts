import type { Instant } from '../../model';
import type { Sealed } from './sealed';

/** What the hosts on one store agree on. */

/** Something that only one host at a time may do, such as polling for one source node. */
export interface LeaseTable {
  name: string;
  owner: string;
  until: Instant;
}

/** An access token that the hosts of a connection share, and the host that is getting a new one. */
export interface TokenTable {
  name: string;
  /** Null until the first login is through. */
  value: Sealed | null;
  login_owner: string | null;
  login_until: Instant | null;
  /** When a login was begun last. */
  updated_at: Instant;
}

/**
 * How far the calls of a connection are booked, over all hosts, in epoch microseconds: the theoretical arrival time of
 * the generic cell rate algorithm.
 */
export interface RateBudgetTable {
  name: string;
  next_at: number;
}

/** Keys whose values may be in the store. The one that came into use last seals. */
export interface EncryptionKeyTable {
  id: string;
  in_use_since: Instant;
}

/** Work that one host at a time does every now and then. */
export interface MaintenanceTable {
  task: string;
  /** When a host last took it on. */
  claimed_at: Instant;
}
