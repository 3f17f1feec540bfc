import { hash } from 'node:crypto';
import { jsonValueSchema, Q2cError } from '../model';
import { appendAudit } from '../store';
import { Masker } from './masking';
import { problemOf } from './problem';
import { doOnce } from './requests';
import type { ApiContext, Route, TextReply } from './route';

/** Answers one request of a route, whatever server it came through. */

export interface Request {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
  /** By lower-case name. */
  header(name: string): string | undefined;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: { json: unknown } | { text: string } | { stream: AsyncIterable<string> } | null;
}

/** What the server knows of the caller and the host; the rest of the context is the request's. */
export type Surroundings = Omit<
  ApiContext,
  'conceal' | 'concealWords' | 'redact' | 'expectedVersion' | 'lastEventId'
>;

const KEY = /^[\x21-\x7e]{1,200}$/;

/** Never rejects: what goes wrong is a problem document. @param onFault told of faults of this program */
export async function answer(
  route: Route,
  request: Request,
  surroundings: Surroundings,
  onFault: (error: unknown) => void,
): Promise<Answer> {
  try {
    return await answered(route, request, surroundings);
  } catch (error) {
    if (!(error instanceof Q2cError)) onFault(error);
    return refusal(error);
  }
}

/** The problem document of an error. */
export function refusal(error: unknown): Answer {
  const problem = problemOf(error);
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
    body: { json: problem },
  };
}

async function answered(route: Route, request: Request, surroundings: Surroundings): Promise<Answer> {
  const { unmask, ...query } = request.query;
  const isUnmasked = unmask === 'true';
  if (isUnmasked) requireUnmasking(route, surroundings);
  const masker = new Masker(surroundings.host.classifiedFields);
  const context: ApiContext = {
    ...surroundings,
    conceal: (payload, operation) => masker.conceal(payload, operation),
    concealWords: (words) => masker.concealWords(words),
    redact: (text) => (isUnmasked ? text : masker.redact(text)),
    expectedVersion: versionIn(request.header('if-match'), route),
    lastEventId: request.header('last-event-id') ?? null,
  };
  const input = { params: request.params, query, body: request.body };
  const { reply } = route;
  if (reply.kind === 'stream') {
    const stream = (await route.serve(input, context)) as AsyncIterable<string>;
    return { status: 200, headers: streamHeaders(reply.type), body: { stream } };
  }
  if (reply.kind === 'text') {
    const served = (await route.serve(input, context)) as TextReply | null;
    if (served === null) throw unknownRecord();
    return document(served);
  }

  let version: string | null = null;
  const act = async () => {
    const served = await route.serve(input, context);
    if (served === null) throw unknownRecord();
    version = route.version?.(served as never) ?? null;
    const body = isUnmasked
      ? await shown(route, request, context, masker, served)
      : withMaskedPaths(masker.mask(served));
    return { status: reply.status ?? 200, body };
  };
  const key = request.header('idempotency-key');
  if (route.method === 'get' || key === undefined) {
    const { status, body } = await act();
    return route.method === 'get' ? asCached(request, version, body) : json(status, body);
  }
  const done = await doOnce(
    context.engine.store,
    {
      caller: context.caller.name,
      key: requireKey(key),
      route: `${route.id} ${JSON.stringify(request.params)}`,
      body: jsonValueSchema.parse(request.body ?? {}),
    },
    act,
    route.isReplyKept,
  );
  const answer = json(done.status, done.body);
  if (done.isReplayed) answer.headers['idempotency-replayed'] = 'true';
  return answer;
}

function document({ type, text, fileName }: TextReply): Answer {
  const headers: Record<string, string> = { 'content-type': withCharset(type), 'cache-control': 'no-store' };
  if (fileName !== undefined) headers['content-disposition'] = `attachment; filename="${fileName}"`;
  // What a page holds comes from outside: it must not run anything, whatever slips in.
  if (type === 'text/html')
    headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'";
  return { status: 200, headers, body: { text } };
}

const withCharset = (type: string): string => (type.includes(';') ? type : `${type}; charset=utf-8`);

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  body: { json: body },
});

/** Proxies must neither keep nor hold back what is told live. */
const streamHeaders = (type: string): Record<string, string> => ({
  'content-type': type,
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
});

// ------------------------------------------------------------------ masking

/** @throws Q2cError `LOGIN_REQUIRED`, `PERMISSION_MISSING` */
function requireUnmasking(route: Route, { caller }: Surroundings): void {
  if (!route.hasPayload) throw new Q2cError('VALUE_INVALID', 'There is nothing to unmask on this route.');
  if (caller.isAnonymous) {
    throw new Q2cError(
      'LOGIN_REQUIRED',
      'Unmasking is audited by name: set up logins (adminAuth) in the settings of Node-RED.',
    );
  }
  if (caller.may('q2c.unmask')) return;
  throw new Q2cError('PERMISSION_MISSING', `${caller.name} lacks the permission q2c.unmask.`);
}

/** Whatever would have been masked is written down before it is shown. */
async function shown(
  route: Route,
  request: Request,
  { engine: { store }, caller }: ApiContext,
  masker: Masker,
  served: unknown,
): Promise<unknown> {
  const { paths } = masker.mask(served);
  if (paths.length === 0) return served;
  await store.write((tx) =>
    appendAudit(tx, {
      at: store.now(),
      actor: caller.name,
      action: 'data.unmasked',
      subject: Object.values(request.params)[0] ?? route.id,
      runId: null,
      detail: { route: route.id, fields: paths },
    }),
  );
  return served;
}

function withMaskedPaths({ reply, paths }: ReturnType<Masker['mask']>): unknown {
  const isDetail = typeof reply === 'object' && reply !== null && 'masked' in reply;
  return isDetail ? { ...reply, masked: paths } : reply;
}

// ------------------------------------------------------------------ conditions

/** An ETag is the version of the resource, where it has one, and a digest of what was shown. */
function asCached(request: Request, version: string | null, body: unknown): Answer {
  const digest = hash('sha256', JSON.stringify(body ?? null), 'base64url').slice(0, 22);
  const etag = version === null ? `"${digest}"` : `"${version}.${digest}"`;
  const answer = json(200, body);
  answer.headers.etag = etag;
  // It may be kept, but is asked for again each time; others must not see it.
  answer.headers['cache-control'] = 'private, no-cache';
  const known = (request.header('if-none-match') ?? '').split(',').map((each) => each.trim());
  return known.includes(etag) ? { status: 304, headers: answer.headers, body: null } : answer;
}

/** @throws Q2cError `VALUE_INVALID` where it would not be heeded */
function versionIn(ifMatch: string | undefined, route: Route): string | null {
  if (ifMatch === undefined || ifMatch === '*') return null;
  const version = /^"([^".]+)\.[^"]*"$/.exec(ifMatch)?.[1];
  if (route.isConditional && version !== undefined) return version;
  throw new Q2cError(
    'VALUE_INVALID',
    'If-Match works for actions on runs and cases, with the ETag that the run or case came with.',
  );
}

function requireKey(key: string): string {
  if (KEY.test(key)) return key;
  throw new Q2cError('VALUE_INVALID', 'An Idempotency-Key has 1 to 200 visible ASCII characters.');
}

const unknownRecord = () =>
  new Q2cError('RECORD_UNKNOWN', 'There is no such record, or it is not kept any more.');
