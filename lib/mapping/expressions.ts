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

/** What is asked of a context; `key` and `input` are its variables. */
const calls = {
  compile: new Script('compile(key, input)'),
  isHeld: new Script('documents.has(key)'),
  hold: new Script('hold(key, input)'),
  begin: new Script('begin(key, input)'),
  answer: new Script('answer'),
  release: new Script('documents.delete(key)'),
};

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
    /** Expressions that were broken off, with the reason: they get no further chance in this deal. */
    const slow = new Map<string, JobResult>();
    let size = CHUNK;
    while (results.length < jobs.length) {
      const chunk = jobs.slice(results.length, results.length + size);
      const [{ expression } = { expression: '' }] = chunk;
      const given = slow.get(expression);
      if (given !== undefined) {
        results.push(given);
        continue;
      }
      const answer = this.evaluate(key, json, chunk);
      if (Array.isArray(answer)) results.push(...answer);
      // One by one from here on, to find the one that takes so long.
      else if (chunk.length > 1) size = 1;
      else {
        // A busy machine may have taken the time away: a second chance, in another turn of the event loop.
        await nextTurn();
        const again = this.evaluate(key, json, chunk);
        const result: JobResult = Array.isArray(again) ? (again[0] ?? {}) : { error: again.reason };
        if (!Array.isArray(again)) slow.set(expression, result);
        results.push(result);
      }
      if (results.length < jobs.length) await nextTurn();
    }
    this.call(calls.release, key);
    return results;
  }

  /** @returns why there is no answer, if there is none */
  private evaluate(key: number, json: string, jobs: readonly Job[]): JobResult[] | { reason: string } {
    const prepared = jobs.map(({ expression, entity, index }) => [this.ids.get(expression), entity, index]);
    try {
      if (!this.call(calls.isHeld, key)) this.call(calls.hold, key, json);
      this.call(calls.begin, key, JSON.stringify(prepared), TIME_LIMIT_MS);
      const answer = this.call(calls.answer, key);
      if (typeof answer === 'string' && answer.length <= MAX_ANSWER) return JSON.parse(answer) as JobResult[];
      return { reason: 'its value is too large' };
    } catch (error) {
      if (!isTimeout(error)) throw error;
      // What was broken off is still in the context's queue and would go on at the next call.
      this.context = this.makeContext();
      return { reason: `it takes longer than ${TIME_LIMIT_MS} ms` };
    }
  }

  /** @param timeout in milliseconds; only what runs expressions can take long */
  private call(script: Script, key: number, input = '', timeout?: number): unknown {
    this.context.key = key;
    this.context.input = input;
    return script.runInContext(this.context, timeout === undefined ? {} : { timeout });
  }

  private makeContext(): Context {
    interpreter ??= loadInterpreter();
    const context = createContext(
      { key: 0, input: '' },
      { microtaskMode: 'afterEvaluate', codeGeneration: { strings: false, wasm: false } },
    );
    interpreter.runInContext(context);
    program.runInContext(context);
    for (const [text, id] of this.ids) {
      Object.assign(context, { key: id, input: text });
      const problem = calls.compile.runInContext(context) as string | null;
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
