import { hashSync } from 'bcryptjs';

const PASSWORD = 'not a secret';

/** Node-RED settings with these users, by name, and their permissions. */
export function adminAuth(users: Record<string, string[]>) {
  const password = hashSync(PASSWORD, 4);
  return {
    type: 'credentials',
    users: Object.entries(users).map(([username, permissions]) => ({ username, password, permissions })),
  };
}

/** Headers of a user who has logged in. @param admin address of the editor */
export async function logIn(admin: string, username: string): Promise<{ authorization: string }> {
  const login = {
    client_id: 'node-red-admin',
    grant_type: 'password',
    scope: '',
    username,
    password: PASSWORD,
  };
  const response = await fetch(`${admin}/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login),
  });
  if (!response.ok) throw new Error(`${username} cannot log in: ${response.status} ${await response.text()}`);
  const { access_token: token } = (await response.json()) as { access_token: string };
  return { authorization: `Bearer ${token}` };
}
