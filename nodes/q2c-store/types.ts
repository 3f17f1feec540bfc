import type { Tls } from '../../lib/store/postgres/settings';

/**
 * Configuration node: where runs, steps, cross-references and cases are kept. Each value may be `${VARIABLE}`. The
 * credentials `url` and `password` belong to it.
 */
export interface StoreProperties {
  name: string;
  /** A file of this host alone, or a PostgreSQL database that several hosts share. */
  kind: 'sqlite' | 'postgres';
  /** File of the embedded store, relative to `<userDir>/quote-to-cash/`; empty = `q2c.db` there. */
  path: string;
  /** Name of the firm in idempotency keys and event sources; changing it makes every write look new. */
  tenant: string;
  /** How the database is given: as one connection string (a credential, for it may hold the password), or by fields. */
  address: 'fields' | 'url';
  host: string;
  port: string;
  database: string;
  user: string;
  tls: Tls;
  /** Certificate (PEM) of the authority that signed the server's; empty = those that Node.js knows. */
  ca: string;
  schema: string;
  /** Connections of this host at most, as text. */
  poolSize: string;
  /** Seconds after which other hosts take over the runs of one that does not move any more, as text. */
  leaseSeconds: string;
  /** Seconds for which a missing change of a record is waited for (guides §13), as text. */
  gapSeconds: string;
  /** Days that things are kept (`RetentionPolicy`); empty = the default, 0 = for ever. */
  financialDays: string;
  otherDays: string;
  caseDays: string;
  outboxDays: string;
  /** Other programs may look things up with tokens, on the root of Node-RED's HTTP nodes. */
  lookups: boolean;
}

export interface StoreCredentials {
  url?: string;
  password?: string;
}

export const defaults: StoreProperties = {
  name: '',
  kind: 'sqlite',
  path: '',
  tenant: 'main',
  address: 'fields',
  host: 'localhost',
  port: '5432',
  database: 'quote_to_cash',
  user: 'quote_to_cash',
  tls: 'verify',
  ca: '',
  schema: 'quote_to_cash',
  poolSize: '10',
  leaseSeconds: '30',
  gapSeconds: '900',
  financialDays: '',
  otherDays: '',
  caseDays: '',
  outboxDays: '',
  lookups: false,
};
