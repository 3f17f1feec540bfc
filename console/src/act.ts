import { t } from './i18n';
import { roleName } from './names';

/** What forms of actions begin with. */

/** Roles to hand a case to; empty = as the policy says. */
export const roleChoices = [
  { value: '', title: t.act.byPolicy },
  ...Object.keys(t.role).map((value) => ({ value, title: roleName(value) })),
];

/** For a field of date and time, which knows only the viewer's own zone. */
export function inOneDay(): string {
  const now = new Date();
  return new Date(now.getTime() + 86_400_000 - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
