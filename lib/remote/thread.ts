import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SystemId } from '../systems';
import type { AccessToken, CheckOptions, ClientDependencies, ConnectionConfig } from '../systems/kit/types';
import { Channel } from '../thread';
import { errorClasses } from './errors';
import type { Note, Opened, Opening, Question, Task } from './protocol';

/** What clients in the thread need of the host. */
export type ThreadDependencies = Pick<ClientDependencies, 'tokens' | 'log' | 'reserveCall'>;

/** There is no thread any more to answer. */
export class ThreadEnded extends Error {
  constructor(cause?: Error) {
    super(`the thread that makes the calls has ended${cause ? `: ${cause.message}` : ''}`, { cause });
  }
}

/** The thread as the host sees it: started with the first connection, and anew when it has ended. */
export class SystemsThread {
  private channel: Channel | null = null;
  private readonly connections = new Map<number, { opening: Opening; dependencies: ThreadDependencies }>();
  private connectionCount = 0;
  private readonly tests = new Map<number, Omit<CheckOptions, 'signal'>>();
  private testCount = 0;

  /** @param file the program */
  constructor(private readonly file = join(__dirname, 'systems-thread.js')) {}

  /** @throws what the client throws for a configuration that is not complete */
  async open(
    system: SystemId,
    config: ConnectionConfig,
    dependencies: ThreadDependencies,
  ): Promise<Opened & { number: number }> {
    const number = ++this.connectionCount;
    const opening = { system, config, sharesRate: dependencies.reserveCall !== undefined };
    const asked = this.ask({ do: 'open', client: number, ...opening });
    this.connections.set(number, { opening, dependencies });
    try {
      return { ...((await asked) as Opened), number };
    } catch (error) {
      this.connections.delete(number);
      throw error;
    }
  }

  /** Waits for the calls under way. */
  async close(number: number): Promise<void> {
    try {
      await this.channel?.ask({ do: 'close', client: number } satisfies Task);
    } catch (error) {
      // With the thread its sockets are gone too.
      if (!(error instanceof ThreadEnded)) throw error;
    } finally {
      this.connections.delete(number);
    }
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
    const worker = new Worker(this.file);
    const channel: Channel = new Channel(worker, {
      onQuestion: (question: Question) => this.answer(question, channel),
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

  /** @param asker knows the login that belongs to the question; a thread that came after it would make another one */
  private async answer(question: Question, asker: Channel): Promise<unknown> {
    const connection = this.connections.get(question.client);
    if (connection === undefined) throw new Error('The connection is closed.');
    const { tokens, reserveCall } = connection.dependencies;
    if (question.ask === 'rate') return (await reserveCall?.(question.requestsPerSecond)) ?? null;
    const task: Task = { do: 'login', login: question.login };
    const login = async () => (await asker.ask(task)) as AccessToken;
    return tokens.obtain(question.key, question.stale, login);
  }

  private noted(note: Note): void {
    if (note.note === 'plan') this.tests.get(note.test)?.onPlan?.(note.lines);
    else if (note.note === 'check') this.tests.get(note.test)?.onCheck?.(note.check);
    else this.connections.get(note.client)?.dependencies.log(note.level, note.message);
  }
}
