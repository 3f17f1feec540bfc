import { Q2cError } from '../../model';
import type { ConnectionConfig, FieldSpec, Limits, SystemManifest } from './types';

export interface ConnectionValues {
  /** Value of a field of the chosen authentication scheme or of the settings, with defaults filled in. */
  value(id: string): string;
  /** The non-secret settings of the manifest, with defaults: what mappings see. */
  settings: Readonly<Record<string, string>>;
  limits: Limits;
}

/**
 * A connection's configuration against its manifest.
 *
 * @throws Q2cError `MANDATORY_FIELD_MISSING` that names an empty required field or an unknown authentication scheme.
 */
export function readConnection(manifest: SystemManifest, config: ConnectionConfig): ConnectionValues {
  const scheme = manifest.auth.find(({ id }) => id === config.auth);
  if (!scheme) throw incomplete(manifest, `the authentication "${config.auth}" is unknown; choose one`);
  const fields = [...scheme.fields, ...manifest.settings];
  const values = new Map(fields.map((field) => [field.id, fieldValue(field, config)]));
  const empty = fields.find((field) => field.required && !values.get(field.id));
  if (empty) throw incomplete(manifest, `${empty.label} is empty`);
  return {
    value: (id) => values.get(id) ?? '',
    settings: Object.freeze(
      Object.fromEntries(
        manifest.settings.filter(({ secret }) => !secret).map(({ id }) => [id, values.get(id) ?? '']),
      ),
    ),
    limits: { ...manifest.limits[config.environment], ...config.limits },
  };
}

function fieldValue(field: FieldSpec, config: ConnectionConfig): string {
  return config.values[field.id]?.trim() || (field.default ?? '');
}

function incomplete(manifest: SystemManifest, problem: string): Q2cError {
  return new Q2cError(
    'MANDATORY_FIELD_MISSING',
    `The connection to ${manifest.label} is incomplete: ${problem}.`,
  );
}

/** Addresses of a firm's own network: this machine, private ranges, names without a public domain. */
const OWN_NETWORK =
  /^(localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+|\[::1\]|[^.]+|.+\.(local|internal|test))$/;

/**
 * A host or URL as people type it, as a base URL without trailing slash: `acme.my.salesforce.com` becomes
 * `https://acme.my.salesforce.com`. Plain http is for simulators in the firm's own network; over the internet it
 * would show credentials to everybody on the way.
 *
 * @throws Q2cError `MANDATORY_FIELD_MISSING` when it is no host.
 */
export function baseUrlOf(manifest: SystemManifest, value: string): string {
  const text = /^[a-z]+:\/\//i.test(value) ? value : `https://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && OWN_NETWORK.test(url.hostname))) {
    return url.origin + url.pathname.replace(/\/+$/, '');
  }
  throw incomplete(manifest, `"${value}" is not a host; give a name such as example.com, reached by https`);
}
