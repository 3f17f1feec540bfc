/** Configuration node: where runs, steps, cross-references and cases are kept. */
export interface StoreProperties {
  name: string;
  /** File of the embedded store, relative to `<userDir>/quote-to-cash/`; empty = `q2c.db` there. */
  path: string;
  /** Name of the firm in idempotency keys and event sources; changing it makes every write look new. */
  tenant: string;
  /** Days that things are kept (`RetentionPolicy`); empty = the default, 0 = for ever. */
  financialDays: string;
  otherDays: string;
  caseDays: string;
  outboxDays: string;
}

export const defaults: StoreProperties = {
  name: '',
  path: '',
  tenant: 'main',
  financialDays: '',
  otherDays: '',
  caseDays: '',
  outboxDays: '',
};
