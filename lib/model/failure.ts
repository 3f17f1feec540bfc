/**
 * What a failed call to another system means for the next move.
 * `transient`: surely not processed, or harmless to repeat → retry. `rate_limited`: not processed → retry later.
 * `auth`: credentials refused. `rejected`: refused for its content → case. `conflict`: somebody else changed it
 * → read again, retry. `not_found`. `unknown`: may have been processed → probe before any resend.
 */
export type FailureKind =
  | 'transient'
  | 'rate_limited'
  | 'auth'
  | 'rejected'
  | 'conflict'
  | 'not_found'
  | 'unknown';
