import { Slots } from '../kit/guard';

/**
 * NetSuite counts calls in flight per account, over all users and integrations (Oracle help "Web Services and
 * RESTlet Concurrency Governance"). So all connections of one account in this process take their turn together,
 * whatever their credentials.
 */

export interface AccountMembership {
  slots: Slots;
  /** To be called once, when the connection closes. */
  leave: () => void;
}

const accounts = new Map<string, { slots: Slots; members: number }>();

/**
 * Joins the slots of an account. The connection that opens first decides how many there are, until the last one
 * has closed.
 *
 * @param account what tells accounts apart: account id and host.
 */
export function joinAccount(account: string, concurrency: number): AccountMembership {
  const entry = accounts.get(account) ?? { slots: new Slots(concurrency), members: 0 };
  entry.members += 1;
  accounts.set(account, entry);
  return {
    slots: entry.slots,
    leave: () => {
      entry.members -= 1;
      if (entry.members === 0) accounts.delete(account);
    },
  };
}
