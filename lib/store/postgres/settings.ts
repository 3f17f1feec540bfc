import type { PoolConfig } from 'pg';
import { Q2cError } from '../../model';
import type { Place } from './failures';

/** `encrypt` hides the traffic from listeners; only `verify` makes sure that it is the right server. */
export type Tls = 'off' | 'encrypt' | 'verify';

/** Where a PostgreSQL store is and how to sign in. */
export interface PostgresSettings {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  tls: Tls;
  /** Certificate (PEM) of the authority that signed the server's; empty = those that Node.js knows. */
  ca: string;
  /** Schema that holds our tables. Made when it is not there. */
  schema: string;
  /** Connections of this host at most; at least 2. */
  poolSize: number;
}

export const postgresDefaults: PostgresSettings = {
  host: 'localhost',
  port: 5432,
  database: 'quote_to_cash',
  user: 'quote_to_cash',
  password: '',
  tls: 'verify',
  ca: '',
  schema: 'quote_to_cash',
  poolSize: 10,
};

/** `sslmode` of connection strings (PostgreSQL manual, "SSL Mode Descriptions"). */
const TLS_OF_SSLMODE: Record<string, Tls> = {
  disable: 'off',
  allow: 'encrypt',
  prefer: 'encrypt',
  require: 'encrypt',
  'no-verify': 'encrypt',
  'verify-ca': 'verify',
  'verify-full': 'verify',
};

/**
 * The settings that a connection string holds: `postgresql://user:password@host:port/database?sslmode=…`, or with
 * `?host=/folder` a socket.
 * @throws Q2cError `STORE_SETTINGS_INVALID`; the string is not repeated, for it may hold the password.
 */
export function settingsOfUrl(text: string): Partial<PostgresSettings> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Q2cError(
      'STORE_SETTINGS_INVALID',
      'The URL of the store is not one of PostgreSQL. Give it as postgresql://user:password@host:5432/database.',
    );
  }
  const sslmode = url.searchParams.get('sslmode');
  const tls = sslmode === null ? undefined : TLS_OF_SSLMODE[sslmode];
  if (sslmode !== null && tls === undefined) {
    throw new Q2cError(
      'STORE_SETTINGS_INVALID',
      `The URL of the store has the unknown sslmode "${sslmode}".`,
    );
  }
  const given: Partial<PostgresSettings> = {
    host: url.searchParams.get('host') ?? decodeURIComponent(url.hostname),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(tls === undefined ? {} : { tls }),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
}

export function placeOf({ host, port, database, user, schema }: PostgresSettings): Place {
  return { address: `${host}:${port}/${database}`, user, schema };
}

/** A server that does not take the connection in this time counts as unreachable. */
const CONNECT_TIMEOUT_MS = 10_000;
/** An answer that does not come in this time never will: the network has dropped the connection without a word. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A host that stands still in the middle of a write holds locks that the others wait for: the server ends it. */
const IDLE_WRITE_TIMEOUT_MS = 10_000;

/** @param patient for work that may take long, such as migrations */
export function poolConfig(settings: PostgresSettings, patient = false): PoolConfig {
  const { host, port, database, user, password, tls, ca, schema, poolSize } = settings;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: tls !== 'off' && { rejectUnauthorized: tls === 'verify', ...(ca === '' ? {} : { ca }) },
    max: Math.max(2, poolSize),
    application_name: `quote-to-cash ${schema}`,
    options: `-c search_path=${schema}`,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(patient
      ? {}
      : {
          query_timeout: ANSWER_TIMEOUT_MS,
          idle_in_transaction_session_timeout: IDLE_WRITE_TIMEOUT_MS,
        }),
  };
}
