import { errorTable } from '../../../../lib/systems/kantata/errors';
import { errorOfReply } from '../../../../lib/systems/kit/error-table';

const body = (type: string, ...messages: string[]) => ({
  errors: messages.map((message) => ({ type, message })),
});

function errorOf(status: number, reply: unknown, safe = false) {
  return errorOfReply(
    'kantata',
    errorTable,
    { status, headers: {}, body: reply as never },
    { what: 'POST /workspaces', safe, secrets: [] },
  );
}

describe('what Kantata answers', () => {
  it.each([
    [400, 'rejected', 'TARGET_REJECTED'],
    [401, 'auth', 'AUTH_EXPIRED'],
    [403, 'rejected', 'TARGET_REJECTED'],
    [404, 'not_found', 'TARGET_REJECTED'],
    [422, 'rejected', 'TARGET_REJECTED'],
    [429, 'rate_limited', 'RATE_LIMITED'],
    [503, 'transient', 'TARGET_UNAVAILABLE'],
    [500, 'unknown', 'OUTCOME_UNKNOWN'],
    [504, 'unknown', 'OUTCOME_UNKNOWN'],
  ])('a write answered with %d is %s', (status, kind, code) => {
    expect(errorOf(status, body('system', 'no'))).toMatchObject({ kind, code, status, vendorCode: 'system' });
  });

  it('a read that ran into the time-out of a gateway may be repeated', () => {
    expect(errorOf(504, '<html>', true).kind).toBe('transient');
  });

  it('takes the plain reason from the list of errors', () => {
    const reply = {
      errors: [
        { type: 'validation', field: 'title', message: 'Please give your project a title' },
        { type: 'validation', field: 'price', message: 'Price is not a number' },
      ],
    };
    expect(errorOf(422, reply).reason).toBe('Please give your project a title; Price is not a number');
  });

  it.each([
    ['text', 'Bad gateway'],
    ['null', null],
    ['an empty list', { errors: [] }],
    ['another shape', { error: 'x' }],
  ])('has a reason of its own for a body that is %s', (_name, reply) => {
    expect(errorOf(502, reply)).toMatchObject({
      kind: 'unknown',
      vendorCode: null,
      reason: 'POST /workspaces was answered with status 502',
    });
  });
});
