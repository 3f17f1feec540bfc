export interface CheckProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Id of a `q2c-firm` node. */
  firm: string;
}

export const defaults: CheckProperties = { name: '', store: '', firm: '' };
