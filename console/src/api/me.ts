import { readonly, shallowRef } from 'vue';
import { get } from './client';
import type { Session } from './types';

const current = shallowRef<Session | null>(null);

/** Who looks, and what that person may do; null until it is known. */
export const me = readonly(current);

/** Asks anew, after a login. */
export async function loadMe(): Promise<void> {
  try {
    current.value = await get<Session>('session');
  } catch (error) {
    // A user who may not read is asked to log in by the client; without a connection the page says so itself.
    console.debug('Who looks:', error);
  }
}
void loadMe();

/** True when the button of such an action is of use; the host decides all the same. */
/** Some cases are this user's to act on; which ones and how, each case says. */
export const mayAct = (): boolean => (current.value?.roles.length ?? 0) > 0;
export const mayWrite = (): boolean => current.value?.permissions.write === true;
export const mayApprove = (): boolean => current.value?.permissions.approve === true;
export const mayUnmask = (): boolean => current.value?.permissions.unmask === true;
