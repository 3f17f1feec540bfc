import type { SimContext, SimRequest } from '../../kit/types';
import { isValidAccessToken } from './oauth2';
import { isValidTba } from './tba';

/** Whether the request carries a valid bearer token or a valid TBA signature. */
export function isAuthorised(request: SimRequest, context: SimContext): boolean {
  const header = request.headers.authorization ?? '';
  const [scheme = '', credentials = ''] = header.split(/\s+(.*)/s);
  if (scheme.toLowerCase() === 'bearer') return isValidAccessToken(credentials, context);
  if (scheme.toLowerCase() === 'oauth') return isValidTba(credentials, request, context);
  return false;
}
