import type { SimResponse } from '../kit/types';

/** One entry of the vendor's error list. `field` is present on validation errors only. */
export interface Problem {
  type: 'oauth' | 'system' | 'validation';
  message: string;
  field?: string;
}

/**
 * A refusal in the vendor's own words: an HTTP status and the `errors` list of the body.
 * The vendor has no machine-readable codes (developer.kantata.com, Errors).
 */
export class Refusal extends Error {
  readonly status: number;
  readonly problems: Problem[];

  constructor(status: number, problems: Problem[]) {
    super(problems.map((problem) => [problem.field, problem.message].filter(Boolean).join(': ')).join('; '));
    this.name = 'Refusal';
    this.status = status;
    this.problems = problems;
  }

  get response(): SimResponse {
    return { status: this.status, body: { errors: this.problems } };
  }
}

export const invalid = (field: string, message: string): Problem => ({ type: 'validation', message, field });

export const unprocessable = (problems: Problem[]) => new Refusal(422, problems);

const system = (status: number, message: string) => new Refusal(status, [{ type: 'system', message }]);

export const badRequest = (message: string) => system(400, message);
export const notFound = () => system(404, 'The requested resource could not be found');

/** Body seen live on a request without credentials; a revoked token gives the same. */
export const unauthorized = () => new Refusal(401, [{ type: 'oauth', message: 'Invalid OAuth 2 Request' }]);

/** Documented in prose only ("retry after a small delay"), without `Retry-After` or any other header. */
export const tooManyRequests = () => system(429, 'Too many requests. Please retry after a small delay.');

/** The access group of the user does not allow it. */
export const forbidden = () => system(403, 'You are not permitted to perform this action');

const MESSAGES: Record<number, string> = {
  400: 'Bad request',
  403: 'You are not permitted to perform this action',
  404: 'The requested resource could not be found',
  503: 'Service is unavailable',
};

/** The answer to a failure that is not the caller's doing. */
export function systemFailure(status: number): Refusal {
  if (status === 401) return unauthorized();
  if (status === 429) return tooManyRequests();
  return system(status, MESSAGES[status] ?? 'We encountered an unexpected error');
}
