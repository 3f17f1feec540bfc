import type { SimRecord, SimRequest, SimResponse } from '../kit/types';
import type { Env } from './env';
import { errorResponse, NetSuiteError, notFound } from './errors';
import { type Data, isObject, numberOf, textOf } from './records/data';
import { instant, selfLink } from './records/render';

/**
 * Asynchronous requests: `Prefer: respond-async` puts a record call into a queue; the job, its task and the
 * stored answer are read under `/services/rest/async/v1/job`.
 */

export const JOB_TYPE = 'asyncJob';
const PENDING_KEY = 'netsuite.pendingJobs';
const JOB_PATH = '/services/rest/async/v1/job';

/** Carries out the stored call. Must not throw for refusals of the vendor. */
export type Execute = (request: StoredRequest, env: Env) => SimResponse;

export interface StoredRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: string;
}

export function wantsAsync(request: SimRequest): boolean {
  return /(^|[,;\s])respond-async($|[,;\s])/i.test(request.headers.prefer ?? '');
}

/** Queues a request; the same idempotency key leads to the job that has it already. */
export function submitJob(request: SimRequest, env: Env): SimResponse {
  const idempotencyKey = request.headers['x-netsuite-idempotency-key'];
  const earlier = idempotencyKey ? env.db.findBy(JOB_TYPE, 'idempotencyKey', idempotencyKey)[0] : undefined;
  const headers = (id: string): Record<string, string> => ({
    'preference-applied': 'respond-async',
    location: `${env.baseUrl}${JOB_PATH}/${id}`,
  });
  if (earlier) {
    const error = new NetSuiteError(
      400,
      'IDEMPOTENCY_ERROR',
      'A request with the same idempotency key is already submitted. See the "Location" header for a link to the previously submitted job',
    );
    const response = errorResponse(error, headers(earlier.id));
    return {
      ...response,
      body: isObject(response.body) ? { ...response.body, title: 'Conflict' } : response.body,
    };
  }
  const id = String(env.db.next('id.asyncJob'));
  env.db.insert(JOB_TYPE, id, {
    idempotencyKey,
    progress: 'pending',
    dueAt: env.now + env.settings.asyncDelayMs,
    request: {
      method: request.method,
      path: request.path,
      query: request.query.toString(),
      propertyNameValidation: request.headers['x-netsuite-propertynamevalidation'],
      body: request.body,
    },
  });
  env.db.setValue(PENDING_KEY, [...pendingIds(env), id].join(' '));
  return { status: 202, headers: headers(id) };
}

/** Carries out the jobs whose time has come, in the order they were queued. */
export function runDueJobs(env: Env, execute: Execute): void {
  const pending = pendingIds(env);
  if (pending.length === 0) return;
  const waiting: string[] = [];
  for (const id of pending) {
    const job = env.db.get(JOB_TYPE, id);
    if (!job) continue;
    if ((numberOf(job.data, 'dueAt') ?? 0) > env.now || waiting.length > 0) waiting.push(id);
    else runJob(job, env, execute);
  }
  env.db.setValue(PENDING_KEY, waiting.length === 0 ? null : waiting.join(' '));
}

function pendingIds(env: Env): string[] {
  return env.db.getValue(PENDING_KEY)?.split(' ') ?? [];
}

function runJob(job: SimRecord, env: Env, execute: Execute): void {
  const stored = isObject(job.data.request) ? job.data.request : {};
  const validation = textOf(stored, 'propertyNameValidation');
  const response = execute(
    {
      method: textOf(stored, 'method') ?? 'GET',
      path: textOf(stored, 'path') ?? '',
      query: new URLSearchParams(textOf(stored, 'query')),
      headers: validation === undefined ? {} : { 'x-netsuite-propertynamevalidation': validation },
      body: textOf(stored, 'body') ?? '',
    },
    env,
  );
  env.db.update(JOB_TYPE, job.id, {
    ...job.data,
    progress: response.status < 400 ? 'succeeded' : 'failed',
    startTime: instant(env.now),
    endTime: instant(env.now),
    response: { status: response.status, headers: response.headers ?? {}, body: response.body },
  });
}

/** `GET /async/v1/job/{id}[/task[/{taskId}[/result]]]` */
export function readJob(segments: readonly string[], env: Env): SimResponse {
  const [id = '', task, taskId, result] = segments;
  const job = env.db.get(JOB_TYPE, id);
  if (!job || (taskId !== undefined && taskId !== '1')) throw notFound(id);
  const url = `${env.baseUrl}${JOB_PATH}/${id}`;
  const completed = job.data.progress === 'succeeded' || job.data.progress === 'failed';
  const status: Data = { completed, progress: job.data.progress };
  if (task === undefined) {
    return ok({ links: [selfLink(url)], ...status, id, task: { links: [selfLink(`${url}/task`)] } });
  }
  if (taskId === undefined) {
    const items = [{ links: [selfLink(`${url}/task/1`)], id: '1' }];
    return ok({
      links: [selfLink(`${url}/task`)],
      count: 1,
      hasMore: false,
      items,
      offset: 0,
      totalResults: 1,
    });
  }
  if (result === undefined) {
    const { startTime, endTime } = job.data;
    const links = [selfLink(`${url}/task/1`), { rel: 'related', href: `${url}/task/1/result` }];
    return ok({ links, ...status, id: '1', ...(completed && { startTime, endTime }) });
  }
  if (!completed) {
    throw new NetSuiteError(
      404,
      'NONEXISTENT_ID',
      'The result is not available yet. The task is still in progress.',
    );
  }
  return storedResponse(job);
}

function storedResponse(job: SimRecord): SimResponse {
  const response = isObject(job.data.response) ? job.data.response : {};
  const headers = isObject(response.headers) ? response.headers : {};
  return {
    status: numberOf(response, 'status') ?? 500,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: response.body,
  };
}

function ok(body: Data): SimResponse {
  return { status: 200, body };
}
