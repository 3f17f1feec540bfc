import type { JsonValue } from '../../../../lib/model';
import { errorOfReply } from '../../../../lib/systems/kit/error-table';
import { errorTable } from '../../../../lib/systems/netsuite/errors';

const restBody = (status: number, code: string, detail: string, path?: string): JsonValue => ({
  type: 'https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1',
  title: 'Bad Request',
  status,
  'o:errorDetails': [{ detail, 'o:errorCode': code, ...(path ? { 'o:errorPath': path } : {}) }],
});

const errorOf = (status: number, body: JsonValue, safe = false) =>
  errorOfReply('netsuite', errorTable, { status, headers: {}, body }, { what: 'PUT /x', safe, secrets: [] });

describe('error table', () => {
  test.each([
    [400, 'USER_ERROR', 'rejected', 'TARGET_REJECTED'],
    [400, 'INVALID_CONTENT', 'rejected', 'TARGET_REJECTED'],
    [400, 'INVALID_KEY_OR_REF', 'rejected', 'TARGET_REJECTED'],
    [400, 'DUP_RCRD', 'rejected', 'TARGET_REJECTED'],
    [403, 'INSUFFICIENT_PERMISSION', 'rejected', 'TARGET_REJECTED'],
    [400, 'IDEMPOTENCY_ERROR', 'unknown', 'OUTCOME_UNKNOWN'],
    [401, 'INVALID_LOGIN', 'auth', 'AUTH_EXPIRED'],
    [400, 'INVALID_LOGIN_ATTEMPT', 'auth', 'AUTH_EXPIRED'],
    [404, 'NONEXISTENT_ID', 'not_found', 'TARGET_REJECTED'],
    [400, 'RCRD_HAS_BEEN_CHANGED', 'conflict', 'TARGET_REJECTED'],
    [409, 'RCRD_HAS_BEEN_CHANGED', 'conflict', 'TARGET_REJECTED'],
    [429, 'CONCURRENCY_LIMIT_EXCEEDED', 'rate_limited', 'RATE_LIMITED'],
    [400, 'SSS_REQUEST_LIMIT_EXCEEDED', 'rate_limited', 'RATE_LIMITED'],
    [400, 'WS_CONCUR_SESSION_DISALLWD', 'rate_limited', 'RATE_LIMITED'],
    [403, 'WS_REQUEST_BLOCKED', 'rate_limited', 'RATE_LIMITED'],
    [500, 'UNEXPECTED_ERROR', 'unknown', 'OUTCOME_UNKNOWN'],
    [503, 'UNEXPECTED_ERROR', 'unknown', 'OUTCOME_UNKNOWN'],
  ])('%i %s after a write is %s', (status, code, kind, domainCode) => {
    const error = errorOf(status, restBody(status, code, 'why'));
    expect({ kind: error.kind, code: error.code, vendorCode: error.vendorCode }).toEqual({
      kind,
      code: domainCode,
      vendorCode: code,
    });
  });

  test('a server error on something repeatable is transient', () => {
    expect(errorOf(500, restBody(500, 'UNEXPECTED_ERROR', 'x'), true).kind).toBe('transient');
  });

  test('the reason is what NetSuite says to a user, with the place', () => {
    const body = restBody(400, 'USER_ERROR', 'Please enter value(s) for: Item', 'item.items[0].item');
    expect(errorOf(400, body).reason).toBe('Please enter value(s) for: Item (item.items[0].item)');
  });

  test('several details make one reason', () => {
    const body = {
      title: 'Bad Request',
      'o:errorDetails': [
        { detail: 'Please enter value(s) for: Primary Subsidiary.', 'o:errorCode': 'USER_ERROR' },
        { detail: 'Please enter value(s) for: Currency.', 'o:errorCode': 'USER_ERROR' },
      ],
    };
    expect(errorOf(400, body).reason).toBe(
      'Please enter value(s) for: Primary Subsidiary. Please enter value(s) for: Currency.',
    );
  });

  test.each<[string, number, JsonValue, string, string]>([
    [
      'OAuth',
      400,
      { error: 'invalid_grant', error_description: 'Bad certificate' },
      'auth',
      'Bad certificate',
    ],
    ['OAuth without description', 401, { error: 'invalid_client' }, 'auth', 'invalid_client'],
    [
      'RESTlet',
      400,
      { error: { code: 'SSS_REQUEST_LIMIT_EXCEEDED', message: 'Too many' } },
      'rate_limited',
      'Too many',
    ],
    ['title only', 400, { title: 'Bad Request' }, 'rejected', 'Bad Request'],
    ['page of a proxy', 502, null, 'unknown', 'PUT /x was answered with status 502'],
  ])('body of %s', (_name, status, body, kind, reason) => {
    expect(errorOf(status, body)).toMatchObject({ kind, reason });
  });
});
