import { accessToken, loginWanted } from './session';

/** What the API says when it refuses, or what became of a request that got no answer. */
export class ApiError extends Error {
  constructor(
    /** 0 = no answer. */
    readonly status: number,
    /** Stable; `NO_CONNECTION` when the host did not answer. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export const apiRoot = new URL('./api/v1/', new URL('.', location.href));

function address(path: string, query: Query = {}): URL {
  const url = new URL(path, apiRoot);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

/** @throws ApiError */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const response = await send(address(path, query), { signal });
  return (await response.json()) as T;
}

/** A record and its ETag, which an action on it sends back. */
export interface Tagged<T> {
  body: T;
  etag: string | null;
}

/** @throws ApiError */
export async function getTagged<T>(path: string, query?: Query, signal?: AbortSignal): Promise<Tagged<T>> {
  const response = await send(address(path, query), { signal });
  return { body: (await response.json()) as T, etag: response.headers.get('etag') };
}

/**
 * Does something. A key of its own goes along, so that a request that is sent twice acts once.
 * @param etag what the viewer saw; the host refuses when it has changed since
 * @throws ApiError
 */
export async function post<T>(path: string, body: unknown, etag: string | null = null): Promise<T> {
  const response = await send(address(path), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': newKey(),
      ...(etag !== null && { 'If-Match': etag }),
    },
    body: JSON.stringify(body),
  });
  return (response.status === 204 ? {} : await response.json()) as T;
}

/** Takes a record away. @throws ApiError */
export async function remove(path: string): Promise<void> {
  await send(address(path), { method: 'DELETE', headers: { 'Idempotency-Key': newKey() } });
}

/** Saves an answer as a file: a link could not send the token. @throws ApiError */
export async function download(path: string, query: Query, fileName: string): Promise<void> {
  const response = await send(address(path, query));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}

/** Not `randomUUID`, which browsers keep from pages that are served without TLS. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

/** The answer to a request with the viewer's token. @throws ApiError unless the status is 2xx */
export async function send(url: URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const token = accessToken();
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  const response = await fetch(url, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'NO_CONNECTION', String(error));
  });
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response: Response): Promise<ApiError> {
  if (response.status === 401 && (await isLoggedOut())) loginWanted.value = true;
  const text = await response.text();
  const problem = response.headers.get('content-type')?.includes('json')
    ? (JSON.parse(text) as { code?: string; title?: string; detail?: string })
    : {};
  return new ApiError(
    response.status,
    problem.code ?? `HTTP_${response.status}`,
    problem.detail ?? problem.title ?? response.statusText,
  );
}

/** Node-RED answers 401 to everybody who may not: only who may not even read is asked to log in. */
async function isLoggedOut(): Promise<boolean> {
  const token = accessToken();
  if (token === undefined) return true;
  const response = await fetch(address('session'), { headers: { Authorization: `Bearer ${token}` } });
  return response.status === 401;
}
