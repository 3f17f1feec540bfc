import type { GarbleMode, SimResponse } from './types';

/**
 * What arrives when something between vendor and caller spoils an answer: a proxy's page, nothing at all, or a body
 * of a version that names records otherwise. The status says that all is well.
 */
export function garbled(answer: SimResponse, mode: GarbleMode): SimResponse {
  // A Location names the record as well as the body does.
  const headers = Object.fromEntries(
    Object.entries(answer.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'location'),
  );
  switch (mode) {
    case 'html':
      return { status: 200, headers: {}, body: '<html><body><h1>Sign in to continue</h1></body></html>' };
    case 'empty':
      return { status: 200, headers };
    case 'no-id':
      return { status: answer.status, headers, body: withoutIds(answer.body) };
  }
}

function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => name.toLowerCase() !== 'id');
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutIds(member)]));
}
