export type { BrokerSettings } from './broker';
export { type BrokerCheck, checkBroker } from './broker-check';
export type { ConnectionListener } from './connection';
export { Publisher, type PublisherOptions } from './publisher';
export { Relay, type RelayOptions } from './relay';
export { Subscriber, type SubscriberOptions } from './subscriber';
export { sharedFilter, topicFilter } from './topics';
