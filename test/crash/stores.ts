import { join } from 'node:path';
import pg from 'pg';
import { settingsOfUrl } from '../../lib/store';
import { startPostgres } from '../support/postgres';
import { postgresReader, type StoreReader, sqliteReader } from '../support/store-reader';
import { cutPower } from './power-cut';

/** The store of one seed. */
export interface SeedStore {
  reader: StoreReader;
  /** What the store node of every host's flow is told. */
  properties: Record<string, string>;
  /** For the environment of every host. */
  env: Record<string, string>;
  /** Takes away what no flush had brought to the disk, after the host was killed. @returns bytes lost */
  cutPower(): number;
  dispose(): Promise<void>;
}

/** Where the seeds of a run have their stores. */
export interface Stores {
  /** Whether the harness can tell what a power cut takes away. */
  powerCuts: boolean;
  /** @param folder of the seed */
  open(folder: string): Promise<SeedStore>;
  stop(): Promise<void>;
}

/** Embedded stores: each seed has its file, which goes with its folder. */
export const sqliteStores: Stores = {
  powerCuts: process.platform === 'linux',
  async open(folder) {
    const path = join(folder, 'store/q2c.db');
    return {
      reader: sqliteReader(path),
      properties: { path },
      env: {},
      cutPower: () => cutPower(path),
      dispose: async () => undefined,
    };
  },
  stop: async () => undefined,
};

/** Seconds after which the other hosts take over what a dead one had under way. */
const LEASE_SECONDS = 3;

/** One PostgreSQL server, which is started unless `Q2C_TEST_DATABASE_URL` names one; each seed has its schema. */
export async function postgresStores(): Promise<Stores> {
  const given = process.env.Q2C_TEST_DATABASE_URL;
  const server = given === undefined ? await startPostgres(['-c', 'fsync=off']) : null;
  const url = given ?? server?.url ?? '';
  const { host, port, database, user, password = '', tls } = settingsOfUrl(url);
  const admin = new pg.Pool({ connectionString: url.replace(/\?.*/, ''), max: 2 });
  // An idle connection that the server has ended is told so; whatever is asked next makes another one, or fails itself.
  admin.on('error', () => undefined);
  let opened = 0;
  return {
    powerCuts: false,
    async open() {
      const schema = `crash_${process.pid}_${++opened}`;
      const reader = postgresReader(url, schema);
      return {
        reader,
        properties: {
          kind: 'postgres',
          address: 'fields',
          host: String(host),
          port: String(port),
          database: String(database),
          user: String(user),
          tls: String(tls),
          schema,
          poolSize: '6',
          leaseSeconds: String(LEASE_SECONDS),
        },
        // The form's password is a credential of the flow; without one the driver takes this.
        env: { PGPASSWORD: password },
        cutPower: () => 0,
        async dispose() {
          await reader.close();
          await admin.query(`drop schema if exists ${schema} cascade`);
        },
      };
    },
    async stop() {
      await admin.end();
      await server?.stop();
    },
  };
}
