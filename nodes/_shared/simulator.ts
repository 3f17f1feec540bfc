import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { NodeAPI } from 'node-red';
import { Q2cError } from '../../lib/model';
import type { SimulatorOptions, ThreadReady } from '../../simulator';

/** Where a simulated vendor answers, and what a connection needs to log in, by authentication scheme. */
export interface SimulatedEndpoint {
  url: string;
  credentials: Record<string, Record<string, string>>;
}

type Endpoints = Record<string, SimulatedEndpoint>;

/** Preferred port of the simulator inside the host, so that its address is the same at every start. */
const PORT = 4600;

let inHost: Promise<Endpoints> | null = null;

/**
 * The simulated vendor of a system: the simulator at `Q2C_SIMULATOR_URL` (several, with commas between them, where each
 * has some of the systems), else one inside this host, started once and kept until the host ends. Its state lies in
 * `<userDir>/quote-to-cash/simulator`.
 * @throws Q2cError `SIMULATOR_UNAVAILABLE` when it cannot be reached or started.
 */
export async function simulatedEndpoint(RED: NodeAPI, system: string): Promise<SimulatedEndpoint> {
  const urls = process.env.Q2C_SIMULATOR_URL;
  const endpoints = urls ? await allElsewhere(urls) : await insideHost(RED);
  const endpoint = endpoints[system];
  if (endpoint === undefined) {
    throw new Q2cError('SIMULATOR_UNAVAILABLE', `The simulator has no ${system}.`);
  }
  return endpoint;
}

async function allElsewhere(urls: string): Promise<Endpoints> {
  const each = await Promise.all(urls.split(',').map((url) => elsewhere(url.trim())));
  return Object.assign({}, ...each) as Endpoints;
}

async function elsewhere(url: string): Promise<Endpoints> {
  try {
    const response = await fetch(new URL('/_control/systems', url));
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return ((await response.json()) as { systems: Endpoints }).systems;
  } catch (cause) {
    throw new Q2cError(
      'SIMULATOR_UNAVAILABLE',
      `The simulator at ${url} (Q2C_SIMULATOR_URL) cannot be reached: ${(cause as Error).message}. Start it with "npm run simulator".`,
      { cause },
    );
  }
}

function insideHost(RED: NodeAPI): Promise<Endpoints> {
  inHost ??= start(RED).catch((cause: Error) => {
    // The next use tries again instead of failing for ever.
    inHost = null;
    throw new Q2cError('SIMULATOR_UNAVAILABLE', `The simulator could not be started: ${cause.message}.`, {
      cause,
    });
  });
  return inHost;
}

/** In a thread: it makes its world and answers all that flows ask, for which nobody else in the host is to wait. */
async function start(RED: NodeAPI): Promise<Endpoints> {
  const stateDir = join(RED.settings.userDir ?? process.cwd(), 'quote-to-cash', 'simulator');
  const options: SimulatorOptions = { port: PORT, otherPort: true, stateDir };
  const thread = new Worker(join(__dirname, 'simulator-main.js'), { workerData: options });
  thread.unref();
  const [{ url, systems }] = (await once(thread, 'message')) as [ThreadReady];
  thread.once('error', (error) => {
    inHost = null;
    RED.log.error(
      `The quote-to-cash simulator has ended: ${error.message}. Restart the flows to start it again.`,
    );
  });
  RED.log.info(`Quote-to-cash simulator: ${url}`);
  return systems;
}
