import type { SimRequest, SimResponse } from '../kit/types';
import { asArray, asObject, jsonObject } from './body';
import { ApiError, badRequest } from './errors';
import type { Org } from './org';

const MAX_SUBREQUESTS = 25;
const MAX_QUERIES = 5;

/** Answers one subrequest as if it had come alone. */
export type Dispatch = (request: SimRequest) => SimResponse;

interface SubResponse {
  body: unknown;
  httpHeaders: Record<string, string>;
  httpStatusCode: number;
  referenceId: string;
}

interface Subrequest {
  method: string;
  url: string;
  referenceId: string;
  body: unknown;
  httpHeaders: Record<string, string>;
}

/** `POST /composite`: up to 25 requests one after the other, later ones referring to answers of earlier ones as `@{ref.id}`. */
export function composite(org: Org, request: SimRequest, dispatch: Dispatch): SimResponse {
  const body = jsonObject(request);
  const subrequests = asArray(body.compositeRequest, 'compositeRequest').map(readSubrequest);
  checkSubrequests(subrequests);
  const responses: SubResponse[] = [];
  const run = (): void => {
    for (const subrequest of subrequests) {
      responses.push(answer(org, request, subrequest, responses, dispatch));
    }
  };
  if (body.allOrNone !== true) {
    run();
    return { status: 200, body: { compositeResponse: responses } };
  }
  try {
    org.context.db.savepoint(() => {
      run();
      if (responses.some(isFailure)) throw new Halted();
    });
  } catch (error) {
    if (!(error instanceof Halted)) throw error;
    return {
      status: 200,
      body: { compositeResponse: responses.map((r) => (isFailure(r) ? r : halted(r.referenceId))) },
    };
  }
  return { status: 200, body: { compositeResponse: responses } };
}

/** `POST /composite/batch`: up to 25 independent requests; each counts against the limits by itself. */
export function batch(request: SimRequest, dispatch: Dispatch): SimResponse {
  const body = jsonObject(request);
  const requests = asArray(body.batchRequests, 'batchRequests').map((r) => asObject(r, 'a batch request'));
  if (requests.length > MAX_SUBREQUESTS) throw tooMany(MAX_SUBREQUESTS);
  const results: { statusCode: number; result: unknown }[] = [];
  let isHalted = false;
  for (const { method, url, richInput } of requests) {
    if (isHalted) {
      results.push({
        statusCode: 412,
        result: [{ errorCode: 'BATCH_PROCESSING_HALTED', message: 'Batch processing halted per request' }],
      });
      continue;
    }
    const path = `/services/data/${String(url).replace(/^\/?(services\/data\/)?/, '')}`;
    const response = settle(() =>
      dispatch(subrequestAsRequest(request, String(method ?? 'GET'), path, richInput, {})),
    );
    results.push({ statusCode: response.status, result: response.body ?? null });
    isHalted = body.haltOnError === true && response.status >= 400;
  }
  return { status: 200, body: { hasErrors: results.some((r) => r.statusCode >= 400), results } };
}

class Halted extends Error {}

function answer(
  org: Org,
  request: SimRequest,
  subrequest: Subrequest,
  earlier: readonly SubResponse[],
  dispatch: Dispatch,
): SubResponse {
  const response = settle(() =>
    org.context.db.savepoint(() => {
      const url = resolveText(subrequest.url, earlier);
      const body = resolveReferences(subrequest.body, earlier);
      return dispatch(subrequestAsRequest(request, subrequest.method, url, body, subrequest.httpHeaders));
    }),
  );
  return {
    body: response.body ?? null,
    httpHeaders: response.headers ?? {},
    httpStatusCode: response.status,
    referenceId: subrequest.referenceId,
  };
}

function settle(work: () => SimResponse): SimResponse {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError) return error.toResponse();
    throw error;
  }
}

function subrequestAsRequest(
  outer: SimRequest,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): SimRequest {
  const url = new URL(path, outer.url);
  return {
    method: method.toUpperCase(),
    path: url.pathname,
    query: url.searchParams,
    headers: {
      authorization: outer.headers.authorization ?? '',
      'content-type': 'application/json',
      ...headers,
    },
    body: body === undefined || body === null ? '' : JSON.stringify(body),
    url,
  };
}

function readSubrequest(value: unknown): Subrequest {
  const { method, url, referenceId, body, httpHeaders } = asObject(value, 'a subrequest');
  if (typeof method !== 'string' || typeof url !== 'string' || typeof referenceId !== 'string') {
    throw badRequest('INVALID_BATCH_REQUEST', 'method, url and referenceId are required in every subrequest');
  }
  const headers = Object.entries(asObject(httpHeaders ?? {}, 'httpHeaders'));
  return {
    method,
    url,
    referenceId,
    body,
    httpHeaders: Object.fromEntries(headers.map(([name, text]) => [name.toLowerCase(), String(text)])),
  };
}

function checkSubrequests(subrequests: readonly Subrequest[]): void {
  if (subrequests.length > MAX_SUBREQUESTS) throw tooMany(MAX_SUBREQUESTS);
  const queries = subrequests.filter(({ url }) => /\/query(All)?\b|\/composite\/sobjects/.test(url));
  if (queries.length > MAX_QUERIES) throw tooMany(MAX_QUERIES);
  const references = new Set<string>();
  for (const { referenceId, url } of subrequests) {
    if (references.has(referenceId))
      throw badRequest('INVALID_BATCH_REQUEST', `Duplicate reference ID: ${referenceId}`);
    if (!/^\/services\/data\/v\d+\.0\//.test(url)) {
      throw badRequest(
        'INVALID_BATCH_REQUEST',
        `The url of ${referenceId} must begin with /services/data/vXX.X/`,
      );
    }
    references.add(referenceId);
  }
}

function tooMany(limit: number) {
  return badRequest(
    'LIMIT_EXCEEDED',
    `Limit of ${limit} reached for subrequests of this kind in a composite call`,
  );
}

const REFERENCE = /@\{([^}]+)\}/g;

/** A text that is nothing but a reference takes the type of what it refers to. */
function resolveReferences(value: unknown, earlier: readonly SubResponse[]): unknown {
  if (typeof value === 'string') {
    const whole = /^@\{([^}]+)\}$/.exec(value)?.[1];
    return whole === undefined ? resolveText(value, earlier) : referred(whole, earlier);
  }
  if (Array.isArray(value)) return value.map((item) => resolveReferences(item, earlier));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, resolveReferences(item, earlier)]),
  );
}

function resolveText(text: string, earlier: readonly SubResponse[]): string {
  return text.replace(REFERENCE, (_whole, reference: string) => String(referred(reference, earlier)));
}

/** `refA.records[0].Id` in the answers so far. */
function referred(reference: string, earlier: readonly SubResponse[]): unknown {
  const [referenceId = '', ...steps] = reference.split(/[.[\]]+/).filter(Boolean);
  const response = earlier.find((r) => r.referenceId === referenceId);
  let value: unknown = response && !isFailure(response) ? response.body : undefined;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) {
      value = undefined;
      break;
    }
    value = Object.entries(value).find(([name]) => name === step)?.[1];
  }
  if (value !== undefined) return value;
  const message = `Invalid reference specified. No value for ${reference} found in ${referenceId}`;
  throw badRequest('PROCESSING_HALTED', message);
}

function isFailure({ httpStatusCode }: SubResponse): boolean {
  return httpStatusCode >= 300;
}

function halted(referenceId: string): SubResponse {
  const message = 'The transaction was rolled back since another operation in the same transaction failed.';
  return {
    body: [{ errorCode: 'PROCESSING_HALTED', message }],
    httpHeaders: {},
    httpStatusCode: 400,
    referenceId,
  };
}
