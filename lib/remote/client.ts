import type { JsonValue, TaskObserver } from '../model';
import type { SystemId } from '../systems';
import { SystemError } from '../systems/kit/errors';
import type {
  CallContext,
  CheckOptions,
  ConnectionCheck,
  Health,
  Operation,
  PollContext,
  PollResult,
  SystemClient,
} from '../systems/kit/types';
import { fromWire } from '../thread';
import { errorClasses } from './errors';
import type { Made, Opened, OperationCall, Task } from './protocol';
import { type SystemsThread, ThreadEnded } from './thread';

/** The client of a connection, as far as it is known outside of its thread. */
export class RemoteClient implements SystemClient {
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  private readonly number: number;

  constructor(
    private readonly thread: SystemsThread,
    readonly system: SystemId,
    { number, instance, settings }: Opened & { number: number },
    private readonly observe: () => TaskObserver,
  ) {
    this.number = number;
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

  poll(event: string, cursor: JsonValue | null, { signal, ...context }: PollContext): Promise<PollResult> {
    const task: Task = { do: 'poll', client: this.number, event, cursor, context };
    return this.made(() => task, signal, true) as Promise<PollResult>;
  }

  async test({ signal, ...told }: CheckOptions = {}): Promise<ConnectionCheck[]> {
    return this.thread.tested(told, (test) =>
      this.made(() => ({ do: 'test', client: this.number, test }), signal, true),
    ) as Promise<ConnectionCheck[]>;
  }

  health(): Promise<Health> {
    return this.thread.ask({ do: 'health', client: this.number }) as Promise<Health>;
  }

  close(): Promise<void> {
    return this.thread.close(this.number);
  }

  private async made(
    task: (traceparent: string | null) => Task,
    signal: AbortSignal | undefined,
    isSafe: boolean,
  ): Promise<unknown> {
    const observer = this.observe();
    const made = (await this.thread.ask(task(observer.traceparent), signal).catch((error: Error) => {
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
