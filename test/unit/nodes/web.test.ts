import type { Express, NextFunction } from 'express';

const loadGently = jest.fn(async () => undefined);
let atFirstRequest: typeof import('../../../nodes/_shared/web').atFirstRequest;

beforeAll(async () => {
  // Only a built pack has the list of what is loaded.
  jest.doMock('../../../nodes/_shared/load-gently', () => ({ loadGently }));
  ({ atFirstRequest } = await import('../../../nodes/_shared/web'));
});

type Handler = (request: unknown, response: unknown, next: NextFunction) => void;

/** What a request below the path comes to: an error that Express shows, or undefined when it goes on to the routes. */
function requests(path: string, register: () => Promise<void>): () => Promise<unknown> {
  const handlers: Handler[] = [];
  const app = { use: (_: string, handler: Handler) => handlers.push(handler) } as unknown as Express;
  atFirstRequest(app, path, register);
  atFirstRequest(app, path, register);
  expect(handlers).toHaveLength(1);
  return () => new Promise((next) => handlers[0]?.({}, {}, next));
}

test('routes are registered once, with the first requests', async () => {
  const register = jest.fn(async () => undefined);
  const request = requests('/once', register);
  expect(register).not.toHaveBeenCalled();
  expect(await Promise.all([request(), request()])).toEqual([undefined, undefined]);
  expect(await request()).toBeUndefined();
  expect(register).toHaveBeenCalledTimes(1);
});

test('what could not be loaded is told, and the next request tries again', async () => {
  const register = jest.fn(async () => undefined);
  const request = requests('/again', register);
  const failure = new Error('ENOENT');
  loadGently.mockRejectedValueOnce(failure);
  expect(await request()).toBe(failure);
  expect(register).not.toHaveBeenCalled();
  expect(await request()).toBeUndefined();
  expect(register).toHaveBeenCalledTimes(1);
});
