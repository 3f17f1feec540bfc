import type { JsonObject } from '../../../../lib/model';
import { type ClientDependencies, type ConnectionConfig, memoryTokens } from '../../../../lib/systems/kit';
import { SalesforceClient } from '../../../../lib/systems/salesforce/client';
import { type ReceivedRequest, sendJson, startTestServer, type TestServer } from '../kit/test-server';

export type Answer = [status: number, body?: unknown, headers?: Record<string, string>];

/** An org that answers what a test tells it to. Logins always succeed unless `token` says otherwise. */
export interface FakeOrg {
  server: TestServer;
  client: SalesforceClient;
  /** Requests besides logins, with the query text decoded. */
  calls(): { method: string; path: string; soql?: string; body: JsonObject }[];
  answer: (request: ReceivedRequest, url: URL) => Answer;
  token: () => Answer;
  logs: { level: string; message: string }[];
  close(): Promise<void>;
}

export const ROOT = '/services/data/v66.0';

export async function fakeOrg(config: Partial<ConnectionConfig> = {}): Promise<FakeOrg> {
  const { values, ...rest } = config;
  let logins = 0;
  const server = await startTestServer((request, response) => {
    const url = new URL(request.url, server.url);
    if (url.pathname === '/services/oauth2/token') sendJson(response, ...org.token());
    else sendJson(response, ...org.answer(request, url));
  });
  const dependencies: ClientDependencies = {
    tokens: memoryTokens(),
    log: (level, message) => org.logs.push({ level, message }),
  };
  const org: FakeOrg = {
    server,
    client: new SalesforceClient(
      {
        environment: 'sandbox',
        auth: 'client-credentials',
        values: { host: server.url, clientId: 'key', clientSecret: 'secret-value', ...values },
        ...rest,
      },
      dependencies,
    ),
    calls: () =>
      server.requests
        .filter(({ url }) => !url.startsWith('/services/oauth2'))
        .map(({ method, url, body }) => {
          const { pathname, searchParams } = new URL(url, server.url);
          const soql = searchParams.get('q') ?? undefined;
          return {
            method,
            path: pathname,
            ...(soql === undefined ? {} : { soql }),
            body: body ? JSON.parse(body) : {},
          };
        }),
    answer: () => [500, [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'the test gave no answer' }]],
    token: () => {
      logins += 1;
      return [200, { access_token: `00D!token-${logins}`, instance_url: server.url, token_type: 'Bearer' }];
    },
    logs: [],
    close: async () => {
      await server.close();
      await org.client.close();
    },
  };
  return org;
}

/** A query answer of one page. */
export function page(records: object[], more: { totalSize?: number; next?: string } = {}): JsonObject {
  return {
    totalSize: more.totalSize ?? records.length,
    done: more.next === undefined,
    ...(more.next === undefined ? {} : { nextRecordsUrl: more.next }),
    records: records as JsonObject[],
  };
}

export const refusal = (errorCode: string, message = errorCode) => [{ errorCode, message }];

export const callContext = () => ({
  idempotencyKey: 'key',
  attempt: 1,
  signal: new AbortController().signal,
});
