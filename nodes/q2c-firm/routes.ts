import type { NodeAPI } from 'node-red';
import { jsonOf } from '../_shared/routes';
import { firmCatalogue } from './catalogue';

let registered = false;

/** What the form of a firm asks the host. Registered once per process: express never forgets a route. */
export function registerFirmRoutes(RED: NodeAPI): void {
  if (registered) return;
  registered = true;
  RED.httpAdmin.get(
    '/q2c/firm/catalogue',
    RED.auth.needsPermission('q2c.read'),
    jsonOf(RED, async () => firmCatalogue()),
  );
}
