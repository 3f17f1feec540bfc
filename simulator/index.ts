import { type RunningSimulator, startHost } from './kit/host';
import { systems as allSystems } from './systems';

export type { RunningSimulator } from './kit/host';

export interface SimulatorOptions {
  /** 0 = any free one. */
  port: number;
  /** Take any free port when that one is in use. */
  otherPort?: boolean;
  /** Loopback only. Default 127.0.0.1. */
  host?: string;
  /** Folder for the state, which then outlives the process; without it the state is in memory. */
  stateDir?: string;
  /** Seed of the simulated firm, its accounts and deals. */
  seed?: number;
  /** Ids of the systems to start. Default: all. */
  systems?: readonly string[];
}

/** What the program says when it runs as a thread. */
export type ThreadReady = Pick<RunningSimulator, 'url' | 'systems'>;

/**
 * Starts simulated vendors in this process.
 * @throws Error naming an unknown system, a used port, or a seed that is not the one of the state.
 */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  const chosen = options.systems ?? allSystems.map(({ id }) => id);
  const systems = chosen.map((id) => {
    const system = allSystems.find((known) => known.id === id);
    if (!system)
      throw new Error(
        `There is no simulator for "${id}"; known are ${allSystems.map((s) => s.id).join(', ')}`,
      );
    return system;
  });
  return startHost({ ...options, systems });
}
