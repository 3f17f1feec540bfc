/** Configuration node: where runs, steps, cross-references and cases are kept. */
export interface StoreProperties {
  name: string;
  /** File of the embedded store, relative to `<userDir>/quote-to-cash/`; empty = `q2c.db` there. */
  path: string;
}

export const defaults: StoreProperties = { name: '', path: '' };
