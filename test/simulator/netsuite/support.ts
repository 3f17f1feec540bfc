import { constants, createHmac, randomUUID, sign } from 'node:crypto';
import { startHost } from '../../../simulator/kit/host';
import { system } from '../../../simulator/netsuite';

/**
 * A reply as the tests expect it to be shaped: the shape is claimed here and checked by their assertions. All other
 * fields are there too, of unknown type.
 */
export interface Body {
  [field: string]: unknown;
  id: string;
  items: Body[];
  links: { rel: string; href: string }[];
  totalResults: number;
  'o:errorDetails'?: { 'o:errorCode': string; 'o:errorPath'?: string; detail: string }[];
  access_token: string;
  addressBook: Body;
  addressBookAddress: Body;
  country: Body;
  currencyList: Body;
  currency: Body;
  milestone: Body;
  item: Body;
  orderStatus: Body;
  status: unknown;
  modified: number;
  data: Record<string, unknown>;
  types: Record<string, number>;
  records: Body[];
  components: Body;
  schemas: Body;
  properties: Body;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON; an empty object when there is no body. */
  body: Body;
}

export interface CallOptions {
  headers?: Record<string, string>;
  body?: unknown;
}

/** A NetSuite simulator with a clock that tests can move, and a client that is logged in. */
export class TestAccount {
  readonly url: string;
  readonly controlUrl: string;
  readonly certificate: Record<string, string>;
  readonly tba: Record<string, string>;
  readonly close: () => Promise<void>;
  readonly clock: { offset: number };
  #token = '';

  private constructor(running: Awaited<ReturnType<typeof startHost>>, clock: { offset: number }) {
    const { url, credentials } = running.systems.netsuite ?? { url: '', credentials: {} };
    this.url = url;
    this.controlUrl = `${running.url}/_control/netsuite`;
    this.certificate = credentials['oauth2-certificate'] ?? {};
    this.tba = credentials.tba ?? {};
    this.close = running.close;
    this.clock = clock;
  }

  static async start(): Promise<TestAccount> {
    const clock = { offset: 0 };
    const running = await startHost({ port: 0, systems: [system], clock: () => Date.now() + clock.offset });
    const account = new TestAccount(running, clock);
    await account.login();
    return account;
  }

  get tokenUrl(): string {
    return `${this.url}/services/rest/auth/oauth2/v1/token`;
  }

  async login(): Promise<void> {
    const { status, body } = await this.requestToken(this.assertion());
    if (status !== 200) throw new Error(`Login failed: ${JSON.stringify(body)}`);
    this.#token = body.access_token;
  }

  /** A client assertion that is right unless overridden. */
  assertion(
    override: { alg?: string; kid?: string; key?: string; claims?: Record<string, unknown> } = {},
  ): string {
    const {
      alg = 'PS256',
      kid = this.certificate.certificateId ?? '',
      key = this.certificate.privateKey ?? '',
    } = override;
    const now = Math.floor((Date.now() + this.clock.offset) / 1000);
    const claims = {
      iss: this.certificate.clientId,
      aud: this.tokenUrl,
      scope: ['rest_webservices'],
      iat: now,
      exp: now + 300,
      ...override.claims,
    };
    return signJwt({ alg, kid, typ: 'JWT' }, claims, key);
  }

  async requestToken(clientAssertion: string, override: Record<string, string> = {}): Promise<Answer> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: clientAssertion,
      ...override,
    });
    return await answer(await fetch(this.tokenUrl, { method: 'POST', body: form }));
  }

  /** Calls below `/services/rest` with the bearer token. */
  async call(method: string, path: string, { headers = {}, body }: CallOptions = {}): Promise<Answer> {
    const response = await fetch(`${this.url}/services/rest${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
    });
    return await answer(response);
  }

  record(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.call(method, `/record/v1/${path}`, { body, headers });
  }

  /** Creates a record and gives its id. @throws when it was refused. */
  async create(type: string, body: unknown): Promise<string> {
    const reply = await this.record('POST', type, body);
    if (reply.status !== 204) throw new Error(`${type} was refused: ${JSON.stringify(reply.body)}`);
    return idIn(reply);
  }

  async read(type: string, id: string): Promise<Body> {
    const { status, body } = await this.record('GET', `${type}/${id}?expandSubResources=true`);
    if (status !== 200) throw new Error(`${type} ${id}: ${JSON.stringify(body)}`);
    return body;
  }

  query(q: string, search = ''): Promise<Answer> {
    return this.call('POST', `/query/v1/suiteql${search}`, { headers: { prefer: 'transient' }, body: { q } });
  }

  async control(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.controlUrl}/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return await answer(response);
  }

  /** What a person does in the screens. @throws when it was refused. */
  async person(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<Body> {
    const { status, body: record } = await this.control(method, `records/${path}`, body);
    if (status >= 400) throw new Error(`${path}: ${JSON.stringify(record)}`);
    return record;
  }

  /** Header of token-based authentication for a call of the full URL. */
  tbaHeader(method: string, url: string, override: Record<string, string> = {}): string {
    const { accountId, consumerKey, consumerSecret, tokenId, tokenSecret } = this.tba;
    const parameters: Record<string, string> = {
      oauth_consumer_key: consumerKey ?? '',
      oauth_token: tokenId ?? '',
      oauth_signature_method: 'HMAC-SHA256',
      oauth_timestamp: String(Math.floor((Date.now() + this.clock.offset) / 1000)),
      oauth_nonce: randomUUID(),
      oauth_version: '1.0',
      ...override,
    };
    const { realm = accountId, ...signed } = parameters;
    const target = new URL(url);
    const pairs = [...Object.entries(signed), ...target.searchParams.entries()]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort();
    const base = [method, `${target.origin}${target.pathname}`, pairs.join('&')].map(encode).join('&');
    const key = `${encode(consumerSecret ?? '')}&${encode(tokenSecret ?? '')}`;
    const signature = createHmac('sha256', key).update(base).digest('base64');
    const header = { realm: realm ?? '', ...signed, oauth_signature: signature };
    return `OAuth ${Object.entries(header)
      .map(([name, value]) => `${name}="${encode(value)}"`)
      .join(',')}`;
  }
}

function signJwt(header: { alg: string; kid: string; typ: string }, claims: unknown, key: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  const options = {
    PS: { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    RS: { key, padding: constants.RSA_PKCS1_PADDING },
    ES: { key, dsaEncoding: 'ieee-p1363' as const },
  }[header.alg.slice(0, 2)];
  if (!options) throw new Error(`No signature for ${header.alg}`);
  return `${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

export function idIn({ headers }: Answer): string {
  return headers.get('location')?.split('/').at(-1) ?? '';
}

/** Code and path of a refusal. */
export function refusal({ status, body }: Answer): {
  status: number;
  code: string;
  path?: string;
  detail: string;
} {
  const first = body['o:errorDetails']?.[0];
  return {
    status,
    code: first?.['o:errorCode'] ?? '',
    path: first?.['o:errorPath'],
    detail: first?.detail ?? '',
  };
}

/** A customer of the German entity. */
export function customerBody(override: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    companyName: 'ACME GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
    terms: { id: '2' },
    addressBook: {
      items: [
        {
          defaultBilling: true,
          addressBookAddress: { addr1: 'Hauptstr. 1', city: 'Bonn', zip: '53111', country: { id: 'DE' } },
        },
      ],
    },
    ...override,
  };
}

export function projectBody(
  customer: string,
  override: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    companyName: 'Rollout',
    parent: { id: customer },
    subsidiary: { id: '2' },
    projectExpenseType: { id: '-2' },
    startDate: '2026-01-05',
    projectedEndDate: '2026-06-30',
    ...override,
  };
}
