import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that runs beside this one until it is stopped. */
export class Program {
  private readonly child: ChildProcess;
  private readonly lines: string[] = [];

  readonly name: string;

  constructor(name: string, args: string[], env: Record<string, string> = {}) {
    this.name = name;
    this.child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.read(line));
    }
  }

  private waiting: ((line: string) => void)[] = [];

  private read(line: string): void {
    this.lines.push(line);
    if (this.lines.length > 200) this.lines.shift();
    for (const listener of this.waiting) listener(line);
  }

  /** Calls back with every line from now on. */
  onLine(listener: (line: string) => void): void {
    this.waiting.push(listener);
  }

  /** Resolves with the first line that matches; rejects with the last lines when the program ends or time is up. */
  async line(pattern: RegExp, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string) =>
      reject(new Error(`${this.name} ${why}. It last said:\n${this.lines.slice(-15).join('\n')}`));
    const listener = (line: string) => pattern.test(line) && resolve(line);
    const onExit = (code: number | null) => fail(`ended with ${code}`);
    const timer = setTimeout(() => fail(`was not ready after ${timeoutMs / 1000} s`), timeoutMs);
    this.lines.forEach(listener);
    this.waiting.push(listener);
    this.child.once('exit', onExit);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.child.off('exit', onExit);
      this.waiting = this.waiting.filter((other) => other !== listener);
    }
  }

  /** Resolves when the program has ended. */
  async ended(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  /** Asks the program to end, then makes it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await this.ended();
    clearTimeout(timer);
  }
}
