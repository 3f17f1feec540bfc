import type { MessagePort, Worker } from 'node:worker_threads';
import { type ErrorClasses, fromWire, toWire, type WireError } from './wire-error';

/** The other thread, as a host and as the thread itself have it. */
export type Port = Worker | MessagePort;

type Message =
  | { ask: number; question: unknown; isCancellable: boolean }
  | { answer: number; value: unknown }
  | { failure: number; error: WireError }
  | { cancel: number }
  | { note: object };

/** What one side does with what comes from the other. */
export interface Listener {
  /** @param signal fires when the asker waits no longer; there where the asker has one */
  onQuestion?(question: never, signal: AbortSignal | undefined): Promise<unknown>;
  onNote?(note: never): void;
  /** Classes of errors that the asker knows by more than code and message. */
  errors?: ErrorClasses;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  signal: AbortSignal | undefined;
}

/** Questions that a signal cancels: many share one, and to listen to it for each would cost more than to ask. */
interface Cancellable {
  asked: Set<number>;
  cancel(): void;
}

/**
 * Questions and answers between two threads, both of which may ask. Everything is copied: questions, answers and notes
 * are plain data. What is said before anything else can happen goes in one message, since a message costs more than what
 * is in it.
 */
export class Channel {
  private readonly waiting = new Map<number, Waiting>();
  private readonly cancellable = new Map<AbortSignal, Cancellable>();
  /** Questions of the other side that are being answered. */
  private readonly working = new Map<number, AbortController>();
  private outgoing: Message[] = [];
  private asked = 0;
  private failure: Error | null = null;

  constructor(
    private readonly port: Port,
    private readonly listener: Listener,
  ) {
    port.on('message', (messages: Message[]) => {
      for (const message of messages) this.receive(message);
    });
  }

  /** @throws what the other side threw, or the reason why there is no other side any more */
  ask(question: unknown, signal?: AbortSignal): Promise<unknown> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const id = ++this.asked;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, signal });
    });
    this.say({ ask: id, question, isCancellable: signal !== undefined });
    if (signal?.aborted) this.say({ cancel: id });
    else if (signal !== undefined) this.cancelledBy(signal).asked.add(id);
    return answered;
  }

  private cancelledBy(signal: AbortSignal): Cancellable {
    const known = this.cancellable.get(signal);
    if (known !== undefined) return known;
    const asked = new Set<number>();
    const cancel = () => {
      for (const id of asked) this.say({ cancel: id });
    };
    const made = { asked, cancel };
    signal.addEventListener('abort', cancel, { once: true });
    this.cancellable.set(signal, made);
    return made;
  }

  /** Says something that needs no answer. What cannot be copied is left unsaid. */
  note(note: object): void {
    this.say({ note });
  }

  /** Ends the channel: whoever waits for an answer gets the reason, and so does whoever asks from now on. */
  fail(reason: Error): void {
    this.failure ??= reason;
    for (const id of [...this.waiting.keys()]) this.settle(id, ({ reject }) => reject(reason));
  }

  private say(message: Message): void {
    if (this.outgoing.push(message) === 1) queueMicrotask(() => this.send());
  }

  private send(): void {
    const messages = this.outgoing;
    this.outgoing = [];
    try {
      this.port.postMessage(messages);
    } catch (error) {
      // Something is no plain data: the others in the same message are not to wait for it.
      if (messages.length === 1) for (const message of messages) this.unsent(message, error as Error);
      else for (const message of messages) this.sendAlone(message);
    }
  }

  private sendAlone(message: Message): void {
    try {
      this.port.postMessage([message]);
    } catch (error) {
      this.unsent(message, error as Error);
    }
  }

  private unsent(message: Message, reason: Error): void {
    if ('ask' in message) this.settle(message.ask, ({ reject }) => reject(reason));
    else if ('answer' in message) this.say({ failure: message.answer, error: toWire(reason) });
    else if ('failure' in message)
      this.say({ failure: message.failure, error: { ...message.error, fields: {} } });
  }

  private receive(message: Message): void {
    if ('ask' in message) {
      const { ask, question, isCancellable } = message;
      void this.work(ask, question, isCancellable ? this.signalOf(ask) : undefined);
    } else if ('answer' in message) this.settle(message.answer, ({ resolve }) => resolve(message.value));
    else if ('failure' in message) {
      this.settle(message.failure, ({ reject }) => reject(fromWire(message.error, this.listener.errors)));
    } else if ('cancel' in message) this.working.get(message.cancel)?.abort();
    else this.listener.onNote?.(message.note as never);
  }

  private async work(id: number, question: unknown, signal: AbortSignal | undefined): Promise<void> {
    try {
      // After the rest of the message: when the question is cancelled there, work begins with a signal that has fired.
      if (signal !== undefined) await null;
      this.say({ answer: id, value: await this.listener.onQuestion?.(question as never, signal) });
    } catch (error) {
      this.say({ failure: id, error: toWire(error) });
    }
    this.working.delete(id);
  }

  /** A signal for a question that the asker may cancel. */
  private signalOf(id: number): AbortSignal {
    const controller = new AbortController();
    this.working.set(id, controller);
    return controller.signal;
  }

  private settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    this.waiting.delete(id);
    if (waiting.signal !== undefined) this.release(waiting.signal, id);
    how(waiting);
  }

  /** The question is answered: nothing is left of it to cancel. */
  private release(signal: AbortSignal, id: number): void {
    const cancellable = this.cancellable.get(signal);
    if (!cancellable?.asked.delete(id) || cancellable.asked.size > 0) return;
    signal.removeEventListener('abort', cancellable.cancel);
    this.cancellable.delete(signal);
  }
}
