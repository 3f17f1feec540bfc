import type { NodeAPI } from 'node-red';
import { jsonOf } from '../_shared/routes';
import { firmCatalogue } from './catalogue';

/** What the form of a firm asks the host. Called once per process: express never forgets a route. */
export function registerFirmRoutes(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/q2c/firm/catalogue',
    RED.auth.needsPermission('q2c.read'),
    jsonOf(RED, async () => firmCatalogue()),
  );
}
