import { join } from 'node:path';
import { type StoreReader, sqliteReader } from '../support/store-reader';
import { cutPower } from './power-cut';

/** The store of one seed. */
export interface SeedStore {
  reader: StoreReader;
  /** What the store node of every host's flow is told. */
  properties: Record<string, string>;
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
      cutPower: () => cutPower(path),
      dispose: async () => undefined,
    };
  },
  stop: async () => undefined,
};
