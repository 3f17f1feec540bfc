import { type RunningSimulator, startHost } from '../../../simulator/kit/host';
import type { SimRecord } from '../../../simulator/kit/types';
import { system } from '../../../simulator/salesforce';
import { type Call, type Reply, send } from '../support';

/** One error of an array body. */
export interface ErrorBody {
  errorCode: string;
  message: string;
  fields?: string[];
}

export interface Page<T> {
  totalSize: number;
  done: boolean;
  nextRecordsUrl?: string;
  records: T[];
}

export interface Saved {
  id: string;
  success: boolean;
  errors: unknown[];
  created?: boolean;
}

/** A simulated org with a session, as an API client sees it, and the control API beside it. */
export class TestOrg {
  static async start(
    options: { clock?: () => number; stateDir?: string; seed?: number } = {},
  ): Promise<TestOrg> {
    const simulator = await startHost({ port: 0, systems: [system], ...options });
    const org = new TestOrg(simulator);
    await org.login();
    return org;
  }

  readonly simulator: RunningSimulator;
  readonly url: string;
  #token = '';

  constructor(simulator: RunningSimulator) {
    this.simulator = simulator;
    this.url = simulator.systems.salesforce?.url ?? '';
  }

  credentials(scheme: 'client-credentials' | 'jwt-bearer'): Record<string, string> {
    return this.simulator.systems.salesforce?.credentials[scheme] ?? {};
  }

  token<T = { access_token: string; error: string; error_description: string }>(
    form: Record<string, string>,
  ): Promise<Reply<T>> {
    return send(`${this.url}/services/oauth2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
  }

  async login(): Promise<string> {
    const { clientId = '', clientSecret = '' } = this.credentials('client-credentials');
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    this.#token = (await this.token(form)).body.access_token;
    return this.#token;
  }

  /** `path` is below `/services/data/v66.0`, or begins with `/services`. */
  call<T = ErrorBody[]>(
    method: string,
    path: string,
    body?: unknown,
    headers: Call['headers'] = {},
  ): Promise<Reply<T>> {
    const full = path.startsWith('/services') ? path : `/services/data/v66.0${path}`;
    return send(`${this.url}${full}`, {
      method,
      body,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
    });
  }

  get<T = Record<string, unknown>>(path: string, headers?: Call['headers']): Promise<Reply<T>> {
    return this.call('GET', path, undefined, headers);
  }

  query<T = Record<string, unknown>>(soql: string, headers?: Call['headers']): Promise<Reply<Page<T>>> {
    return this.get(`/query?q=${encodeURIComponent(soql)}`, headers);
  }

  /** Rows of a query that must succeed. */
  async rows<T = Record<string, unknown>>(soql: string): Promise<T[]> {
    const { status, body } = await this.query<T>(soql);
    if (status !== 200) throw new Error(`${soql}: ${JSON.stringify(body)}`);
    return body.records;
  }

  /** Creates a record that must be accepted and answers its id. */
  async create(type: string, fields: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.call<Saved>('POST', `/sobjects/${type}`, fields);
    if (status !== 201) throw new Error(`${type}: ${JSON.stringify(body)}`);
    return body.id;
  }

  async read<T = Record<string, unknown>>(type: string, id: string): Promise<T> {
    return (await this.get<T>(`/sobjects/${type}/${id}`)).body;
  }

  control<T = unknown>(path: string, httpMethod = 'GET', body?: unknown): Promise<Reply<T>> {
    return send(`${this.simulator.url}/_control/${path}`, { method: httpMethod, body });
  }

  person(
    httpMethod: 'POST' | 'PATCH',
    path: string,
    body: unknown,
  ): Promise<Reply<SimRecord & { code: string; message: string }>> {
    return this.control(`salesforce/records/${path}`, httpMethod, body);
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}

/** An opportunity of the given currency with a price book and an account, ready for lines. */
export async function newOpportunity(org: TestOrg, fields: Record<string, unknown> = {}): Promise<string> {
  return org.create('Opportunity', {
    Name: 'Test deal',
    StageName: 'Prospecting',
    CloseDate: '2026-05-01',
    ...fields,
  });
}

/** Id of a price book entry of the services price book in a currency. */
export async function anEntry(org: TestOrg, currency = 'EUR'): Promise<string> {
  const soql = `SELECT Id FROM PricebookEntry WHERE CurrencyIsoCode = '${currency}' AND Pricebook2.IsStandard = false LIMIT 1`;
  const [entry] = await org.rows<{ Id: string }>(soql);
  return entry?.Id ?? '';
}
