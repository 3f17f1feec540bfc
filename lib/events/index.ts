export type { BrokerSettings } from './broker';
export { type BrokerCheck, checkBroker } from './broker-check';
export type { ConnectionListener } from './connection';
export { Publisher } from './publisher';
export { Relay } from './relay';
export { Subscriber } from './subscriber';
export { sharedFilter, topicFilter } from './topics';
