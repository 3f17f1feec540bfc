export interface PublishProperties {
  name: string;
  /** Id of a `q2c-store` node: the one of the broker. */
  store: string;
  /** Id of a `q2c-broker` node. */
  broker: string;
  /** One of the model's business event types; empty = the type of the event that started the run. */
  eventType: string;
}

export const defaults: PublishProperties = { name: '', store: '', broker: '', eventType: '' };
