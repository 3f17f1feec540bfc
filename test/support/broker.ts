import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';

/** What a test asks of a broker process; faults only of the MQTT 5 one. */
export type BrokerCommand =
  | 'status'
  | {
      /** Who may sign in, by user name; null = everybody. */
      passwords?: Record<string, string> | null;
      /** Answers publishes whose topic contains this with a reason code. */
      refuse?: { topic: string; code: number } | null;
      /** Takes publishes and never acknowledges them. */
      silent?: boolean;
    };

export interface BrokerStatus {
  /** Ids of the clients that are connected. */
  clients: string[];
  /** Topic filters of all sessions. */
  filters: string[];
  /** Messages that clients have published, acknowledged or not. */
  published: number;
}

export type BrokerReport = { listening: number } | BrokerStatus | { obeyed: true };

const kinds = { aedes: 4, mqtt5: 5 } as const;
export type BrokerKind = keyof typeof kinds;

/** A broker in a process of its own that can be killed and started again under the same address. */
export class Broker {
  private child: ChildProcess | null = null;
  private port = 0;

  private constructor(readonly kind: BrokerKind) {}

  static async start(kind: BrokerKind): Promise<Broker> {
    const broker = new Broker(kind);
    await broker.start();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get protocolVersion(): 4 | 5 {
    return kinds[this.kind];
  }

  async start(): Promise<void> {
    const program = join(__dirname, 'brokers', `${this.kind}.mts`);
    this.child = fork(program, [String(this.port)], { execArgv: ['--no-warnings'] });
    const failed = once(this.child, 'exit').then(([code]) => {
      throw new Error(`The broker ended with ${code} before it listened.`);
    });
    const [report] = (await Promise.race([once(this.child, 'message'), failed])) as [BrokerReport];
    // From now on its end is what a test does to it.
    failed.catch(() => undefined);
    if (!('listening' in report)) throw new Error('The broker did not begin to listen.');
    this.port = report.listening;
  }

  /** `kill -9`: sessions and messages in memory are gone. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child === null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async status(): Promise<BrokerStatus> {
    const report = await this.ask('status');
    if (!('clients' in report)) throw new Error('The broker did not name its clients.');
    return report;
  }

  async obey(command: Exclude<BrokerCommand, 'status'>): Promise<void> {
    await this.ask(command);
  }

  /** Another program at the broker. */
  async connect(clientId?: string): Promise<MqttClient> {
    const options = {
      protocolVersion: this.protocolVersion,
      reconnectPeriod: 0,
      ...(clientId ? { clientId } : {}),
    };
    return mqtt.connectAsync(this.url, options);
  }

  private async ask(command: BrokerCommand): Promise<BrokerReport> {
    if (this.child === null) throw new Error('The broker does not run.');
    const answer = once(this.child, 'message');
    this.child.send(command);
    return ((await answer) as [BrokerReport])[0];
  }
}
