/**
 * One NetSuite account has two spellings: host names are lower case with `-`, the OAuth realm is upper case
 * with `_`. A mixed-up pair is answered with INVALID_LOGIN, so both are always derived, never typed in.
 */

/** `1234567_sb1` → `1234567-sb1`: the first label of the account's host names. */
export function accountHost(accountId: string): string {
  return accountId.trim().toLowerCase().replaceAll('_', '-');
}

/** `1234567-sb1` → `1234567_SB1`: the OAuth 1.0a realm; also names the account in cross-references. */
export function accountRealm(accountId: string): string {
  return accountId.trim().toUpperCase().replaceAll('-', '_');
}

/** Root of all REST services of the account, without trailing slash. */
export function restBaseUrl(accountId: string): string {
  return `https://${accountHost(accountId)}.suitetalk.api.netsuite.com`;
}

/** True for `1234567`, `1234567_SB1`, `TSTDRV1234567` and their host spellings. */
export function isAccountId(value: string): boolean {
  return /^[a-z0-9]{3,}([-_][a-z]{2,3}\d{0,2})?$/i.test(value.trim());
}
