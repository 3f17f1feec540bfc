export const scopes = ['run', 'key'] as const;
export const guarantees = ['at_most_once', 'at_least_once'] as const;

export interface OnceProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Once per run, or once per key over all runs. */
  scope: (typeof scopes)[number];
  /** Typed input; the key. */
  key: string;
  keyType: 'str' | 'msg' | 'jsonata' | 'env';
  /** What happens to a message whose run is broken off behind the node. */
  guarantee: (typeof guarantees)[number];
}

export const defaults: OnceProperties = {
  name: '',
  store: '',
  scope: 'run',
  key: 'payload.customer.id',
  keyType: 'msg',
  guarantee: 'at_most_once',
};
