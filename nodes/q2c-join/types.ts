export interface JoinProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** How many branches must have come, as text; empty = as many as are wired into the node. */
  branches: string;
}

export const defaults: JoinProperties = { name: '', store: '', branches: '' };
