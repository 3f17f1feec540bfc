/** Configuration node: where runs, steps, cross-references and cases are kept. */
export interface StoreProperties {
  name: string;
  /** File of the embedded store, relative to `<userDir>/quote-to-cash/`; empty = `q2c.db` there. */
  path: string;
  /** Name of the firm in idempotency keys and event sources; changing it makes every write look new. */
  tenant: string;
}

export const defaults: StoreProperties = { name: '', path: '', tenant: 'main' };
