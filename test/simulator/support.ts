/** A reply as the test expects it to be shaped: the shape is claimed by the caller and checked by its assertions. */
export interface Reply<T> {
  status: number;
  headers: Headers;
  /** Parsed JSON; null for an empty body. */
  body: T;
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, strings as they are. */
  body?: unknown;
  signal?: AbortSignal;
}

export async function send<T = unknown>(url: string, call: Call = {}): Promise<Reply<T>> {
  const { method = 'GET', headers = {}, body, signal } = call;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, { method, headers, body: text, signal });
  const answer = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: answer === '' ? null : JSON.parse(answer),
  };
}
