import type { SimContext, SimRequest, SimResponse } from '../kit/types';
import { isAuthorised } from './auth';
import { issueToken, TOKEN_PATH } from './auth/oauth2';
import { type Env, envOf } from './env';
import {
  concurrencyLimitExceeded,
  errorResponse,
  insufficientPermission,
  invalidLogin,
  methodNotAllowed,
  NetSuiteError,
  notFound,
} from './errors';
import { type Execute, readJob, runDueJobs, submitJob, wantsAsync } from './jobs';
import { metadataCatalog } from './metadata';
import { recordService } from './record-service';
import type { Data } from './records/data';
import { suiteQl } from './suiteql/run';

const ROOT = '/services/rest/';

/** Answers a call of the REST web services; the token endpoint needs no login and is not counted. */
export function route(request: SimRequest, context: SimContext): SimResponse {
  if (request.path === TOKEN_PATH) return issueToken(request, context);
  const env = envOf(context, request.headers);
  runDueJobs(env, execute);
  if (context.inFlight > env.settings.concurrencyLimit) return concurrencyLimitExceeded();
  if (!isAuthorised(request, context)) return invalidLogin();
  return refusalsAsResponses(env, () => {
    if (!env.settings.restWebServices) throw insufficientPermission();
    return dispatch(request, env);
  });
}

function dispatch(request: SimRequest, env: Env): SimResponse {
  const segments = segmentsOf(request.path);
  const [service, version, ...rest] = segments;
  if (version !== 'v1') throw notFound(request.path);
  switch (service) {
    case 'record':
      if (rest[0] === 'metadata-catalog')
        return onlyGet(request, () => metadataCatalog(rest[1], request, env));
      return wantsAsync(request) ? submitJob(request, env) : recordService(rest, request, env);
    case 'query':
      if (rest[0] !== 'suiteql') throw notFound(request.path);
      return suiteQl(request, env);
    case 'async':
      if (rest[0] !== 'job') throw notFound(request.path);
      return onlyGet(request, () => readJob(rest.slice(1), env));
    case 'system':
      return onlyGet(request, () => ({ status: 200, body: systemService(rest[0], env) }));
    default:
      throw notFound(request.path);
  }
}

/** A queued call: the same as a synchronous one, answered into the job. */
const execute: Execute = (request, env) =>
  refusalsAsResponses(env, () => {
    const [, , ...rest] = segmentsOf(request.path);
    const refuseUnknownNames =
      request.headers['x-netsuite-propertynamevalidation']?.toLowerCase() === 'error';
    return recordService(rest, request, { ...env, refuseUnknownNames, partialPage: false });
  });

/** A refused call leaves nothing behind. */
function refusalsAsResponses(env: Env, work: () => SimResponse): SimResponse {
  try {
    return env.db.savepoint(work);
  } catch (error) {
    if (error instanceof NetSuiteError) return errorResponse(error);
    throw error;
  }
}

function segmentsOf(path: string): string[] {
  if (!path.startsWith(ROOT)) throw notFound(path);
  return path
    .slice(ROOT.length)
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeSegment);
}

/** A segment that is not valid percent-encoding names nothing. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) throw notFound(segment);
    throw error;
  }
}

function onlyGet(request: SimRequest, work: () => SimResponse): SimResponse {
  if (request.method !== 'GET') throw methodNotAllowed(request.method);
  return work();
}

function systemService(name: string | undefined, env: Env): Data {
  if (name === 'serverTime') return { serverTime: new Date(env.now).toISOString() };
  if (name !== 'governanceLimits') throw notFound(name ?? '');
  return {
    accountConcurrencyLimit: env.settings.concurrencyLimit,
    accountUnallocatedConcurrencyLimit: env.settings.concurrencyLimit,
    integrationLimitType: 'accountLimit',
  };
}
