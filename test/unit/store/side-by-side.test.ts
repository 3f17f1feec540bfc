import { sideBySide } from '../../../lib/store/side-by-side';

test('gives what each gives, in order, whether it had to be waited for or not', async () => {
  expect(await sideBySide([Promise.resolve(1), 'two', undefined])).toEqual([1, 'two', undefined]);
});

test('a failure is told when nothing is under way any more', async () => {
  const events: string[] = [];
  let end: (value: string) => void = () => undefined;
  const slow = new Promise<string>((resolve) => {
    end = resolve;
  });
  const failed = sideBySide([slow, Promise.reject(new Error('no'))]).catch((error: Error) => {
    events.push(error.message);
  });
  await new Promise((resolve) => setImmediate(resolve));
  events.push('under way');
  end('over');
  await failed;
  expect(events).toEqual(['under way', 'no']);
});
