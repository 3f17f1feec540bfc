import type { Request } from 'express';
import type { Caller } from '../../lib/api';

/** What Node-RED's login leaves on a request that it has let pass; nothing where no logins are set up. */
type Authenticated = Request & {
  user?: { username?: string };
  authInfo?: { scope?: string | string[] };
};

/** Who asks. Without logins everybody may do everything: that is how the host is set up. */
export function callerOf(request: Request): Caller {
  const { user, authInfo } = request as Authenticated;
  const scope = authInfo?.scope;
  return {
    name: user?.username ?? 'anonymous',
    isAnonymous: user?.username === undefined,
    may: (permission) => scope === undefined || [scope].flat().some((given) => grants(given, permission)),
  };
}

/**
 * Node-RED's own rule (`editor-api/lib/auth/permissions.js`), which it applies at the door of a route and does not hand
 * out: `*` grants all, `read` and `write` all permissions that end so, any other name itself.
 */
function grants(given: string, permission: string): boolean {
  if (given === '*' || given === permission) return true;
  const kind = /^(?:\*\.)?(read|write)$/.exec(given)?.[1];
  return kind !== undefined && (permission === kind || permission.endsWith(`.${kind}`));
}
