import type { NodeAPI } from 'node-red';
import { atFirstRequest } from '../_shared/web';

/** What the form asks the host. */
export default function registerWeb(RED: NodeAPI): void {
  atFirstRequest(RED.httpAdmin, '/q2c/firm', async () => (await import('./routes')).registerFirmRoutes(RED));
}
