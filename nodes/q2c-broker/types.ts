/** Configuration node: an MQTT broker. User name and password are credentials. */
export interface BrokerProperties {
  name: string;
  /** Id of the `q2c-store` node whose events are published. */
  store: string;
  /** `mqtt://host:1883` or `mqtts://host:8883`. */
  url: string;
  /** `5`, or `4` for MQTT 3.1.1. */
  protocolVersion: string;
  /** Id of a `tls-config` node of Node-RED; empty = the authorities that Node.js trusts. */
  tls: string;
  /** Start of the client ids of this host; empty = made from the names of machine and user directory. */
  clientId: string;
  /** Hours the broker keeps messages for subscriptions that are away, as text. */
  keepHours: string;
  /** Publishes every announced event, besides those of `q2c-publish`. */
  announced: boolean;
}

export const protocolVersions = ['5', '4'] as const;

export const defaults: BrokerProperties = {
  name: '',
  store: '',
  url: 'mqtt://localhost:1883',
  protocolVersion: '5',
  tls: '',
  clientId: '',
  keepHours: '168',
  announced: true,
};
