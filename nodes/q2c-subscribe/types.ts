/** Node `q2c-subscribe`: starts one durable run per business event. */
export interface SubscribeProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Id of a `q2c-broker` node; empty = the events announced in the same store. */
  broker: string;
  /** The only event type that starts runs; empty = every type. */
  eventType: string;
  /** Topic filter at the broker; empty = the topics of the chosen event and of the store's firm key. */
  topic: string;
  /** Hosts of the same group share the events; empty = all hosts with this node. With MQTT 3.1.1 each host gets all. */
  group: string;
  /** Runs of this node that may be under way at once, as text. */
  concurrency: string;
}

export const defaults: SubscribeProperties = {
  name: '',
  store: '',
  broker: '',
  eventType: '',
  topic: '',
  group: '',
  concurrency: '8',
};
