import { readEvents, type ServerEvent } from '../../../console/src/api/sse';

/** The bytes of a text, cut anywhere: also within a letter. */
function stream(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

test.each([1, 2, 7, 1000])('events arrive whole when their bytes come %d at a time', async (size) => {
  const text =
    'retry: 1000\n\n: heartbeat\n\nid: 7\nevent: change\ndata: {"a":\ndata: "ü"}\n\r\ndata: last\r\n\r\nid: 9\ndata: cut off';
  const events: ServerEvent[] = [];
  for await (const event of readEvents(stream(text, size))) events.push(event);
  expect(events).toEqual([
    { id: '7', event: 'change', data: '{"a":\n"ü"}' },
    { id: null, event: 'message', data: 'last' },
  ]);
});
