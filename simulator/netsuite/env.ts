import type { RecordStore, SimContext } from '../kit/types';

export const ACCOUNT_ID = '1234567_SB1';
export const ACCOUNT_TYPE = 'account';
export const ACCOUNT_RECORD_ID = '1';

/**
 * Set-up of the account, kept as the control record `account` with id `1`: what an administrator chooses in
 * NetSuite's Setup menu, and the speed of its queue.
 */
export interface AccountSettings {
  /** With the underscore and in capitals: the OAuth realm. The host name has `1234567-sb1`. */
  accountId: string;
  /** REST calls in flight at once, over all integrations of the account. */
  concurrencyLimit: number;
  /** How long an asynchronous job waits in the queue. */
  asyncDelayMs: number;
  /** Status of a new sales order when none is given: `A` pending approval or `B` approved. */
  defaultOrderStatus: string;
  /** Last day of the last closed period, `YYYY-MM-DD`; null = all periods are open. */
  closedThrough: string | null;
  /** The feature REST Web Services and the role's permission for it. */
  restWebServices: boolean;
  /** Record types of which the role does not have the full permission. */
  permissions: Readonly<Record<string, Level>>;
}

/** `none`: the role may not even see records of the type. `view`: it may read them. */
export type Level = 'none' | 'view' | 'full';

export const DEFAULT_SETTINGS: AccountSettings = {
  accountId: ACCOUNT_ID,
  concurrencyLimit: 5,
  asyncDelayMs: 50,
  defaultOrderStatus: 'A',
  closedThrough: null,
  restWebServices: true,
  permissions: {},
};

/** What a request works with. */
export interface Env {
  db: RecordStore;
  baseUrl: string;
  /** Epoch milliseconds. */
  now: number;
  /** Today in the account's time zone, which is UTC. */
  today: string;
  settings: AccountSettings;
  partialPage: boolean;
  /** `X-NetSuite-PropertyNameValidation`: unknown property names are refused only when it is `Error`. */
  refuseUnknownNames: boolean;
}

export function envOf(context: SimContext, headers: Record<string, string> = {}): Env {
  const now = context.now();
  return {
    db: context.db,
    baseUrl: context.baseUrl,
    now,
    today: new Date(now).toISOString().slice(0, 10),
    settings: settingsOf(context.db),
    partialPage: context.partialPage,
    refuseUnknownNames: headers['x-netsuite-propertynamevalidation']?.toLowerCase() === 'error',
  };
}

export function settingsOf(db: RecordStore): AccountSettings {
  return { ...DEFAULT_SETTINGS, ...db.get(ACCOUNT_TYPE, ACCOUNT_RECORD_ID)?.data };
}

/** Level of the role's permission for a record type. */
export const levelOf = ({ settings }: Env, type: string): Level => settings.permissions[type] ?? 'full';

export function recordUrl(env: Env, ...segments: string[]): string {
  return [`${env.baseUrl}/services/rest/record/v1`, ...segments].join('/');
}
