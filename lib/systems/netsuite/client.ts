import { type CanonicalId, isId, Q2cError } from '../../model';
import {
  ANY_STATUS,
  type Authenticator,
  baseUrlOf,
  type CheckOptions,
  type ClientDependencies,
  type ConnectionConfig,
  type ConnectionValues,
  createHttpClient,
  type HttpClient,
  type HttpResponse,
  readConnection,
  type SystemClient,
  SystemError,
} from '../kit';
import { accountRealm, isAccountId, restBaseUrl } from './account';
import { joinAccount } from './account-slots';
import {
  type CertificateLogin,
  certificateAuthenticator,
  logIn,
  TOKEN_PATH,
  tokenAuthenticator,
} from './auth';
import { checkConnection } from './check-connection';
import { errorTable } from './errors';
import { manifest } from './manifest';
import { Metadata } from './metadata';
import { RecordService } from './record-service';
import { firstRows, type Row, runSuiteQl } from './suiteql';

/** One NetSuite account, as one integration sees it. */
export interface NetSuiteClient extends SystemClient {
  readonly records: RecordService;
  readonly metadata: Metadata;
  /** Host name of the account's REST services. */
  readonly host: string;
  /** Whether somebody is there; whatever is answered, it is an answer. */
  knock(signal: AbortSignal): Promise<HttpResponse>;
  /** Logs in anew, or makes a signed call. @throws SystemError kind `auth` when the login is refused. */
  signIn(signal: AbortSignal): Promise<void>;
  /** All rows of a SuiteQL query; see `runSuiteQl`. */
  query(sql: string, signal?: AbortSignal): Promise<Row[]>;
  /** The first rows of a SuiteQL query; see `firstRows`. */
  queryFirst(sql: string, limit: number, signal: AbortSignal): Promise<{ rows: Row[]; complete: boolean }>;
  /** The canonical id in an External ID that we wrote; null for the keys of other integrations. */
  canonicalIdIn(externalId: string | null | undefined): CanonicalId | null;
}

/**
 * @throws Q2cError `MANDATORY_FIELD_MISSING` when the configuration is incomplete, `VALUE_INVALID` when the account id
 * cannot be right.
 */
export function createNetSuiteClient(
  config: ConnectionConfig,
  dependencies: ClientDependencies,
): NetSuiteClient {
  const connection = readConnection(manifest, config);
  const accountId = connection.value('accountId');
  if (!isAccountId(accountId)) {
    throw new Q2cError(
      'VALUE_INVALID',
      `The connection to NetSuite: "${accountId}" is not an account ID such as 1234567 or 1234567_SB1.`,
    );
  }
  const baseUrl = baseUrlFor(config, accountId);
  const realm = accountRealm(accountId);
  const common = {
    system: manifest.id,
    baseUrl,
    errors: errorTable,
    limits: connection.limits,
    onCall: dependencies.onCall,
  };
  // Logging in is not governed as a call, and must not wait behind the calls that wait for it.
  const login = createHttpClient(common);
  const instance = config.instance || realm;
  const certificate =
    config.auth === 'tba' ? null : certificateLogin(connection, { baseUrl, instance, login, dependencies });
  const authenticator =
    certificate === null ? signer(connection, realm) : certificateAuthenticator(certificate);
  const account = joinAccount(`${realm} ${baseUrl}`, connection.limits.concurrency);
  const http = createHttpClient({
    ...common,
    authenticator,
    slots: account.slots,
    reserveCall: dependencies.reserveCall,
  });
  return new RestClient({
    http,
    login,
    instance,
    settings: connection.settings,
    host: new URL(baseUrl).host,
    // A signed call is its own login.
    signIn:
      certificate === null
        ? (metadata, signal) => metadata.recordTypes(signal).then(() => undefined, unlessRefused)
        : (_, signal) => logIn(certificate, signal).then(() => undefined),
    closeAll: async () => {
      await Promise.all([http.close(), login.close()]).finally(account.leave);
    },
  });
}

/**
 * Where the REST services answer. A base URL of one's own counts in Simulator mode only: anywhere else it would hand
 * the credentials to another host.
 */
export function baseUrlFor({ environment, values }: ConnectionConfig, accountId: string): string {
  const own = environment === 'simulator' ? values.baseUrl : undefined;
  return own ? baseUrlOf(manifest, own) : restBaseUrl(accountId);
}

/** Any answer but a refused login proves that the login works. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof SystemError) || error.kind === 'auth' || error.status === null) throw error;
}

interface Parts {
  http: HttpClient;
  /** Without credentials. */
  login: HttpClient;
  instance: string;
  settings: Readonly<Record<string, string>>;
  host: string;
  signIn(metadata: Metadata, signal: AbortSignal): Promise<void>;
  closeAll(): Promise<void>;
}

class RestClient implements NetSuiteClient {
  readonly system = manifest.id;
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly host: string;
  readonly records: RecordService;
  readonly metadata: Metadata;
  readonly #parts: Parts;
  readonly #http: HttpClient;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#http = parts.http;
    this.instance = parts.instance;
    this.settings = parts.settings;
    this.host = parts.host;
    this.records = new RecordService(parts.http, this.system);
    this.metadata = new Metadata(parts.http, this.system);
  }

  knock(signal: AbortSignal) {
    return this.#parts.login.request({ method: 'GET', path: '/services/rest/', accept: ANY_STATUS, signal });
  }

  signIn(signal: AbortSignal) {
    return this.#parts.signIn(this.metadata, signal);
  }

  query(sql: string, signal?: AbortSignal) {
    return runSuiteQl(sql, { http: this.#http, system: this.system, signal });
  }

  queryFirst(sql: string, limit: number, signal: AbortSignal) {
    return firstRows(sql, limit, { http: this.#http, system: this.system, signal });
  }

  canonicalIdIn(externalId: string | null | undefined) {
    const prefix = this.settings.externalIdPrefix ?? '';
    const id = externalId?.startsWith(prefix) ? externalId.slice(prefix.length) : null;
    return isId(id) ? id : null;
  }

  test(options?: CheckOptions) {
    return checkConnection(this, options);
  }

  health() {
    return this.#http.health();
  }

  close() {
    return this.#parts.closeAll();
  }
}

function signer({ value }: ConnectionValues, realm: string): Authenticator {
  return tokenAuthenticator({
    realm,
    consumerKey: value('consumerKey'),
    consumerSecret: value('consumerSecret'),
    tokenId: value('tokenId'),
    tokenSecret: value('tokenSecret'),
  });
}

function certificateLogin(
  { value }: ConnectionValues,
  about: { baseUrl: string; instance: string; login: HttpClient; dependencies: ClientDependencies },
): CertificateLogin {
  return {
    system: manifest.id,
    clientId: value('clientId'),
    certificateId: value('certificateId'),
    privateKey: value('privateKey'),
    http: about.login,
    tokenUrl: about.baseUrl + TOKEN_PATH,
    tokens: about.dependencies.tokens,
    instance: about.instance,
  };
}
