import { Worker } from 'node:worker_threads';

/** Commits between two requests to move the log; about 16 MB of it. */
const COMMITS = 256;

/**
 * Pages of 4 KB in the log from which on writers wait for the rest to be moved, so that it begins anew: 128 MB. Each time a
 * group of steps waits some 10 ms for the disk; at half the size that was one step in a hundred. A start after a crash
 * reads the log again, in some 40 ms.
 */
const RESTART_PAGES = 32_768;

/** SQLITE_FULL: there is no room to move the log to. The next request tries again; nothing is lost meanwhile. */
const FULL = 13;

/**
 * The program of the thread: its own connection, one answer per request. Plain JavaScript, so that it needs no file.
 * Beginning the log anew waits for readers while writers wait for it: a backup reads for seconds, so after 20 ms it is
 * left to the next request.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(workerData.path, { timeout: 20 });
const passive = database.prepare('pragma wal_checkpoint(passive)');
const restart = database.prepare('pragma wal_checkpoint(restart)');
parentPort.on('message', (request) => {
  if (request === 'close') {
    database.close();
    parentPort.close();
    return;
  }
  try {
    if (passive.get().log > workerData.restartPages) restart.get();
  } catch (error) {
    if ((error.errcode & 0xff) !== ${FULL}) throw error;
  }
  parentPort.postMessage('done');
});
`;

/**
 * Moves the write-ahead log into the database in a thread of its own: done by the connection that writes, each move
 * blocks the event loop for tens of milliseconds. Starts with the first move that is due.
 */
export class Checkpointer {
  private worker: Worker | null = null;
  private commits = 0;
  private busy = false;

  /** @param onFailure the thread has failed: the writing connection must move the log itself from now on */
  constructor(
    private readonly path: string,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** To be called after each commit. */
  committed(): void {
    if (++this.commits < COMMITS || this.busy) return;
    this.commits = 0;
    this.busy = true;
    this.worker ??= this.start();
    this.worker.postMessage('move');
  }

  /** Waits for a move under way, and ends the thread. */
  async close(): Promise<void> {
    const { worker } = this;
    if (worker === null) return;
    this.worker = null;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    // Whoever waits for the end of the store shall get to it, though nothing else may be left to do.
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  private start(): Worker {
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { path: this.path, restartPages: RESTART_PAGES },
    });
    worker.on('message', () => {
      this.busy = false;
    });
    worker.on('error', (error) => {
      // `busy` stays: no further request goes to a thread that is gone.
      this.worker = null;
      this.onFailure(error);
    });
    // A move under way is no reason for the host to stay alive.
    worker.unref();
    return worker;
  }
}
