export const modes = ['wait', 'notify'] as const;
/** What happens when the time is over: the message goes on from the second output, or its deal becomes a case. */
export const timeoutActions = ['send', 'case'] as const;
/** Whether events count that came before the message did: each for one run, for every run, or not at all. */
export const earlierEvents = ['once', 'always', 'never'] as const;
/** Whether later changes of the same record wait as well. */
export const orders = ['hold', 'release'] as const;

export interface WaitProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** `wait` keeps messages until the event comes; `notify` says that it has come. */
  mode: (typeof modes)[number];
  /** One of the model's business event types; empty = the name in `topic`. */
  event: string;
  /** Typed input; a name that both sides agree on. */
  topic: string;
  topicType: 'str' | 'msg' | 'jsonata' | 'env';
  /** Typed input; what the event must be about. */
  key: string;
  keyType: 'str' | 'msg' | 'jsonata' | 'env';
  /** Typed input; a time such as `3 days`, or an instant. Empty text = for ever. */
  timeout: string;
  timeoutType: 'str' | 'msg' | 'jsonata' | 'env';
  onTimeout: (typeof timeoutActions)[number];
  earlier: (typeof earlierEvents)[number];
  order: (typeof orders)[number];
  /** Property of the message that the event is put into. */
  field: string;
  /** Two where the time may be over and the message goes on, else one. */
  outputs: number;
}

export const defaults: WaitProperties = {
  name: '',
  store: '',
  mode: 'wait',
  event: '',
  topic: 'topic',
  topicType: 'msg',
  key: 'q2c.correlationId',
  keyType: 'msg',
  timeout: '',
  timeoutType: 'str',
  onTimeout: 'send',
  earlier: 'once',
  order: 'hold',
  field: 'event',
  outputs: 2,
};
