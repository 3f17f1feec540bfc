import type { Node, NodeAPI } from 'node-red';
import type { BrokerSettings } from '../../lib/events';
import type { Testable } from './connection-test';
import { requireConfig } from './input';

export interface BrokerCredentials {
  user?: string;
  password?: string;
}

/** A `q2c-broker` node as other nodes see it. */
export interface BrokerNode extends Node<BrokerCredentials>, Testable {
  /** Id of the store whose events it publishes. */
  storeId: string;
  /** Receiver of the store's outbox that stands for the broker. */
  receiver: string;
  settings: BrokerSettings;
  /** How long the broker is asked to keep messages for sessions that are away. */
  expirySeconds: number;
  /** Client id of one of this host's sessions; the same at every start, another one on every host. */
  clientId(session: string): string;
}

/** @throws Q2cError `CONFIG_MISSING` when no broker is chosen. */
export const requireBroker = (RED: NodeAPI, id: string): BrokerNode =>
  requireConfig<BrokerNode>(RED, id, 'broker', 'q2c-broker');
