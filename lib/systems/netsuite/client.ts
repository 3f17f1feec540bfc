import { type CanonicalId, isId, Q2cError } from '../../model';
import {
  type Authenticator,
  baseUrlOf,
  type ClientDependencies,
  type ConnectionConfig,
  type ConnectionValues,
  createHttpClient,
  type HttpClient,
  readConnection,
  type SystemClient,
} from '../kit';
import { accountRealm, isAccountId, restBaseUrl } from './account';
import { joinAccount } from './account-slots';
import { certificateAuthenticator, TOKEN_PATH, tokenAuthenticator } from './auth';
import { checkConnection } from './check-connection';
import { errorTable } from './errors';
import { manifest } from './manifest';
import { RecordService } from './record-service';
import { firstRows, type Row, runSuiteQl } from './suiteql';

/** One NetSuite account, as one integration sees it. */
export interface NetSuiteClient extends SystemClient {
  readonly records: RecordService;
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
  const authenticator = createAuthenticator(connection, config, {
    realm,
    baseUrl,
    instance,
    login,
    dependencies,
  });
  const account = joinAccount(`${realm} ${baseUrl}`, connection.limits.concurrency);
  const http = createHttpClient({
    ...common,
    authenticator,
    slots: account.slots,
    reserveCall: dependencies.reserveCall,
  });
  return new RestClient(http, instance, connection.settings, async () => {
    await Promise.all([http.close(), login.close()]).finally(account.leave);
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

class RestClient implements NetSuiteClient {
  readonly system = manifest.id;
  readonly records: RecordService;
  readonly #http: HttpClient;
  readonly #closeAll: () => Promise<void>;

  constructor(
    http: HttpClient,
    readonly instance: string,
    readonly settings: Readonly<Record<string, string>>,
    closeAll: () => Promise<void>,
  ) {
    this.#http = http;
    this.#closeAll = closeAll;
    this.records = new RecordService(http, this.system);
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

  test() {
    return checkConnection(this);
  }

  health() {
    return this.#http.health();
  }

  close() {
    return this.#closeAll();
  }
}

function createAuthenticator(
  { value }: ConnectionValues,
  config: ConnectionConfig,
  about: {
    realm: string;
    baseUrl: string;
    instance: string;
    login: HttpClient;
    dependencies: ClientDependencies;
  },
): Authenticator {
  if (config.auth === 'tba') {
    return tokenAuthenticator({
      realm: about.realm,
      consumerKey: value('consumerKey'),
      consumerSecret: value('consumerSecret'),
      tokenId: value('tokenId'),
      tokenSecret: value('tokenSecret'),
    });
  }
  return certificateAuthenticator({
    system: manifest.id,
    clientId: value('clientId'),
    certificateId: value('certificateId'),
    privateKey: value('privateKey'),
    http: about.login,
    tokenUrl: about.baseUrl + TOKEN_PATH,
    tokens: about.dependencies.tokens,
    instance: about.instance,
  });
}
