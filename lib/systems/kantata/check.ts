import { SystemError } from '../kit/errors';
import type { HttpClient } from '../kit/http-types';
import type { ConnectionCheck } from '../kit/types';

/**
 * Host, login, and whether the integration user sees projects and templates. Whether it may create projects
 * cannot be known without creating one.
 */
export async function checkConnection(http: HttpClient): Promise<ConnectionCheck[]> {
  const failure = await failureOf(http, '/users/me');
  const host: ConnectionCheck = { id: 'host', label: 'Kantata answers', ok: true, message: '' };
  if (failure && failure.kind !== 'auth') {
    return [{ ...host, ok: false, message: `${failure.reason}. Check the API address and the network.` }];
  }
  const login: ConnectionCheck = { id: 'login', label: 'Access token is accepted', ok: true, message: '' };
  if (failure) {
    const message = `${failure.reason}. Copy the token again from the page of the OAuth application in Kantata.`;
    return [host, { ...login, ok: false, message }];
  }
  return [
    host,
    login,
    await checkAccess(http, { id: 'projects', label: 'Projects can be read', path: '/workspaces' }),
    await checkAccess(http, { id: 'templates', label: 'Project templates can be read', path: '/project_templates' }),
  ];
}

async function checkAccess(
  http: HttpClient,
  { id, label, path }: { id: string; label: string; path: string },
): Promise<ConnectionCheck> {
  const failure = await failureOf(http, path);
  if (!failure) return { id, label, ok: true, message: '' };
  return { id, label, ok: false, message: `${failure.reason}. Give the integration user an access group that may.` };
}

async function failureOf(http: HttpClient, path: string): Promise<SystemError | null> {
  try {
    await http.request({ method: 'GET', path, query: { per_page: 1 } });
    return null;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
}
