import type { SimContext, SimRequest, SimResponse } from '../kit/types';
import { isApiEnabled } from './access';
import { authenticate, introspect, revoke, token, userInfo } from './auth';
import { collections } from './collections';
import { batch, composite } from './composite';
import { ApiError, apiDisabled, methodNotAllowed, notFound, requestLimitExceeded } from './errors';
import { Org } from './org';
import { nextPage, runQuery } from './query';
import { sobjects } from './sobjects';
import { countCall, DAILY_LIMIT, limitInfo } from './usage';
import { isVersion, versionList, versionResources } from './versions';

/** Answers one request to the org. */
export function handle(request: SimRequest, context: SimContext): SimResponse {
  try {
    return route(request, context);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return withLimitInfo(error.toResponse(), context);
  }
}

function route(request: SimRequest, context: SimContext): SimResponse {
  const segments = request.path.split('/').filter(Boolean).map(decode);
  if (segments[0] === 'services' && segments[1] === 'oauth2')
    return oauth(segments[2] ?? '', request, context);
  if (segments[0] === 'id') return userInfo(context, authenticate(request, context));
  if (segments[0] !== 'services' || segments[1] !== 'data') throw notFound();
  if (segments[2] === undefined) return { status: 200, body: versionList() };
  const userId = authenticate(request, context);
  if (!isApiEnabled(context)) throw apiDisabled();
  if (countCall(context.db) > DAILY_LIMIT) throw requestLimitExceeded();
  const org = new Org(context, { userId, isPerson: false });
  return withLimitInfo(
    context.db.savepoint(() => data(org, request, segments.slice(2))),
    context,
  );
}

function oauth(endpoint: string, request: SimRequest, context: SimContext): SimResponse {
  switch (endpoint) {
    case 'token':
      return token(request, context);
    case 'revoke':
      return revoke(request, context);
    case 'introspect':
      return introspect(request, context);
    case 'userinfo':
      return userInfo(context, authenticate(request, context));
    default:
      throw notFound();
  }
}

/** Everything below `/services/data/vNN.N`; also the way subrequests take. */
function data(
  org: Org,
  request: SimRequest,
  [versionSegment = '', resource, ...rest]: readonly string[],
): SimResponse {
  if (!isVersion(versionSegment)) throw notFound();
  const version = versionSegment.slice(1);
  switch (resource) {
    case undefined:
      return { status: 200, body: versionResources(version) };
    case 'sobjects':
      return sobjects(org, version, request, rest);
    case 'query':
      return {
        status: 200,
        body:
          rest[0] === undefined ? runQuery(org, version, request, false) : nextPage(org, version, rest[0]),
      };
    case 'queryAll':
      return {
        status: 200,
        body: rest[0] === undefined ? runQuery(org, version, request, true) : nextPage(org, version, rest[0]),
      };
    case 'limits':
      return { status: 200, body: limits(org) };
    case 'composite':
      return compositeResource(org, version, request, rest);
    default:
      throw notFound();
  }
}

function compositeResource(
  org: Org,
  version: string,
  request: SimRequest,
  [kind, ...rest]: readonly string[],
): SimResponse {
  const dispatch = (sub: SimRequest): SimResponse =>
    data(org, sub, sub.path.split('/').filter(Boolean).slice(2).map(decode));
  if (kind === 'sobjects') return collections(org, version, request, rest);
  if (request.method !== 'POST') throw methodNotAllowed(request.method, ['POST']);
  switch (kind) {
    case undefined:
      return composite(org, request, dispatch);
    case 'batch':
      return batch(request, (sub) => {
        countCall(org.context.db);
        return dispatch(sub);
      });
    default:
      throw notFound();
  }
}

function limits(org: Org): unknown {
  const { used } = limitInfo(org.context.db);
  return {
    ConcurrentAsyncGetReportInstances: { Max: 200, Remaining: 200 },
    DailyApiRequests: { Max: DAILY_LIMIT, Remaining: DAILY_LIMIT - used },
    DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 10_000 },
    DataStorageMB: { Max: 10_240, Remaining: 10_200 },
    FileStorageMB: { Max: 10_240, Remaining: 10_240 },
  };
}

function withLimitInfo(response: SimResponse, context: SimContext): SimResponse {
  const { header } = limitInfo(context.db);
  return { ...response, headers: { ...response.headers, 'Sforce-Limit-Info': header } };
}

/** External ids in paths are encoded. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is part of the key then
  }
}
