import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Context, createContext, Script } from 'node:vm';
import type { DealDocument, JsonObject, JsonValue } from '../model';
import { PROGRAM } from './expression-program';
import type { MappedEntityName } from './records';

/**
 * JSONata that cannot hold up the host. Expressions are evaluated in a context of their own with its own queue of
 * promises, so that Node.js can break off whatever takes too long: an endless recursion, a regular expression that
 * backtracks for ever, a range of ten million numbers.
 */

/** Longest time that the event loop is held up at once, in milliseconds. */
export const TIME_LIMIT_MS = 20;

/** Evaluations between two turns of the event loop. */
const CHUNK = 64;

/** Largest result of a chunk, in characters. */
const MAX_ANSWER = 1_000_000;

/** One expression on one record; entity null = on the whole deal. */
export interface Job {
  expression: string;
  entity: MappedEntityName | null;
  index: number;
}

export type JobResult =
  /** Absent = the expression gives nothing. */
  | { value?: JsonValue; error?: never; lookup?: never }
  | { error: string; value?: never; lookup?: never }
  | { lookup: { table: string; key: string }; value?: never; error?: never };

/** What expressions can see. */
export interface Scenery {
  deal: DealDocument;
  records: Partial<Record<MappedEntityName, JsonObject[]>>;
  /** Lookup tables by name, those that go before others first. */
  tables: readonly Tables[];
  /** Ids that may stand in the keys of tables under a shorter name. */
  aliases: Record<string, string>;
}

export type Tables = Record<string, Record<string, string>>;

let interpreter: Script | null = null;
const program = new Script(PROGRAM, { filename: 'q2c-expressions.js' });

/** The interpreter lies beside the built library; while developing it is taken from the packages. */
function loadInterpreter(): Script {
  const built = join(__dirname, 'jsonata.min.js');
  const file = existsSync(built)
    ? built
    : createRequire(join(__dirname, 'expressions.js')).resolve('jsonata/jsonata.min.js');
  // A range of ten million numbers takes longer to give memory back than the time limit allows.
  const text = readFileSync(file, 'utf8').replace('>1e7)throw{code:"D2014"', '>1e5)throw{code:"D2014"');
  return new Script(text, { filename: 'jsonata.min.js' });
}

export class Expressions {
  /** What is wrong with expressions that are not JSONata, by their text. */
  readonly problems = new Map<string, string>();
  private context: Context;
  private readonly ids: Map<string, number>;
  private documents = 0;

  /** @param texts compiled once */
  constructor(texts: Iterable<string>) {
    this.ids = new Map([...new Set(texts)].map((text, index) => [text, index]));
    this.context = this.makeContext();
  }

  /** Evaluates expressions one after another; the answers are in the order of the jobs. */
  async run(scenery: Scenery, jobs: readonly Job[]): Promise<JobResult[]> {
    const key = ++this.documents;
    const json = JSON.stringify(scenery);
    const results: JobResult[] = [];
    let size = CHUNK;
    while (results.length < jobs.length) {
      const chunk = jobs.slice(results.length, results.length + size);
      const answer = this.evaluate(key, json, chunk);
      if (Array.isArray(answer)) results.push(...answer);
      // One by one from here on, to find the one that takes so long.
      else if (chunk.length > 1) size = 1;
      else results.push(await this.again(key, json, chunk));
      if (results.length < jobs.length) await nextTurn();
    }
    if (jobs.length > 0) this.call('documents.delete(input)', key);
    return results;
  }

  /** A busy machine may have taken the time away: a second chance, in another turn of the event loop. */
  private async again(key: number, json: string, job: readonly Job[]): Promise<JobResult> {
    await nextTurn();
    const answer = this.evaluate(key, json, job);
    return Array.isArray(answer) ? (answer[0] ?? {}) : { error: answer.reason };
  }

  /** @returns why there is no answer, if there is none */
  private evaluate(key: number, json: string, jobs: readonly Job[]): JobResult[] | { reason: string } {
    const prepared = jobs.map(({ expression, entity, index }) => [this.ids.get(expression), entity, index]);
    try {
      if (!this.call('documents.has(input)', key)) this.call(`hold(${key}, input)`, json);
      this.call(`begin(${key}, input)`, JSON.stringify(prepared));
      const answer = this.call('answer');
      if (typeof answer === 'string' && answer.length <= MAX_ANSWER) return JSON.parse(answer) as JobResult[];
      return { reason: 'its value is too large' };
    } catch (error) {
      if (!isTimeout(error)) throw error;
      // What was broken off is still in the context's queue and would go on at the next call.
      this.context = this.makeContext();
      return { reason: `it takes longer than ${TIME_LIMIT_MS} ms` };
    }
  }

  private call(code: string, input?: string | number): unknown {
    if (input !== undefined) this.context.input = input;
    return new Script(code).runInContext(this.context, { timeout: TIME_LIMIT_MS });
  }

  private makeContext(): Context {
    interpreter ??= loadInterpreter();
    const context = createContext(
      { input: '' },
      { microtaskMode: 'afterEvaluate', codeGeneration: { strings: false, wasm: false } },
    );
    interpreter.runInContext(context);
    program.runInContext(context);
    for (const [text, id] of this.ids) {
      context.input = text;
      const problem = new Script(`compile(${id}, input)`).runInContext(context) as string | null;
      if (problem !== null) this.problems.set(text, describe(JSON.parse(problem)));
    }
    return context;
  }
}

function describe({ message, position }: { message: string; position?: number }): string {
  return position === undefined ? message : `${message}, at character ${position}`;
}

/** The error may be one of the context's own realm, which is no `Error` here. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/** By a timer: what else is due, timers included, comes before it. */
const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
