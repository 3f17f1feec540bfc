import type { Instant } from '../../model';
import type { Sealed } from './sealed';

/** Programs that ask through the API. */

/** An action of a program that was given a key, so that asking twice does it once. */
export interface ApiRequestTable {
  /** SHA-256 of caller and key. */
  key: string;
  /** SHA-256 of route and body. */
  fingerprint: string;
  /** Null while it is being done. */
  status: number | null;
  reply: Sealed | null;
  at: Instant;
}

/** With which another program may look things up. */
export interface ApiTokenTable {
  id: string;
  name: string;
  /** SHA-256 of the secret, which is kept nowhere. */
  hash: string;
  /** JSON array. */
  scopes: string;
  created_by: string;
  created_at: Instant;
  expires_at: Instant | null;
  /** To the hour. */
  last_used_at: Instant | null;
}
