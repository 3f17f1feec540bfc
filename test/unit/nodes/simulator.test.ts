import { EventEmitter } from 'node:events';
import type { NodeAPI } from 'node-red';

/** Threads that were started, as the host sees them. */
const threads: EventEmitter[] = [];

jest.doMock('node:worker_threads', () => ({
  Worker: class extends EventEmitter {
    constructor() {
      super();
      threads.push(this);
    }
    unref() {}
  },
}));

const logged: string[] = [];
const log = { info: (text: string) => logged.push(text), error: (text: string) => logged.push(text) };
const RED = { settings: { userDir: '/nowhere' }, log } as unknown as NodeAPI;

const endpoint = { url: 'http://127.0.0.1:4600/salesforce', credentials: {} };
const ready = { url: 'http://127.0.0.1:4600', systems: { salesforce: endpoint } };

test('the simulator of a host is started once, again when it could not be, and again when it has ended', async () => {
  delete process.env.Q2C_SIMULATOR_URL;
  const { simulatedEndpoint } = await import('../../../nodes/_shared/simulator');

  const refused = simulatedEndpoint(RED, 'salesforce');
  threads[0]?.emit('error', new Error('the folder cannot be written'));
  await expect(refused).rejects.toMatchObject({
    code: 'SIMULATOR_UNAVAILABLE',
    message: 'The simulator could not be started: the folder cannot be written.',
  });

  const both = [simulatedEndpoint(RED, 'salesforce'), simulatedEndpoint(RED, 'salesforce')];
  threads[1]?.emit('message', ready);
  expect(await Promise.all(both)).toEqual([endpoint, endpoint]);
  await expect(simulatedEndpoint(RED, 'sap')).rejects.toMatchObject({ code: 'SIMULATOR_UNAVAILABLE' });
  expect(threads).toHaveLength(2);

  threads[1]?.emit('error', new Error('out of memory'));
  const again = simulatedEndpoint(RED, 'salesforce');
  threads[2]?.emit('message', ready);
  expect(await again).toEqual(endpoint);
  expect(logged).toEqual([
    'Quote-to-cash simulator: http://127.0.0.1:4600',
    'The quote-to-cash simulator has ended: out of memory. Restart the flows to start it again.',
    'Quote-to-cash simulator: http://127.0.0.1:4600',
  ]);
});
