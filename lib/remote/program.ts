import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort } from 'node:worker_threads';
import { type HttpCall, Q2cError } from '../model';
import { loadSystem } from '../systems';
import type { AccessToken, ClientDependencies, SystemClient, SystemModule } from '../systems/kit/types';
import { Channel, type Port, toWire } from '../thread';
import { errorClasses } from './errors';
import { HttpCalls } from './http-calls';
import type { CallTask, Made, Note, Opened, Opening, Question, Task } from './protocol';

/** A connection, as the thread has it. */
interface Connection {
  client: SystemClient;
  module: SystemModule;
}

/** The program of the thread that makes the vendors' calls (docs/decisions/0031). */
export function serve(): void {
  if (parentPort === null) throw new Error('This program runs in a thread of the host.');
  new Program(parentPort);
}

class Program {
  private readonly channel: Channel;
  private readonly connections = new Map<number, Promise<Connection>>();
  private readonly httpCalls = new HttpCalls();
  /** Logins that the host may ask for while it obtains a token. */
  private readonly logins = new Map<number, () => Promise<AccessToken>>();
  private loginCount = 0;

  constructor(port: Port) {
    this.channel = new Channel(port, {
      onQuestion: (task: Task, signal) => this.perform(task, signal),
      errors: errorClasses,
    });
  }

  private async perform(task: Task, signal = new AbortController().signal): Promise<unknown> {
    switch (task.do) {
      case 'open':
        return this.open(task.client, task);
      case 'call':
        return this.call(await this.connection(task.client), task, signal);
      case 'poll': {
        const { client, module } = await this.connection(task.client);
        const source = module.events.find(({ id }) => id === task.event);
        if (source === undefined) throw unknown(`event ${task.event}`);
        return this.made(null, () => source.poll(client, task.cursor, { ...task.context, signal }));
      }
      case 'test':
        return this.test((await this.connection(task.client)).client, task.test, signal);
      case 'health':
        return (await this.connection(task.client)).client.health();
      case 'close':
        return this.close(task.client);
      case 'login':
        return this.logins.get(task.login)?.();
    }
  }

  private async open(number: number, { system, config, sharesRate }: Opening): Promise<Opened> {
    const opening = loadSystem(system).then((module) => {
      const client = module.createClient(config, this.dependencies(number, sharesRate));
      return { client, module };
    });
    this.connections.set(number, opening);
    const { client } = await opening;
    return { instance: client.instance, settings: client.settings };
  }

  private async connection(number: number): Promise<Connection> {
    const connection = this.connections.get(number);
    if (connection === undefined) throw unknown(`connection ${number}`);
    return connection;
  }

  private call({ client, module }: Connection, task: CallTask, signal: AbortSignal): Promise<Made> {
    const operation = module.operations.find(({ entity, verb }) => `${entity}.${verb}` === task.operation);
    const context = { ...task.context, signal };
    return this.made(task.traceparent, async () => {
      // Args and their order are those of the function's declaration: the host passes on what it was called with.
      const call = operation?.[task.call] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
      if (call === undefined) throw unknown(`operation ${task.operation} (${task.call})`);
      return call.call(operation, client, ...task.args, context);
    });
  }

  private async made(traceparent: string | null, work: () => Promise<unknown>): Promise<Made> {
    const calls: HttpCall[] = [];
    try {
      return { value: await this.httpCalls.during(traceparent, calls, work), calls };
    } catch (error) {
      return { error: toWire(error), calls };
    }
  }

  private test(client: SystemClient, test: number, signal: AbortSignal): Promise<Made> {
    return this.made(null, () =>
      client.test({
        signal,
        onPlan: (lines) => this.note({ note: 'plan', test, lines: [...lines] }),
        onCheck: (check) => this.note({ note: 'check', test, check }),
      }),
    );
  }

  private async close(number: number): Promise<void> {
    const opening = this.connections.get(number);
    this.connections.delete(number);
    await (await opening)?.client.close();
  }

  private dependencies(client: number, sharesRate: boolean): ClientDependencies {
    return {
      tokens: {
        obtain: (key, stale, login) => this.obtainToken(client, key, stale, login),
      },
      log: (level, message) => this.note({ note: 'log', client, level, message }),
      onCall: this.httpCalls.observe,
      ...(sharesRate && {
        reserveCall: async (requestsPerSecond) =>
          (await this.ask({ ask: 'rate', client, requestsPerSecond })) as number | null,
      }),
    };
  }

  private async obtainToken(
    client: number,
    key: string,
    stale: string | null,
    login: () => Promise<AccessToken>,
  ): Promise<AccessToken> {
    const number = ++this.loginCount;
    // Its calls belong to the task that needs the token.
    this.logins.set(number, AsyncLocalStorage.bind(login));
    try {
      return (await this.ask({ ask: 'token', client, key, stale, login: number })) as AccessToken;
    } finally {
      this.logins.delete(number);
    }
  }

  private ask(question: Question): Promise<unknown> {
    return this.channel.ask(question);
  }

  private note(note: Note): void {
    this.channel.note(note);
  }
}

/** Host and thread are built from the same source: only a fault of ours can ask for what is not there. */
const unknown = (what: string): Q2cError => new Q2cError('CONFIG_MISSING', `There is no ${what}.`);
