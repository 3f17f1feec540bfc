import * as z from 'zod';
import type { ErrorTable } from '../kit';

/** `type` is `oauth`, `system` or `validation`, or missing; Kantata has no machine-readable codes beyond that. */
const errorBody = z.looseObject({
  errors: z.array(z.looseObject({ type: z.string().optional(), message: z.string() })).min(1),
});

/**
 * What Kantata's answers mean (fact sheet §8). There is no idempotency key, so whatever may have been
 * processed is `unknown`: a repeated POST would make a second project.
 */
export const errorTable: ErrorTable = {
  rows: [
    { status: 401, kind: 'auth' },
    { status: 429, kind: 'rate_limited' },
    { status: 404, kind: 'not_found' },
    { status: 503, kind: 'transient' },
    { status: (status) => status >= 500, kind: 'unknown' },
    { status: (status) => status >= 400, kind: 'rejected' },
  ],
  codeOf(body) {
    const [error] = errorBody.safeParse(body).data?.errors ?? [];
    return error === undefined ? null : (error.type ?? 'error');
  },
  reasonOf: (body) =>
    errorBody
      .safeParse(body)
      .data?.errors.map((error) => error.message)
      .join('; ') ?? null,
};
