import { ref } from 'vue';

/**
 * The viewer's session with Node-RED. The token is the editor's own, kept where the editor keeps it, so whoever is logged
 * in there is logged in here and the other way round.
 */

/** Address of the editor; the console is served one folder below. */
export const adminRoot = new URL('..', new URL('.', location.href));

const TOKEN_AT = `auth-tokens${adminRoot.pathname.replace(/\/$/, '').replaceAll('/', '-')}`;

/** True when the host has refused a request: the viewer must log in, or may not see this. */
export const loginWanted = ref(false);

export function accessToken(): string | undefined {
  const kept = localStorage.getItem(TOKEN_AT);
  if (kept === null) return undefined;
  try {
    return (JSON.parse(kept) as { access_token?: string }).access_token;
  } catch {
    // Not written by the editor: as good as none.
    return undefined;
  }
}

export interface Login {
  /** `credentials`: name and password; `strategy`: a page of its own, reached through the editor; none: no login. */
  type?: 'credentials' | 'strategy';
}

/** How one logs in to this host. */
export async function askLogin(): Promise<Login> {
  const response = await fetch(new URL('auth/login', adminRoot));
  return response.ok ? ((await response.json()) as Login) : {};
}

/** @returns false when name or password are wrong */
export async function logIn(username: string, password: string): Promise<boolean> {
  const response = await fetch(new URL('auth/token', adminRoot), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_id: 'node-red-editor',
      grant_type: 'password',
      scope: '',
      username,
      password,
    }),
  });
  if (!response.ok) return false;
  localStorage.setItem(TOKEN_AT, await response.text());
  loginWanted.value = false;
  return true;
}

/** Ends the session on the host and forgets the token. */
export async function logOut(): Promise<void> {
  const token = accessToken();
  localStorage.removeItem(TOKEN_AT);
  if (token !== undefined) {
    await fetch(new URL('auth/revoke', adminRoot), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ token }),
    });
  }
  location.reload();
}
