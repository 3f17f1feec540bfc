import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';

/** The files of nodes and web server, each behind those that it requires; the build writes the list. */
const LIST = './load-order.json';

/**
 * Loads the code of all nodes and of the web server one file after the other. Loaded with the first node, or with the first
 * request, all of it together would hold up the host's event loop for more than a tenth of a second.
 */
export async function loadGently(): Promise<void> {
  const require = createRequire(__filename);
  for (const file of require(LIST) as string[]) {
    require(`./${file}`);
    await setImmediate();
  }
}
