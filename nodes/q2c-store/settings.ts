import { isAbsolute, join } from 'node:path';
import { Q2cError } from '../../lib/model';
import { type PostgresSettings, type RetentionPolicy, retentionPolicy, settingsOfUrl } from '../../lib/store';
import { defaults, type StoreCredentials, type StoreProperties } from './types';

const TLS: readonly PostgresSettings['tls'][] = ['verify', 'encrypt', 'off'];

const DEFAULT_FILE = 'q2c.db';

/** @throws Q2cError `STORE_SETTINGS_INVALID` when a variable holds another kind of store. */
export function requireKind({ kind }: StoreProperties): void {
  if (kind !== 'sqlite' && kind !== 'postgres')
    throw invalid(`kind is "${kind}", which is neither sqlite nor postgres`);
}

/** A relative path lies below `<userDir>/quote-to-cash/`, where backups of the host find it. */
export function storePath(userDir: string, path: string): string {
  const file = path.trim() === '' ? DEFAULT_FILE : path.trim();
  return file === ':memory:' || isAbsolute(file) ? file : join(userDir, 'quote-to-cash', file);
}

/** @throws Q2cError `STORE_SETTINGS_INVALID` naming the field of the form. */
export function postgresSettings(config: StoreProperties, credentials: StoreCredentials): PostgresSettings {
  const { host, database, user, tls, ca, schema } = config;
  if (!TLS.includes(tls)) throw invalid(`tls is "${tls}", which is none of ${TLS.join(', ')}`);
  const common = { tls, ca: ca.trim(), schema: schema.trim(), poolSize: wholeNumber(config, 'poolSize') };
  const fields = {
    ...common,
    host: host.trim(),
    port: wholeNumber(config, 'port'),
    database: database.trim(),
    user: user.trim(),
    password: credentials.password ?? '',
  };
  if (config.address === 'fields') return fields;
  const url = credentials.url?.trim() ?? '';
  if (url === '') throw invalid('the connection string is empty');
  const { port, database: name, user: login } = defaults;
  return { ...fields, host: '', port: Number(port), database: name, user: login, ...settingsOfUrl(url) };
}

export function leaseMs(config: StoreProperties): number {
  return 1000 * wholeNumber(config, 'leaseSeconds');
}

export function gapAfterMs(config: StoreProperties): number {
  return 1000 * wholeNumber(config, 'gapSeconds');
}

/** An empty field stands for the default. */
export function retention(config: StoreProperties): RetentionPolicy {
  const days = (text: string) => (text.trim() === '' ? undefined : Number(text));
  return retentionPolicy({
    financialDays: days(config.financialDays),
    otherDays: days(config.otherDays),
    caseDays: days(config.caseDays),
    outboxDays: days(config.outboxDays),
  });
}

type NumberField = 'port' | 'poolSize' | 'leaseSeconds' | 'gapSeconds';

function wholeNumber(config: StoreProperties, field: NumberField): number {
  const value = Number(config[field]);
  if (Number.isInteger(value) && value > 0) return value;
  throw invalid(`${field} is "${config[field]}", which is no whole number`);
}

function invalid(problem: string): Q2cError {
  return new Q2cError(
    'STORE_SETTINGS_INVALID',
    `The store is not set up: ${problem}. Correct the form and deploy.`,
  );
}
