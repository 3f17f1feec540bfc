import type { SimRequest } from '../kit/types';
import { ApiError, badRequest } from './errors';

/**
 * The body of a request as a JSON object.
 * @throws ApiError 415 when it is not declared as JSON, 400 `JSON_PARSER_ERROR` when it is not a JSON object.
 */
export function jsonObject(request: SimRequest): Record<string, unknown> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type)) {
    const message = `Content-Type header specified in HTTP request is not supported: ${type}`;
    throw new ApiError(415, { errorCode: 'UNSUPPORTED_MEDIA_TYPE', message });
  }
  let value: unknown;
  try {
    value = JSON.parse(request.body);
  } catch (error) {
    throw badRequest(
      'JSON_PARSER_ERROR',
      `Unexpected character in the body: ${error instanceof Error ? error.message : error}`,
    );
  }
  return asObject(value, 'the body');
}

/** @throws ApiError 400 `JSON_PARSER_ERROR` */
export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('JSON_PARSER_ERROR', `Cannot deserialize ${what}: a JSON object is expected`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** @throws ApiError 400 `JSON_PARSER_ERROR` */
export function asArray(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value))
    throw badRequest('JSON_PARSER_ERROR', `Cannot deserialize ${what}: a JSON array is expected`);
  return value;
}
