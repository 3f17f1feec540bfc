import { parseArgs } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { type SimulatorOptions, startSimulator, type ThreadReady } from './index';

const USAGE =
  'Usage: simulator [--systems salesforce,netsuite,kantata] [--port 4600] [--host 127.0.0.1] [--state DIR] [--seed N]';

/** Exit codes: 1 = could not start (the reason is on stderr), 2 = wrong arguments. */
async function main(): Promise<void> {
  const simulator = await startSimulator(readArguments());
  // The one line on stdout: whoever started this process waits for it.
  console.log(JSON.stringify({ ready: true, url: simulator.url, systems: simulator.systems }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      simulator.close().then(() => process.exit(0), fail);
    });
  }
}

function readArguments(): SimulatorOptions {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '4600' },
        host: { type: 'string' },
        state: { type: 'string' },
        seed: { type: 'string' },
        systems: { type: 'string' },
      },
    });
    return {
      port: wholeNumber(values.port, 'port', 65_535),
      host: values.host,
      stateDir: values.state,
      seed: values.seed === undefined ? undefined : wholeNumber(values.seed, 'seed', 2 ** 32 - 1),
      systems: values.systems?.split(','),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return process.exit(2);
  }
}

function wholeNumber(text: string, name: string, highest: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > highest)
    throw new Error(`--${name} must be a whole number up to ${highest}, not "${text}"`);
  return value;
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** As a thread: options come as its data, and what ends it before it is ready is its error. */
async function serveThread(port: NonNullable<typeof parentPort>): Promise<void> {
  const { url, systems } = await startSimulator(workerData as SimulatorOptions);
  port.postMessage({ url, systems } satisfies ThreadReady);
}

if (parentPort === null) main().catch(fail);
else void serveThread(parentPort);
