import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Users of a Node-RED under test, and how they log in. */

interface Bcrypt {
  hashSync(text: string, rounds: number): string;
}
/** A part of Node-RED. It brings no types. */
const bcrypt: Bcrypt = createRequire(join(__dirname, '../../package.json'))('bcryptjs');

export const PASSWORD = 'correct horse';

/** The setting of Node-RED for these users, by name, and their permissions. */
export function adminAuth(users: Readonly<Record<string, string | string[]>>) {
  const password = bcrypt.hashSync(PASSWORD, 4);
  return {
    type: 'credentials',
    users: Object.entries(users).map(([username, permissions]) => ({ username, password, permissions })),
  };
}

/** A token of the user. @param admin address of the editor */
export async function tokenOf(admin: string, username: string): Promise<string> {
  const login = {
    client_id: 'node-red-editor',
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
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Headers of a user who has logged in. */
export const logIn = async (admin: string, username: string): Promise<{ authorization: string }> => ({
  authorization: `Bearer ${await tokenOf(admin, username)}`,
});
