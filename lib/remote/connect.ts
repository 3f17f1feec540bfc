import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HttpCall } from '../model';
import { loadSystem, type SystemId } from '../systems';
import { SystemError } from '../systems/kit/errors';
import type {
  AccessToken,
  CallContext,
  CheckOptions,
  ClientDependencies,
  ConnectionCheck,
  ConnectionConfig,
  EventSource,
  Health,
  Operation,
  SystemClient,
  SystemModule,
} from '../systems/kit/types';
import { Channel, fromWire } from '../thread';
import { errorClasses } from './errors';
import type { Made, Note, Opened, Opening, OperationCall, Question, Task } from './protocol';

/** A system's operations and events, with a client for them. */
export interface Connected {
  client: SystemClient;
  module: Pick<SystemModule, 'manifest' | 'operations' | 'events'>;
}

export interface RemoteDependencies extends Pick<ClientDependencies, 'tokens' | 'log' | 'reserveCall'> {
  /** Told of the HTTP calls of one task: asked for when it is given to the thread. */
  observe(): TaskObserver;
}

/** As `lib/observe` gives it. */
interface TaskObserver {
  traceparent: string | null;
  report(calls: readonly HttpCall[]): void;
}

/**
 * Connects to a vendor, whose calls are made in the thread of all connections: what a call costs besides the waiting
 * (sockets, encryption, JSON, checking of replies) leaves the host's event loop alone (docs/decisions/0031). What is pure
 * in an operation runs where it is called.
 *
 * @throws what the client throws for a configuration that is not complete
 */
export async function connectInThread(
  system: SystemId,
  config: ConnectionConfig,
  dependencies: RemoteDependencies,
): Promise<Connected> {
  const client = await thread.open(system, config, dependencies);
  return { client, module: await remoteModule(system) };
}

const remoteModules = new Map<SystemId, Promise<Connected['module']>>();

function remoteModule(system: SystemId): Promise<Connected['module']> {
  const known = remoteModules.get(system) ?? loadSystem(system).then(remoteOf);
  remoteModules.set(system, known);
  return known;
}

function remoteOf({ manifest, operations, events }: SystemModule): Connected['module'] {
  return {
    manifest,
    operations: operations.map((operation) => remoteOperation(operation)),
    events: events.map((source) => remoteSource(source)),
  };
}

function remoteOperation(operation: Operation): Operation {
  const of =
    (call: OperationCall) =>
    (client: SystemClient, ...args: unknown[]) =>
      remote(client).call(operation, call, args.slice(0, -1), args.at(-1) as CallContext);
  const { probe, adopt, compensate } = operation;
  return {
    ...operation,
    call: of('call'),
    ...(probe && { probe: of('probe') }),
    ...(adopt && { adopt: of('adopt') }),
    ...(compensate && { compensate: of('compensate') as Operation['compensate'] }),
  };
}

function remoteSource(source: EventSource): EventSource {
  return {
    ...source,
    poll: (client, cursor, context) => remote(client).poll(source.id, cursor, context),
  };
}

function remote(client: SystemClient): RemoteClient {
  if (client instanceof RemoteClient) return client;
  throw new TypeError('An operation of the thread takes a client of the thread.');
}

/** The client of a connection, as far as it is known outside of its thread. */
class RemoteClient implements SystemClient {
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;

  constructor(
    readonly system: SystemId,
    private readonly number: number,
    { instance, settings }: Opened,
    private readonly observe: RemoteDependencies['observe'],
  ) {
    this.instance = instance;
    this.settings = settings;
  }

  call(
    { entity, verb, duplicateSafety }: Operation,
    call: OperationCall,
    args: readonly unknown[],
    { signal, ...context }: CallContext,
  ): Promise<unknown> {
    // What changes nothing may simply be asked again.
    const isSafe = call === 'probe' || duplicateSafety === 'read-only';
    const task = {
      do: 'call',
      client: this.number,
      operation: `${entity}.${verb}`,
      call,
      args,
      context,
    } as const;
    return this.made((traceparent) => ({ ...task, traceparent }), signal, isSafe);
  }

  poll(
    event: string,
    cursor: Parameters<EventSource['poll']>[1],
    context: Parameters<EventSource['poll']>[2],
  ) {
    const { signal, ...plain } = context;
    const task: Task = { do: 'poll', client: this.number, event, cursor, context: plain };
    return this.made(() => task, signal, true) as ReturnType<EventSource['poll']>;
  }

  async test({ signal, ...told }: CheckOptions = {}): Promise<ConnectionCheck[]> {
    return thread.tested(told, (test) =>
      this.made(() => ({ do: 'test', client: this.number, test }), signal, true),
    ) as Promise<ConnectionCheck[]>;
  }

  health(): Promise<Health> {
    return thread.ask({ do: 'health', client: this.number }) as Promise<Health>;
  }

  close(): Promise<void> {
    return thread.close(this.number);
  }

  private async made(
    task: (traceparent: string | null) => Task,
    signal: AbortSignal | undefined,
    isSafe: boolean,
  ): Promise<unknown> {
    const observer = this.observe();
    const made = (await thread.ask(task(observer.traceparent), signal).catch((error: Error) => {
      throw this.lost(error, isSafe);
    })) as Made;
    observer.report(made.calls);
    if ('error' in made) throw fromWire(made.error, errorClasses);
    return made.value;
  }

  /** With the thread, the answers to its calls are gone. */
  private lost(cause: Error, isSafe: boolean): Error {
    if (!(cause instanceof ThreadEnded)) return cause;
    return new SystemError({
      system: this.system,
      kind: isSafe ? 'transient' : 'unknown',
      reason: cause.message,
      cause,
    });
  }
}

class ThreadEnded extends Error {
  constructor(cause?: Error) {
    super(`the thread that makes the calls has ended${cause ? `: ${cause.message}` : ''}`, { cause });
  }
}

/** The thread as the host sees it: started with the first connection, and anew when it has ended. */
class SystemsThread {
  private channel: Channel | null = null;
  private readonly connections = new Map<number, { opening: Opening; dependencies: RemoteDependencies }>();
  private connectionCount = 0;
  private readonly tests = new Map<number, Omit<CheckOptions, 'signal'>>();
  private testCount = 0;

  async open(
    system: SystemId,
    config: ConnectionConfig,
    dependencies: RemoteDependencies,
  ): Promise<SystemClient> {
    const number = ++this.connectionCount;
    const opening = { system, config, sharesRate: dependencies.reserveCall !== undefined };
    const asked = this.ask({ do: 'open', client: number, ...opening });
    this.connections.set(number, { opening, dependencies });
    try {
      return new RemoteClient(system, number, (await asked) as Opened, dependencies.observe);
    } catch (error) {
      this.connections.delete(number);
      throw error;
    }
  }

  /** Waits for the calls under way. */
  async close(number: number): Promise<void> {
    this.connections.delete(number);
    await this.channel?.ask({ do: 'close', client: number } satisfies Task).catch((error: Error) => {
      if (!(error instanceof ThreadEnded)) throw error;
    });
  }

  ask(task: Task, signal?: AbortSignal): Promise<unknown> {
    this.channel ??= this.start();
    return this.channel.ask(task, signal);
  }

  /** Does a test of which lines are noted. */
  async tested<T>(options: Omit<CheckOptions, 'signal'>, test: (number: number) => Promise<T>): Promise<T> {
    const number = ++this.testCount;
    this.tests.set(number, options);
    try {
      return await test(number);
    } finally {
      this.tests.delete(number);
    }
  }

  private start(): Channel {
    const worker = new Worker(join(__dirname, 'systems-thread.js'));
    const channel = new Channel(worker, {
      onQuestion: (question: Question) => this.answer(question),
      onNote: (note: Note) => this.noted(note),
      errors: errorClasses,
    });
    const ended = (cause?: Error) => {
      if (this.channel === channel) this.channel = null;
      channel.fail(new ThreadEnded(cause));
    };
    worker.on('error', ended);
    worker.on('exit', () => ended());
    // A call that is under way is no reason for the host to stay alive.
    worker.unref();
    for (const [client, { opening }] of this.connections) {
      // Its calls tell why a connection cannot be opened.
      channel.ask({ do: 'open', client, ...opening } satisfies Task).catch(() => undefined);
    }
    return channel;
  }

  private async answer(question: Question): Promise<unknown> {
    const connection = this.connections.get(question.client);
    if (connection === undefined) throw new Error('The connection is closed.');
    const { tokens, reserveCall } = connection.dependencies;
    if (question.ask === 'rate') return (await reserveCall?.(question.requestsPerSecond)) ?? null;
    const login = async () => (await this.ask({ do: 'login', login: question.login })) as AccessToken;
    return tokens.obtain(question.key, question.stale, login);
  }

  private noted(note: Note): void {
    if (note.note === 'plan') this.tests.get(note.test)?.onPlan?.(note.lines);
    else if (note.note === 'check') this.tests.get(note.test)?.onCheck?.(note.check);
    else this.connections.get(note.client)?.dependencies.log(note.level, note.message);
  }
}

const thread = new SystemsThread();
