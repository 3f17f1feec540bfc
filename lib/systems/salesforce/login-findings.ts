import { type CheckText, type FindingKey, finding, reasonIn, type SystemError } from '../kit';

interface LoginRow {
  /** The `error` of the token endpoint. */
  code: RegExp;
  /** Its `error_description`, where the code stands for several things. */
  text?: RegExp;
  key: FindingKey;
  /** Label of the field of the form that is wrong. */
  field?: string;
}

/**
 * What a refusal of the token endpoint means, first match wins. Codes and descriptions: Salesforce help "OAuth 2.0 error
 * codes" and the fact that `invalid_grant` stands for nearly everything.
 */
const ROWS: readonly LoginRow[] = [
  { code: /^(invalid_client_id|app_not_found)$/, key: 'CLIENT_WRONG', field: 'Consumer key' },
  { code: /^invalid_client$/, key: 'SECRET_WRONG', field: 'Consumer secret' },
  { code: /^(inactive_user|inactive_org)$/, key: 'USER_BLOCKED' },
  { code: /^invalid_grant$/, text: /inactive|locked|password/i, key: 'USER_BLOCKED' },
  { code: /^invalid_grant$/, text: /approved|consumer/i, key: 'USER_NOT_APPROVED' },
  { code: /^invalid_grant$/, text: /audience|domain/i, key: 'ACCOUNT_WRONG' },
  { code: /^invalid_grant$/, text: /expired|lifetime|too (old|early)/i, key: 'TIME_REFUSED' },
  { code: /^invalid_grant$/, text: /no client credentials user/i, key: 'FLOW_OFF' },
  { code: /^invalid_grant$/, text: /assertion|signature/i, key: 'KEY_WRONG' },
  { code: /^(unsupported_grant_type|unauthorized_client|invalid_app_access)$/, key: 'FLOW_OFF' },
];

const HISTORY = 'Setup > Identity > Login History';

/** Null when the refusal did not come from the token endpoint. */
export function loginFindings(error: SystemError): CheckText[] | null {
  if (error.kind !== 'auth') return null;
  const reason = reasonIn(error).replace(/^the login was refused: /, '');
  const row = ROWS.find(
    ({ code, text }) => code.test(error.vendorCode ?? '') && (text === undefined || text.test(error.reason)),
  );
  if (row !== undefined) return [finding(row.key, { reason, ...(row.field && { field: row.field }) })];
  if (error.status === null && /private key/i.test(reason)) return [finding('KEY_UNREADABLE', { reason })];
  if (error.status === null) return [finding('ACCOUNT_WRONG', { reason })];
  return [finding('LOGIN_REFUSED', { reason, where: HISTORY })];
}
